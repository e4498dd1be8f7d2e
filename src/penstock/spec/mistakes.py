"""Mistakes: everything that is wrong with a definition, placed and shown.

A mistake reads `FILE:LINE:COL: what was found, what was expected`, and shows the line
with a caret below. They are collected, so that one reading reports them all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from penstock.errors import DefinitionError
from penstock.typed import NamedTuple

# What YAML counts as the end of a line (1.1, section 5.4): its line numbers follow it.
_BREAKS = "\n\r\x85\u2028\u2029"
_WIDTH = 100
# Comparing every unknown name with every known one must not take minutes.
_COMPARISONS = 100_000
# ... nor one long name, as the comparison is quadratic.
_LONGEST_NAME = 60


class Spot(NamedTuple):
    """Where in the text something stands; both count from 1."""

    line: int
    column: int

    def after(self, text: str) -> Spot:
        """The spot that follows `text`, when that begins here."""
        lines = split_lines(text)
        begin = self.column if len(lines) == 1 else 1
        return Spot(self.line + len(lines) - 1, begin + len(lines[-1]))


class Mistakes:
    """Collects what is wrong with the text of one file.

    Invariant: nothing is dropped, but what was said of that spot already; `settle`
    raises if and only if anything was added.

    Attributes:
        file: its name.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._found: dict[tuple[Spot | None, str], None] = {}  # a set in order
        self._comparisons = 0

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, spot: Spot | None, what: str) -> None:
        """Note a mistake at `spot`; None for what stands nowhere in the file."""
        self._found[spot, what] = None

    def add_all(self, others: Mistakes) -> None:
        """Note what `others` found in the same text."""
        self._found.update(others._found)

    def place_of(self, other: Mistakes, spot: Spot) -> str:
        """Where `spot` of the text of `other` is, for a message about this one."""
        same = other.file == self.file
        return f"on line {spot.line}" if same else f"in {other.file}:{spot.line}"

    def has_any_on(self, line: int) -> bool:
        """Whether a mistake on that line is already known."""
        return any(spot is not None and spot.line == line for spot, _ in self._found)

    def suggestion(self, name: str, known: Collection[str]) -> str:
        """`; did you mean ...?` if one of `known` is like `name`, else nothing."""
        self._comparisons += len(known)
        return "" if self._comparisons > _COMPARISONS else did_you_mean(name, known)

    def settle(self) -> None:
        """Raise what was found, in the order of the file.

        Raises:
            DefinitionError: if anything was.
        """
        settle((self,))

    def printed(self) -> tuple[str, ...]:
        """Each mistake with its line, in the order of the file."""
        if not self._found:
            return ()
        lines = split_lines(self._text)
        found = sorted(self._found, key=lambda item: item[0] or Spot(0, 0))
        return tuple(self._printed(*item, lines) for item in found)

    def _printed(self, spot: Spot | None, what: str, lines: list[str]) -> str:
        if spot is None:
            return f"{self.file}: {what}"
        head = f"{self.file}:{spot.line}:{spot.column}: {what}"
        line = lines[spot.line - 1] if spot.line <= len(lines) else ""
        return f"{head}\n{_pointed_at(line, spot.column)}" if line else head


def settle(files: Iterable[Mistakes]) -> None:
    """Raise what was found in all of the files.

    Raises:
        DefinitionError: if anything was.
    """
    found = tuple(one for mistakes in files for one in mistakes.printed())
    if found:
        raise DefinitionError(found)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` if one of `known` is like `name`, else nothing."""
    # difflib loads `re`: only who made a mistake waits for it.
    from difflib import get_close_matches  # noqa: PLC0415

    if len(name) > _LONGEST_NAME:
        return ""
    short = [other for other in known if len(other) <= _LONGEST_NAME]
    found = get_close_matches(name, short, n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else ""


def shown(text: str, most: int = 40) -> str:
    """`text` between backquotes, on one line, printable and not too long."""
    short = text if len(text) <= most else text[:most] + "..."
    return f"`{_printable(short)}`"


def listed(names: Iterable[str]) -> str:
    """The names between backquotes: `a`, `b` and `c`."""
    *most, last = (f"`{name}`" for name in names)
    return f"{', '.join(most)} and {last}" if most else last


def split_lines(text: str) -> list[str]:
    """The lines of `text`, cut where YAML cuts them."""
    for other in _BREAKS[2:]:
        text = text.replace(other, "\n")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _pointed_at(line: str, column: int) -> str:
    """`line`, or the part of it round `column`, and a caret below."""
    start = max(0, column - _WIDTH * 3 // 4)
    part = _printable(line[start : start + _WIDTH])
    before, after = "..." * (start > 0), "..." * (start + _WIDTH < len(line))
    caret = " " * (len(before) + column - 1 - start) + "^"
    return f"    {before}{part}{after}\n    {caret}"


def _printable(text: str) -> str:
    """`text` in as many columns, without what would confuse a terminal."""
    blanks = text.replace("\t", " ").replace("\n", " ")
    return "".join(char if char.isprintable() else "?" for char in blanks)
