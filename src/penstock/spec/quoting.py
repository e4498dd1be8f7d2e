r"""Quoting: puts values into a shell text so that each stays a mere value.

outside of quotes    'value'; bare where the word stays a plain word
inside '...'         the quote is closed round each ' of the value
inside "..."         \ before each of $ ` " \
inside $(...)        as outside of quotes, to any depth
in a # comment       left as it is written
elsewhere            refused (see `sh_text`)
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.spec.sh_text import (
    PLACE,
    SAFE,
    InComment,
    InDouble,
    InSingle,
    Quoting,
    Unknown,
    places_in,
)
from penstock.spec.template import Slot, Template
from penstock.spec.words import RESERVED

# An apostrophe inside of '...'; not '\'', which would not do without a shell.
_APOSTROPHE = "'\"'\"'"


class UnquotableSlotError(ValueError):
    """A value cannot be put there safely.

    Attributes:
        slot: the place.
        reason: why, in words.
    """

    def __init__(self, slot: Slot, reason: str) -> None:
        super().__init__(reason)
        self.slot = slot
        self.reason = reason


def fill_shell(template: Template, values: Mapping[str, str]) -> str:
    """The shell text of `template`, every value quoted for where it stands.

    Raises:
        UnquotableSlotError: for a place where no quoting is safe in every shell.
    """
    # What is put in raw is text of the command, and can itself open a quote.
    pieces = [_raw(piece, values) for piece in template]
    slots = [piece for piece in pieces if isinstance(piece, Slot)]
    text = "".join(p if isinstance(p, str) else PLACE for p in pieces)
    if not slots:
        return text
    first, *others = text.split(PLACE)
    filled = [first]
    for slot, quoting, rest in zip(slots, places_in(text), others, strict=True):
        filled += (_quoted(slot, quoting, slot.value(values)), rest)
    return "".join(filled)


def quote(value: str) -> str:
    """`value` as one word of a shell text, bare where it is plain.

    >>> quote("a b"), quote("a.b")
    ("'a b'", 'a.b')
    """
    if value and SAFE.issuperset(value):
        return value
    return _in_single(value)


def _in_single(value: str) -> str:
    return "'" + value.replace("'", _APOSTROPHE) + "'"


def _raw(piece: str | Slot, values: Mapping[str, str]) -> str | Slot:
    if isinstance(piece, Slot) and piece.raw:
        return piece.value(values)
    return piece


def _quoted(slot: Slot, quoting: Quoting, value: str) -> str:
    """What to write at `slot` for `value`."""
    if isinstance(quoting, Unknown):
        raise UnquotableSlotError(slot, quoting.reason)
    return quote_at(quoting, value, written=slot.text)


def quote_at(quoting: Quoting, value: str, *, written: str) -> str:
    """What to write for `value` at a place that is quoted so, and not `Unknown`.

    Args:
        quoting: of the place.
        value: what shall stand there.
        written: what stands there now, which a comment keeps.
    """
    if isinstance(quoting, (InComment, Unknown)):
        return written
    if isinstance(quoting, InSingle):
        return value.replace("'", _APOSTROPHE)
    if isinstance(quoting, InDouble):
        return _in_double(value, quoting)
    word = quoting.before + value + quoting.after
    stays_plain = quoting.plain and word not in RESERVED
    return quote(value) if stays_plain else _in_single(value)


def _in_double(value: str, quoting: InDouble) -> str:
    for char in '\\$`"':
        value = value.replace(char, "\\" + char)
    return '""' + value if quoting.after_name else value
