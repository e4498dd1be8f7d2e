"""Syntax: YAML text to a tree, with every mistake of form placed.

The only module that imports PyYAML, and therefore imported only when a file is read.
libyaml's parser serves where PyYAML was built with it, else the pure one: slower, the
same tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from penstock.spec.mistakes import Mistakes, Spot, shown, split_lines
from penstock.spec.tree import Broken, Mapping, Node, Scalar, Sequence, kind_of

MOST_LEVELS = 40

EXAMPLE = """\
jobs:
  hello:
    run: echo hello"""

# What libyaml's reader refuses too (YAML 1.1, c-printable), said before it is asked.
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

_INNER_COLON = (
    "`: ` cannot stand inside a text without quotes: put the whole text in quotes, "
    "or on the next line after `|`"
)
_NEEDS_QUOTES = "put the text in quotes, or on the next line after `|`"


class _TooDeepError(Exception):
    """Reading stops: the mistake is already noted."""


def parse_tree(text: str, mistakes: Mistakes, *, _pure: bool = False) -> Mapping | None:
    """The mapping that `text` consists of; None if it cannot be read as one."""
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        code = f"U+{ord(unprintable[0]):04X}"
        mistakes.add(
            Spot(1, 1).after(text[: unprintable.start()]),
            f'{code} cannot stand in YAML: write it as an escape inside of "..."',
        )
        return None
    reader = _Reader(text, _events(text, pure=_pure), mistakes)
    try:
        return reader.document()
    except yaml.MarkedYAMLError as error:
        _add_syntax_error(error, text, mistakes)
    except (ValueError, OverflowError):  # by chr(), in the pure loader
        mistakes.add(None, "an escape such as \\UFFFFFFFF stands for no character")
    except _TooDeepError:
        pass
    return None


def _events(text: str, *, pure: bool) -> Iterator[yaml.Event]:
    if pure or not yaml.__with_libyaml__:
        return yaml.parse(text, Loader=yaml.SafeLoader)
    return yaml.parse(text, Loader=yaml.CSafeLoader)


class _Reader:
    """Builds one tree from the events of one document."""

    def __init__(
        self, text: str, events: Iterator[yaml.Event], mistakes: Mistakes
    ) -> None:
        self._text = text
        self._events = events
        self._mistakes = mistakes
        self._level = 0

    def document(self) -> Mapping | None:
        """The top of the document, which must be its only one, and a mapping."""
        next(self._events)  # the start of the stream
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            self._mistakes.add(
                Spot(1, 1),
                f"the file defines nothing; the least it can be is:\n{EXAMPLE}",
            )
            return None
        top = self._node(next(self._events))
        next(self._events)  # the end of the document
        after = next(self._events)
        if isinstance(after, yaml.DocumentStartEvent):
            self._mistakes.add(
                _spot(after), "a second document begins here: a file holds one"
            )
        return self._as_mapping(top)

    def _as_mapping(self, top: Node) -> Mapping | None:
        if isinstance(top, Mapping):
            return top
        if not isinstance(top, Broken):
            what = "expected the keys `vars`, `defaults` and `jobs`; found "
            self._mistakes.add(top.spot, what + kind_of(top))
        return None

    def _node(self, event: yaml.Event) -> Node:
        """The node that begins with `event`; reads on to the node's end."""
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"`*{event.anchor}` would be an alias, and these are")
            return Broken(_spot(event))
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_properties(event)
            return _scalar(event)
        self._go_deeper(event)
        node = self._collection(event)
        self._level -= 1
        return node

    def _collection(self, event: yaml.Event) -> Node:
        spot = _spot(event)
        if isinstance(event, yaml.MappingStartEvent):
            if self._is_placeholder(event):
                return self._skipped(spot)
            self._refuse_properties(event)
            return Mapping(tuple(self._entries()), spot)
        self._refuse_properties(event)
        items: list[Node] = []
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(item))
        return Sequence(tuple(items), spot)

    def _entries(self) -> Iterator[tuple[Scalar, Node]]:
        """Keys with their values, up to the end of the mapping; each key once."""
        first: dict[str, Spot] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event)
            value = self._node(next(self._events))
            if not isinstance(key, Scalar):
                if not isinstance(key, Broken):
                    self._mistakes.add(
                        key.spot, "a key must be a name, not a list or map"
                    )
            elif key.text == "<<" and key.plain:
                self._mistakes.add(key.spot, "merge keys (`<<`) are not supported")
            elif key.text in first:
                line = first[key.text].line
                self._mistakes.add(
                    key.spot,
                    f"{shown(key.text)} stands here twice, first on line {line}",
                )
            else:
                first[key.text] = key.spot
                yield key, value

    def _is_placeholder(self, event: yaml.MappingStartEvent) -> bool:
        """Whether `{{` was meant to begin a text; to YAML it is a map in a map."""
        start = _index(event)
        if not event.flow_style or self._text[start : start + 2] != "{{":
            return False
        name = self._text[start : start + 60].partition("}}")[0].splitlines()[0]
        self._mistakes.add(
            _spot(event),
            "a text that begins with `{{` must be in quotes, or YAML takes it for a "
            f'map: "{name}}}}}..."',
        )
        return True

    def _skipped(self, spot: Spot) -> Broken:
        """Reads to the end of the mapping just begun, and keeps nothing of it."""
        depth = 1
        while depth:
            event = next(self._events)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
        return Broken(spot)

    def _go_deeper(self, event: yaml.Event) -> None:
        self._level += 1
        if self._level > MOST_LEVELS:
            self._mistakes.add(
                _spot(event), f"nested more than {MOST_LEVELS} levels deep"
            )
            raise _TooDeepError

    def _refuse_properties(self, event: yaml.Event) -> None:
        anchor = event.anchor if isinstance(event, yaml.NodeEvent) else None
        tagged = yaml.ScalarEvent | yaml.CollectionStartEvent
        if anchor is not None:
            self._refuse(event, f"`&{anchor}` would be an anchor, and these are")
        elif isinstance(event, tagged) and event.tag is not None:
            self._refuse(event, "`!` would begin a tag, and these are")

    def _refuse(self, event: yaml.Event, what: str) -> None:
        self._mistakes.add(
            _spot(event), f"{what} not supported; if it is text, {_NEEDS_QUOTES}"
        )


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    end = event.end_mark.index if event.end_mark else 0
    # The pure parser says None where libyaml says "".
    return Scalar(event.value, not event.style, _spot(event), _index(event), end)


def _spot(event: yaml.Event) -> Spot:
    mark = event.start_mark
    return Spot(mark.line + 1, mark.column + 1) if mark else Spot(1, 1)


def _index(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _add_syntax_error(
    error: yaml.MarkedYAMLError, text: str, mistakes: Mistakes
) -> None:
    """Note what the parser stumbled over, unless it follows from what is noted."""
    problem, mark = error.problem or "unreadable", error.problem_mark
    if "unexpected end of stream" in problem:
        problem, mark = "this quote is never closed", error.context_mark
    spot = Spot(mark.line + 1, mark.column + 1) if mark else Spot(1, 1)
    if not mistakes.has_any_on(spot.line):
        lines = [*split_lines(text), ""]
        mistakes.add(spot, _explained(problem, lines[spot.line - 1], spot))


def _explained(problem: str, line: str, spot: Spot) -> str:
    """What went wrong at `spot`, in words that say what to do."""
    char = line[spot.column - 1 : spot.column]
    indent = line[: len(line) - len(line.lstrip())]
    if char == "\t" or "\t" in indent:
        return "a tab: YAML is indented with spaces only"
    if problem.startswith("mapping values are not allowed"):
        return _INNER_COLON
    if "cannot start any token" in problem:
        return f"a text cannot begin with {shown(char)}: {_NEEDS_QUOTES}"
    if char == "{" and "{{" in line:
        return f"`{{{{` needs quotes inside of {{...}} or [...]: {_NEEDS_QUOTES}"
    return f"not valid YAML: {problem}"
