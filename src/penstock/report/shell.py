"""A pipeline as lines for a shell: what would be run, in which order, and why.

The lines can be pasted. They do what the jobs do as long as nothing goes wrong: what
penstock is for (limits, clean ends, outputs that are whole) is told in comments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from penstock.errors import DefinitionError
from penstock.model.command import Command
from penstock.model.job import Family, Job, Pipeline, Stage, chain
from penstock.model.link import path_token
from penstock.model.stream import Direct, Input, Null, Output
from penstock.report.accepted import accepting
from penstock.report.plain import visible
from penstock.spec.duration import format_duration
from penstock.spec.quoting import quote

MOST_MEMBERS = 20
"""Members of a family that are printed; there may be millions."""


Reasons = Callable[[Job], tuple[str, ...] | None]
"""Why a job will be run; none: it is up to date. None for one that always is run."""


def shell_script(pipeline: Pipeline, reasons: Reasons = lambda _: None) -> str:
    """All of it, every line ended.

    Args:
        pipeline: what would be run.
        reasons: as far as that is known before anything is run.
    """
    common = _common_env(pipeline)
    lines = ["#!/bin/sh", "set -e"]
    lines += [f"export {name}={quote(value)}" for name, value in common]
    if pipeline.setup:
        lines += _paragraph(pipeline.setup, "before all jobs", common)
    lines += _jobs_in_order(pipeline, reasons, common)
    if any(job.policy.service for job in pipeline.jobs):
        lines += ["", "# the services are stopped", "kill $services"]
    if pipeline.teardown:
        why = "after all jobs, however they ended"
        lines += _paragraph(pipeline.teardown, why, common)
    for notice, why in (
        (pipeline.on_success, "if all went well"),
        (pipeline.on_failure, "if something failed"),
        (pipeline.always, "in any case"),
    ):
        if notice:
            lines += map(_as_comment, _paragraph(notice, why, common))
    return "\n".join(lines) + "\n"


def _jobs_in_order(
    pipeline: Pipeline, reasons: Reasons, common: tuple[tuple[str, str], ...]
) -> Iterator[str]:
    run: set[str] = set()  # names of those that would be, which may change the others
    for unit in in_order(pipeline):
        members = tuple(_members(unit))
        if not members:  # what it needs may make them
            run.add(unit.name)
            told = f"after {', '.join(unit.needs)}; " if unit.needs else ""
            yield f"\n# {unit.name}: {told}its `for` finds nothing now"
        for job in members:
            because = reasons(job)
            if because == () and run.isdisjoint(job.needs):
                yield f"\n# {job.name}: up to date"
            else:
                run.add(unit.name)
                yield from _paragraph(job, _why(job, because), common)
        if isinstance(unit, Family):
            yield from _rest(unit)


def _as_comment(line: str) -> str:
    return line if line[:1] in ("", "#") else "# " + line.replace("\n", "\n# ")


def in_order(pipeline: Pipeline) -> Iterator[Job | Family]:
    """Jobs and families, each after those that it needs, else in the order given."""
    units: dict[str, Job | Family] = {job.name: job for job in pipeline.jobs}
    units |= {family.name: family for family in pipeline.families}
    done: set[str] = set()
    for start in units:
        path = [] if start in done else [(start, iter(units[start].needs))]
        while path:
            name, needs = path[-1]
            need = next((n for n in needs if n in units and n not in done), None)
            if need is not None:
                path.append((need, iter(units[need].needs)))
                continue
            path.pop()
            if name not in done:
                done.add(name)
                yield units[name]


def _members(unit: Job | Family) -> Iterator[Job]:
    """The job itself; of a family, the first ones, as far as they can be made now."""
    if isinstance(unit, Job):
        yield unit
    else:
        with suppress(DefinitionError):  # what they are made of may not be there yet
            yield from islice(unit.members(), MOST_MEMBERS)


def _rest(family: Family) -> Iterator[str]:
    """What is said of the members that are not printed."""
    more = None
    with suppress(DefinitionError):
        more = next(islice(family.members(), MOST_MEMBERS, None), None)
    if more:
        yield f"\n# {family.name}: and so on, from {more.name}"


def _why(job: Job, reasons: tuple[str, ...] | None) -> str:
    told = f"after {', '.join(job.needs)}" if job.needs else "needs no other"
    if reasons == ():
        return f"{told}; up to date, unless that changes what it reads"
    return "; ".join((told, *map(visible, reasons or ())))


def _paragraph(
    job: Job, why: str, common: tuple[tuple[str, str], ...]
) -> Iterator[str]:
    """One job: what it is, and its line."""
    yield ""
    # On one line, whatever was quoted there: the next one would be run.
    notes = [" ".join(note.split()) for note in (why, *_notes(job))]
    yield f"# {job.name}: {'; '.join(notes)}"
    stages = job.stages
    if job.policy.service:  # it is stopped: what sh has started must be the command
        stages = tuple(map(_however_it_ends, stages))
    parts = [_stage(stage, common, is_first=i == 0) for i, stage in enumerate(stages)]
    if job.links == chain(len(job.stages)):
        line = " | ".join(parts)
        when = job.policy.when
        if when:
            line = f"if {_command(when, common)}; then\n{line}\nfi"
        if job.policy.service:
            line = f'{line} &\nservices="$services $!"'
            if job.policy.service.ready:
                ready = _command(job.policy.service.ready, common)
                line += f"\nuntil {ready}; do sleep 0.1; done"
        yield line
    else:
        yield "# a graph of commands, which no line of sh can join:"
        for stage, part in zip(job.stages, parts, strict=True):
            written = _with_names(f"{visible(stage.name)}: {part}", job)
            yield "#   " + written.replace("\n", "\n#   ")


def _however_it_ends(stage: Stage) -> Stage:
    return stage._replace(command=stage.command._replace(ok=(0,)))


def _with_names(text: str, job: Job) -> str:
    """`text` with the names of FIFOs as they are written in the definition."""
    for name in {link.name for link in job.links if link.name}:
        text = text.replace(path_token(name), f"{{{{{name}}}}}")
    return text


def _notes(job: Job) -> Iterator[str]:
    """What penstock does for the job that its line does not."""
    policy = job.policy
    if job.limits.timeout is not None:
        yield f"at most {format_duration(job.limits.timeout)}"
    if policy.when:
        yield "only if its `when` succeeds"
    if policy.retry.times:
        yield f"tried again up to {policy.retry.times} times"
    if policy.service:
        yield "a service: runs while others need it"
    if policy.resources:
        taken = ", ".join(f"{count} {name}" for name, count in policy.resources)
        yield f"takes {taken}"


def _stage(stage: Stage, common: tuple[tuple[str, str], ...], *, is_first: bool) -> str:
    """A command with its streams, as words for a shell."""
    text = _command(stage.command, common)
    match stage.stdin:
        case Input(path):
            text += f" <{quote(path)}"
        case Null() if is_first:
            text += " </dev/null"
        case _:
            pass
    match stage.stdout:
        case Direct(path, "a"):
            text += f" >>{quote(path)}"
        case Output(path) | Direct(path):
            text += f" >{quote(path)}"
        case _:
            pass
    match stage.stderr:
        case Direct(path):
            text += f" 2>{quote(path)}"
        case _:
            pass
    return text


def _command(command: Command, common: tuple[tuple[str, str], ...]) -> str:
    """A command with its environment, directory, niceness and what it may exit with."""
    words: list[str] = []
    own = [pair for pair in command.env if pair not in common]
    if own or command.cwd:
        words.append("env")
        words += ["-C", quote(command.cwd)] if command.cwd else []
        words += [quote(f"{name}={value}") for name, value in own]
    if command.nice:
        words += ["nice", "-n", str(command.nice)]
    return accepting(" ".join((*words, *map(quote, command.argv))), command.ok)


def _common_env(pipeline: Pipeline) -> tuple[tuple[str, str], ...]:
    """The variables that all commands of the jobs have, with these values."""
    return _shared(stage.command for job in _jobs(pipeline) for stage in job.stages)


def _shared(commands: Iterable[Command]) -> tuple[tuple[str, str], ...]:
    shared: dict[tuple[str, str], None] | None = None
    for command in commands:
        pairs = dict.fromkeys(command.env)
        shared = pairs if shared is None else {p: None for p in shared if p in pairs}
    return tuple(shared or ())


def _jobs(pipeline: Pipeline) -> Iterator[Job]:
    yield from pipeline.jobs
    for family in pipeline.families:
        yield from _members(family)
