"""A pipeline as a picture: its jobs with their stages inside, and who needs whom.

As a tree of text, or for mermaid and Graphviz; `graph_svg` draws without any of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.errors import DefinitionError
from penstock.model.job import Family, Job, Pipeline, Stage, chain
from penstock.model.stream import Direct, Output
from penstock.report.plain import visible
from penstock.report.shell import in_order
from penstock.typed import NamedTuple

_LONGEST = 40


class Box(NamedTuple):
    """A job or a family.

    Attributes:
        name: its own; that of a family ends in ``[...]``.
        needs: positions of the boxes that it needs.
        stages: each command, short; with its name, if they are no chain.
        links: pairs of positions among the stages.
        kind: "job", "family" or "service".
        names: those of the stages; none if these are a chain.
    """

    name: str
    needs: tuple[int, ...]
    stages: tuple[str, ...]
    links: tuple[tuple[int, int], ...]
    kind: str
    names: tuple[str, ...] = ()


def boxes_of(pipeline: Pipeline) -> tuple[Box, ...]:
    """Every job and family, each after those that it needs."""
    units = tuple(in_order(pipeline))
    position = {unit.name: at for at, unit in enumerate(units)}
    return tuple(
        _box(unit, tuple(position[need] for need in unit.needs if need in position))
        for unit in units
    )


def draw_text(pipeline: Pipeline) -> str:
    """A tree: below each job that no other needs, all that it needs.

    What stands there already is not repeated, but said to be above.
    """
    boxes = boxes_of(pipeline)
    needed = {need for box in boxes for need in box.needs}
    told: set[int] = set()
    lines: list[str] = []
    for top in (at for at in range(len(boxes)) if at not in needed):
        waiting = [(top, "", "")]
        while waiting:
            at, lead, below = waiting.pop()
            again = at in told and bool(boxes[at].needs)
            lines.append(lead + _line(boxes[at]) + "  (see above)" * again)
            needs = () if again else boxes[at].needs
            if at not in told:
                bar = "│  " if needs else "   "
                lines += (below + bar + line for line in _stage_lines(boxes[at]))
            told.add(at)
            for need in reversed(needs):
                branch, bar = ("└─ ", "   ") if need == needs[-1] else ("├─ ", "│  ")
                waiting.append((need, below + branch, below + bar))
    return "\n".join(lines) + "\n"


def draw_mermaid(pipeline: Pipeline) -> str:
    """A flowchart of mermaid: https://mermaid.js.org/syntax/flowchart.html."""
    boxes = boxes_of(pipeline)
    lines = ["flowchart LR"]
    for at, box in enumerate(boxes):
        lines.append(f'  subgraph j{at}["{_in_mermaid(box.name)}"]')
        lines += [
            f'    j{at}s{n}["{_in_mermaid(stage)}"]'
            for n, stage in enumerate(box.stages)
        ]
        lines += [f"    j{at}s{a} --> j{at}s{b}" for a, b in box.links]
        lines.append("  end")
    lines += [f"  j{need} ==> j{at}" for at, need in _edges(boxes)]
    return "\n".join(lines) + "\n"


def draw_dot(pipeline: Pipeline) -> str:
    """A digraph for Graphviz: https://graphviz.org/doc/info/lang.html."""
    boxes = boxes_of(pipeline)
    lines = ["digraph penstock {", "  rankdir=LR; compound=true; node [shape=box];"]
    for at, box in enumerate(boxes):
        lines.append(f"  subgraph cluster_{at} {{ label={_in_dot(box.name)};")
        lines += [
            f"    j{at}s{n} [label={_in_dot(stage)}];"
            for n, stage in enumerate(box.stages)
        ]
        lines += [f"    j{at}s{a} -> j{at}s{b};" for a, b in box.links]
        if not box.stages:
            lines.append(f'    j{at}s0 [label="", shape=point];')
        lines.append("  }")
    for at, need in _edges(boxes):
        last = max(0, len(boxes[need].stages) - 1)
        ends = f"ltail=cluster_{need}, lhead=cluster_{at}"
        lines.append(f"  j{need}s{last} -> j{at}s0 [{ends}, style=bold];")
    return "\n".join([*lines, "}"]) + "\n"


def _box(unit: Job | Family, needs: tuple[int, ...]) -> Box:
    if isinstance(unit, Job):
        kind = "service" if unit.policy.service else "job"
        return _box_of(unit, unit.name, needs, kind)
    try:
        first = next(unit.members(), None)
    except DefinitionError:  # what they are made of may not be there yet
        first = None
    if first is None:
        return Box(f"{unit.name}[...]", needs, (), (), "family")
    return _box_of(first, f"{unit.name}[...]", needs, "family")


def _box_of(job: Job, name: str, needs: tuple[int, ...], kind: str) -> Box:
    links = tuple(dict.fromkeys((link.source, link.target) for link in job.links))
    stages = tuple(map(_stage, job.stages))
    names: tuple[str, ...] = ()
    if job.links != chain(len(stages)):
        names = tuple(visible(stage.name) for stage in job.stages)
        stages = tuple(map(": ".join, zip(names, stages, strict=True)))
    return Box(visible(name), needs, stages, links, kind, names)


def _stage(stage: Stage) -> str:
    """A command as it was typed, short, and the file that it makes."""
    text = " ".join(stage.command.typed.split())
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    match stage.stdout:
        case Output(path) | Direct(path):
            text += f" > {path}"
        case _:
            pass
    return visible(text)


def _line(box: Box) -> str:
    kind = "" if box.kind == "job" else f" ({box.kind})"
    if box.names or not box.stages:
        return box.name + kind
    return f"{box.name}{kind}: {' | '.join(box.stages)}"


def _stage_lines(box: Box) -> Iterator[str]:
    """What each stage of a graph reads, and what it is."""
    for at, stage in enumerate(box.stages if box.names else ()):
        sources = ", ".join(box.names[a] for a, b in box.links if b == at)
        yield f"{sources} -> {stage}" if sources else stage


def _edges(boxes: tuple[Box, ...]) -> Iterator[tuple[int, int]]:
    for at, box in enumerate(boxes):
        for need in box.needs:
            yield at, need


def _in_mermaid(text: str) -> str:
    """Everything that mermaid could take for syntax, as an entity."""
    return "".join(
        char if char.isalnum() or char in " ._/,:=" else f"#{ord(char)};"
        for char in text
    )


def _in_dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
