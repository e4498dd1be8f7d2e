"""Stages: the graph of a job, from what each of `stages` says that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.model.circle import circle_in
from penstock.model.link import (
    QUOTA_BYTES,
    Framing,
    Link,
    Stream,
    path_token,
)
from penstock.spec.mistakes import Spot, shown
from penstock.spec.options import Entry, Fields, fields_of, text_of
from penstock.spec.program import scalars_of
from penstock.spec.size import parse_size
from penstock.spec.tree import Mapping, Scalar
from penstock.spec.variables import Scope
from penstock.typed import Literal, NamedTuple

_STDERR = ".stderr"
_BY_PATH = "fifo."
_BY_DESCRIPTOR = "fd."
_READS = ("from", "coproc")


class Member(NamedTuple):
    """One stage of a graph.

    Attributes:
        name: where it stands.
        part: its keys; a mere text is its `run`.
    """

    name: Scalar
    part: Fields


class Edge(NamedTuple):
    """A link, and where it is asked for."""

    link: Link
    spot: Spot


def members_of(entry: Entry) -> list[Member]:
    """The stages, in the order of the file."""
    value = entry.value
    entries = value.entries if isinstance(value, Mapping) else ()
    return [
        Member(
            name,
            fields_of(node)
            if isinstance(node, Mapping)
            else {"run": Entry(name, node)},
        )
        for name, node in entries
    ]


def within(members: Sequence[Member], scope: Scope) -> Scope:
    """The scope of the commands of a graph: `fifo.NAME` and `fd.NAME` are known."""
    names = [
        f"{way}{member.name.text}{stream}"
        for way in (_BY_PATH, _BY_DESCRIPTOR)
        for member in members
        for stream in ("", _STDERR)
    ]
    paths = {name: path_token(name) for name in names}
    return scope._replace(values={**scope.values, **paths}, used=set())


def is_path(name: str) -> bool:
    """Whether what is filled in is the path of a FIFO, and no variable."""
    return name.startswith((_BY_PATH, _BY_DESCRIPTOR))


def without_paths(typed: str, names: set[str]) -> str:
    """A command as the user wrote it."""
    for name in filter(is_path, names):
        typed = typed.replace(path_token(name), f"{{{{{name}}}}}")
    return typed


def links_of(
    members: Sequence[Member], used: Sequence[set[str]], scope: Scope
) -> tuple[Link, ...]:
    """The links of a graph; what cannot be is reported.

    Args:
        members: the stages.
        used: for each, the names that were filled into its command.
        scope: of the job.
    """
    positions = {member.name.text: n for n, member in enumerate(members)}
    edges: list[Edge] = []
    for position, (member, names) in enumerate(zip(members, used, strict=True)):
        ways = _Ways(position, member, positions, scope)
        mine = [*ways.read(), *ways.joined(), *ways.named(names)]
        ways.check(mine)
        edges += mine
    _check_outputs(members, edges, scope)
    links = tuple(edge.link for edge in edges)
    _check_circle(members, edges, scope)
    return links


class _Ways:
    """The links that lead into one stage."""

    def __init__(
        self, position: int, member: Member, positions: dict[str, int], scope: Scope
    ) -> None:
        self._position = position
        self._member = member
        self._positions = positions
        self._mistakes = scope.mistakes

    def read(self) -> Iterator[Edge]:
        """Those into its stdin."""
        seen: set[str] = set()
        for item in scalars_of(self._member.part.get("from")):
            if item.text in seen:
                what = f"{shown(item.text)} stands twice in `from`"
                self._mistakes.add(item.spot, what)
            elif (end := self._source(item.text, item.spot)) is not None:
                yield Edge(self._link(*end), item.spot)
            seen.add(item.text)

    def joined(self) -> Iterator[Edge]:
        """The two of a coproc."""
        entry = self._member.part.get("coproc")
        if entry is None or not isinstance(entry.value, Scalar):
            return
        if "from" in self._member.part:
            what = "a stage reads `from` others or is a `coproc`, not both"
            self._mistakes.add(entry.key.spot, what)
            return
        end = self._source(entry.value.text, entry.value.spot)
        if end is not None:
            there = self._link(*end)._replace(is_coproc=True)
            back = Link(self._position, there.source, is_coproc=True)
            yield Edge(there, entry.value.spot)
            yield Edge(back, entry.value.spot)

    def named(self, names: set[str]) -> Iterator[Edge]:
        """Those into its FIFOs."""
        for name in sorted(filter(is_path, names)):
            way = _BY_PATH if name.startswith(_BY_PATH) else _BY_DESCRIPTOR
            text, spot = name.removeprefix(way), self._member.name.spot
            known = text.removesuffix(_STDERR) in self._positions
            end = self._source(text, spot) if known else None  # or it is reported
            if end is not None:
                is_descriptor = way == _BY_DESCRIPTOR
                link = self._link(*end)
                yield Edge(link._replace(name=name, as_descriptor=is_descriptor), spot)

    def check(self, edges: Sequence[Edge]) -> None:
        """Report keys that say nothing here."""
        part, reads = self._member.part, sum(not edge.link.name for edge in edges)
        sourced = any(key in part for key in _READS)
        if "stdin" in part and sourced:
            what = "the stdin of this stage is what it reads from others already"
            self._mistakes.add(part["stdin"].key.spot, what)
        if "merge" in part and reads <= 1 and not sourced:
            what = "`merge` is for a stage that reads `from` several"
            self._mistakes.add(part["merge"].key.spot, what)
        if "quota" in part and text_of(part.get("buffer")) != "disk":
            what = "`quota` needs `buffer: disk` beside it"
            self._mistakes.add(part["quota"].key.spot, what)
        for key in ("buffer", "on_close"):
            if key in part and not edges and not sourced:
                what = f"`{key}` is for a stage that reads from others"
                self._mistakes.add(part[key].key.spot, what)

    def _source(self, text: str, spot: Spot) -> tuple[int, Stream] | None:
        """The stage, and its stream, that `text` names."""
        name = text.removesuffix(_STDERR)
        stream: Stream = "stdout" if name == text else "stderr"
        position = self._positions.get(name)
        if position is None:
            hint = self._mistakes.suggestion(name, self._positions)
            self._mistakes.add(spot, f"there is no stage {shown(name)}{hint}")
        elif position == self._position:
            self._mistakes.add(spot, f"stage {shown(name)} cannot read from itself")
            return None
        return None if position is None else (position, stream)

    def _link(self, source: int, stream: Stream) -> Link:
        part = self._member.part
        quota = text_of(part.get("quota"))
        on_close: Literal["drop", "stop"] = (
            "stop" if text_of(part.get("on_close")) == "stop" else "drop"
        )
        return Link(
            source,
            self._position,
            stream,
            on_close=on_close,
            buffer="disk" if text_of(part.get("buffer")) == "disk" else "pipe",
            quota_bytes=parse_size(quota) if quota else QUOTA_BYTES,
            framing=_framing(text_of(part.get("merge"))),
        )


def _framing(text: str | None) -> Framing:
    match text:
        case "nul":
            return "nul"
        case "length":
            return "length"
        case _:
            return "lines"


def _check_outputs(
    members: Sequence[Member], edges: Sequence[Edge], scope: Scope
) -> None:
    """Report a file where somebody else reads."""
    seen: set[tuple[int, Stream]] = set()
    for edge in edges:
        source = members[edge.link.source]
        stream = edge.link.stream
        first = (edge.link.source, stream) not in seen
        seen.add((edge.link.source, stream))
        keys = ("stdout", "append") if stream == "stdout" else ("stderr",)
        given = next((key for key in keys if key in source.part), None)
        if first and given:
            name = source.name.text
            what = (
                f"the {stream} of {shown(name)} is read by "
                f"{shown(members[edge.link.target].name.text)}: for a file as well, "
                f"add a stage such as {{run: cat, from: {name}, stdout: FILE}}"
            )
            scope.mistakes.add(source.part[given].key.spot, what)


def _check_circle(
    members: Sequence[Member], edges: Sequence[Edge], scope: Scope
) -> None:
    """Report stages that wait for each other, where one of them says so."""
    circle = circle_in(tuple(edge.link for edge in edges))
    if not circle:
        return
    names = [members[position].name.text for position in (*circle, circle[0])]
    ends = (circle[-1], circle[0])
    spot = next(e.spot for e in edges if (e.link.source, e.link.target) == ends)
    what = f"stages that wait for each other: {' -> '.join(names)}"
    scope.mistakes.add(spot, f"{what}; is it a `coproc`?")
