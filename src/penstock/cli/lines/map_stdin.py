"""The options of ``penstock map`` about what jobs read on their standard input."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.cli.options import read_size
from penstock.cli.syntax import Option

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "K": 2**10,
    "M": 2**20,
    "G": 2**30,
    "T": 2**40,
}
_MOST_DIGITS = 9


def read_amount(texts: Sequence[str]) -> int:
    """Bytes: a size as everywhere, or as GNU parallel has it: `1M`, `10k`, `4096`."""
    text = texts[-1]
    digits = text.rstrip("".join(_UNITS))
    unit = _UNITS.get(text[len(digits) :])
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS
    if unit is None or not is_number or not int(digits):
        return read_size(texts)
    return int(digits) * unit


def read_mark(texts: Sequence[str]) -> str:
    """Any text, also an empty one."""
    return texts[-1]


STDIN_OPTIONS = (
    Option(
        "pipe",
        ("--pipe",),
        "Cut the input into blocks of whole records, and let each job read one on its "
        "standard input.",
    ),
    Option(
        "block",
        ("--block",),
        "With --pipe: how much a block holds at the most, unless a single record is "
        "larger. 64KiB; or 10k, 1M as in GNU parallel. [default: 1MiB]",
        read_amount,
        "SIZE",
    ),
    Option(
        "recend",
        ("--recend",),
        r"With --pipe: what a record ends with; escapes as in -d. [default: \n]",
        read_mark,
        "TEXT",
    ),
    Option(
        "recstart",
        ("--recstart",),
        "With --pipe: what a record begins with; escapes as in -d.",
        read_mark,
        "TEXT",
    ),
    Option(
        "regexp",
        ("--regexp",),
        "With --pipe: --recend and --recstart are regular expressions.",
    ),
    Option(
        "stdin",
        ("--stdin",),
        "Let each job read its values on its standard input, a line for each.",
    ),
)
