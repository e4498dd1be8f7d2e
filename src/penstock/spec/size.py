"""Sizes: `64KiB`, `2GiB`, `500MB`, `1.5GB` to bytes, and back.

Imported by the command line's hot path, so it imports nothing.
"""

from __future__ import annotations

_UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_EXAMPLES = "write a size such as `64KiB`, `500MB` or `2GiB`"
_MOST_CHARACTERS = 64
# Sizes are 64-bit in the kernel, and signed where it counts them in pages.
LARGEST = 2**62


def parse_size(text: str) -> int:
    """The bytes that `text` means.

    >>> parse_size("64KiB"), parse_size("1.5MB")
    (65536, 1500000)

    Raises:
        ValueError: with a message for the user, when `text` is not a size.
    """
    number = text[: len(text) - len(text.lstrip("0123456789."))]
    unit = text[len(number) :]
    usual = number.count(".") <= 1 and number.strip(".") and number.isascii()
    if not usual or len(text) > _MOST_CHARACTERS:
        raise ValueError(f"{_shown(text)} is not a size: {_EXAMPLES}")
    if not unit:
        raise ValueError(
            f"`{text}` has no unit: write `{text}MiB`, or `{text}B` for bytes"
        )
    if unit not in _UNITS:
        raise ValueError(
            f"{_shown(text)}: there is no unit {_shown(unit)}{_hint(unit)}"
        )
    size = int(float(number) * _UNITS[unit])
    if size > LARGEST:
        raise ValueError(f"{_shown(text)} is larger than any memory")
    return size


def format_size(size: int) -> str:
    """`size` in the largest unit of 1024 that leaves a number of at least one.

    >>> format_size(65536), format_size(1_500_000), format_size(0)
    ('64KiB', '1.4MiB', '0B')
    """
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size >= _UNITS[unit]:
            number = f"{size / _UNITS[unit]:.1f}".removesuffix(".0")
            return f"{number}{unit}"
    return f"{size}B"


def _hint(unit: str) -> str:
    """What was meant, where `unit` is one but for its letters."""
    for known in _UNITS:
        if unit.lower() == known.lower():
            return f", but `{known}`"
    letter = unit.upper()
    if letter in ("K", "M", "G", "T"):
        return (
            f": write `{letter}iB` for powers of 1024, `{letter}B` for powers of 1000"
        )
    return "; the units are B, KiB, MiB, GiB, TiB and KB, MB, GB, TB"


def _shown(text: str) -> str:
    """`text` between backquotes, short and printable."""
    printable = "".join(c if c.isprintable() else "?" for c in text[:40])
    return f"`{printable}`" if len(text) <= len(printable) else f"`{printable}...`"
