"""Replacement strings: `{}`, `{.}`, `{2/}`, `{#}` in a command, and filling them in.

As in GNU parallel: {} the value; {.} without its extension; {/} its base name; {//} its
directory; {/.} base name without extension; {1} {-1} {1/.} of one value by position;
{name} by the header of its column; {#} the number of the job; {%} the number of its
slot. A command is read once, and then filled in for each job. Where it is nothing but
words, it is run without a shell; else every value is quoted for where it stands.

Part of the hot path, so it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.model.command import Command
from penstock.spec.edits import EDITS, SUFFIXES
from penstock.spec.quoting import quote_at
from penstock.spec.sh_text import PLACE, SAFE, Quoting, Unknown, Unquoted, places_in
from penstock.spec.words import SHELL, split_words
from penstock.typed import NamedTuple

VALUE = "{}"
_STAND_IN = "\ue000"  # for a place, where no control character may be
_LONGEST = 200  # looking further for a closing brace would make many `{` quadratic
_MOST_DIGITS = 6

Records = Sequence[Sequence[str]]
"""What a job is given: records, of one value or more (its columns) each."""


class Filling(NamedTuple):
    """What there is to fill in for one job.

    Attributes:
        records: see `Records`.
        number: of the job, from 1.
        slot: from 1; 0 where no command asks for it.
    """

    records: Records
    number: int
    slot: int = 0

    def value(self, position: int) -> str:
        """The value at `position`: 1 is the first one, -1 the last; "" if none is."""
        values = [value for record in self.records for value in record]
        at = position - 1 if position > 0 else len(values) + position
        return values[at] if 0 <= at < len(values) else ""


class Blank(NamedTuple):
    """A place to fill in.

    Attributes:
        text: as it is written.
        what: "value", "number" or "slot".
        position: of one value; None for every record, one after the other.
        edit: key of `EDITS`.
    """

    text: str
    what: str = "value"
    position: int | None = None
    edit: str = ""

    def values(self, filling: Filling) -> list[list[str]]:
        """What comes here: the values of each record, or a single one."""
        if self.what == "number":
            return [[str(filling.number)]]
        if self.what == "slot":
            return [[str(filling.slot)]]
        edit = EDITS[self.edit]
        if self.position is not None:
            return [[edit(filling.value(self.position))]]
        return [[edit(value) for value in each] or [""] for each in filling.records]

    def texts(self, filling: Filling) -> list[str]:
        """The same, a text for each record: its values with spaces between them."""
        return [" ".join(values) for values in self.values(filling)]


Piece = str | Blank


def read_blanks(
    text: str, names: Mapping[str, int] | None = None, value: str = VALUE
) -> tuple[Piece, ...]:
    """`text` cut into what is literal and what is to be filled in.

    Args:
        text: of a command.
        names: of columns, with their positions.
        value: what stands for the value: `{}`, or what `-I` says.
    """
    pieces: list[Piece] = []
    literal = at = 0
    marks = (value[0], "{") if value else ("{",)
    while at < len(text):
        if text[at] not in marks:
            at += 1
            continue
        blank = _blank_at(text, at, names or {}, value)
        if blank is None:
            at += 1
            continue
        pieces += [text[literal:at], blank] if at > literal else [blank]
        literal = at = at + len(blank.text)
    return (*pieces, text[literal:]) if literal < len(text) else tuple(pieces)


def _blank_at(text: str, at: int, names: Mapping[str, int], value: str) -> Blank | None:
    """The blank that begins there, if that is one."""
    if value and text.startswith(value, at):
        return Blank(value)
    end = text.find("}", at, at + _LONGEST)
    if text[at] != "{" or end < 0:
        return None
    written, inner = text[at : end + 1], text[at + 1 : end]
    if inner in ("#", "%"):
        return Blank(written, "number" if inner == "#" else "slot")
    for edit in SUFFIXES:
        name = inner.removesuffix(edit)
        if edit and name == inner:
            continue
        if not name and edit:
            return Blank(written, edit=edit)
        position = names[name] if name in names else _position(name)
        if position:
            return Blank(written, position=position, edit=edit)
    return None


def _position(text: str) -> int:
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS
    return int(text) if is_number else 0


def fill_plain(pieces: Sequence[Piece], filling: Filling) -> str:
    """The text with the values put in as they are, for no shell to read."""
    return "".join(
        p if isinstance(p, str) else " ".join(p.texts(filling)) for p in pieces
    )


class CommandTemplate:
    """A command of which some parts are known for each job only.

    Args:
        pieces: from `read_blanks`.
        joined: records stand side by side in a word, which otherwise is repeated.
        shell: what reads the command, in any case; None: sh, if it needs one.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        *,
        joined: bool = False,
        shell: tuple[str, ...] | None = None,
    ) -> None:
        self.blanks = tuple(p for p in pieces if isinstance(p, Blank))
        text = "".join(p if isinstance(p, str) else PLACE for p in pieces)
        quotings = places_in(text)
        self._parts = _parts(text.split(PLACE), self.blanks, quotings, joined=joined)
        is_text = joined or shell is not None
        self._words = None if is_text else _words(text, self.blanks, quotings)
        self._shell = (*(shell or (SHELL,)), "-c")

    def text(self, filling: Filling) -> str:
        """The text for a shell.

        Raises:
            UnquotableError: a value cannot be put where it is to stand.
        """
        return "".join(
            p if isinstance(p, str) else p.text(filling) for p in self._parts
        )

    def fill(self, filling: Filling, env: tuple[tuple[str, str], ...] = ()) -> Command:
        """The command of one job, with `env` over its environment."""
        text = self.text(filling)
        if self._words is None:
            return Command((*self._shell, text), text, env)
        argv: list[str] = []
        for word in self._words:
            if isinstance(word, str):
                argv.append(word)
            else:
                argv.extend(word.words(filling))
        return Command(tuple(argv), text, env)


class UnquotableError(ValueError):
    """A value cannot be put where it is to stand: no quoting is safe there."""


def _plain(value: str, reason: str) -> str:
    """A value of which nothing needs quotes, for a place where none would help."""
    if SAFE.issuperset(value):
        return value
    raise UnquotableError(f"`{value}` cannot be put in: {reason}")


class _Word(NamedTuple):
    """A word with one blank in it, or more: repeated for each record."""

    literals: tuple[str, ...]
    blanks: tuple[Blank, ...]

    def words(self, filling: Filling) -> list[str]:
        if len(self.blanks) == 1:
            before, after = self.literals
            words: list[str] = []
            for values in self.blanks[0].values(filling):
                first, *more = values
                filled = [before + first, *more]
                filled[-1] += after
                words += filled
            return words
        first, *rest = self.literals
        filled = [first]
        for blank, literal in zip(self.blanks, rest, strict=True):
            filled += (" ".join(blank.texts(filling)), literal)
        return ["".join(filled)]


class _Part(NamedTuple):
    """A blank in a shell text, with what of its word is repeated for each record."""

    blank: Blank
    quoting: Quoting
    before: str
    after: str

    def text(self, filling: Filling) -> str:
        blank, quoting = self.blank, self.quoting
        if isinstance(quoting, Unknown):
            return _plain(" ".join(blank.texts(filling)), quoting.reason)
        if not isinstance(quoting, Unquoted):
            text = " ".join(blank.texts(filling))
            return quote_at(quoting, text, written=blank.text)
        filled = []
        for values in blank.values(filling):
            words = [quote_at(quoting, value, written=blank.text) for value in values]
            filled.append(self.before + " ".join(words) + self.after)
        return " ".join(filled)


def _parts(
    literals: list[str],
    blanks: Sequence[Blank],
    quotings: Sequence[Quoting],
    *,
    joined: bool,
) -> tuple[str | _Part, ...]:
    """Literals and blanks in turn; a word that is repeated belongs to its blank."""
    parts: list[str | _Part] = []
    for at, (blank, quoting) in enumerate(zip(blanks, quotings, strict=True)):
        before = after = ""
        if isinstance(quoting, Unquoted) and not joined:
            ends = literals[at].endswith(quoting.before)
            starts = literals[at + 1].startswith(quoting.after)
            if ends and starts and quoting.plain:
                before, after = quoting.before, quoting.after
                literals[at] = literals[at].removesuffix(before)
                literals[at + 1] = literals[at + 1].removeprefix(after)
        parts += (literals[at], _Part(blank, quoting, before, after))
    return (*parts, literals[-1])


def _words(
    text: str, blanks: Sequence[Blank], quotings: Sequence[Quoting]
) -> tuple[str | _Word, ...] | None:
    """The argv, as far as it is known; None if a shell is needed."""
    if _STAND_IN in text:
        return None
    split = split_words(text.replace(PLACE, _STAND_IN))
    if split is None or _STAND_IN in split[0]:
        return None
    words: list[str | _Word] = []
    left = iter(zip(blanks, quotings, strict=True))
    for word in split:
        literals = tuple(word.split(_STAND_IN))
        here = [next(left) for _ in literals[1:]]
        several = [b for b, _ in here if b.what == "value" and b.position is None]
        bare = all(isinstance(quoting, Unquoted) for _, quoting in here)
        if several and not (bare and len(here) == 1):
            return None  # how often the word is repeated is for the shell's text to say
        words.append(
            _Word(literals, tuple(blank for blank, _ in here)) if here else word
        )
    return tuple(words)
