"""Durations: `500ms`, `10s`, `2m`, `1h30m`, `1.5s` to seconds and back.

Imported by the command line's hot path, so it imports nothing.
"""

from __future__ import annotations

# Largest first: that is also the order in which they must be written.
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_MS_IN_SECOND = 1000
_DIGITS = frozenset("0123456789.")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_EXAMPLES = "write a time such as `500ms`, `10s`, `1.5m` or `1h30m`"

# What is not zero stays at least this, so that a limit is never lost in rounding.
SHORTEST = 1e-9
# No honest duration is longer; float() is slow on a megabyte of digits.
_MOST_CHARACTERS = 64
# A century; far below what overflows in a system call that counts in milliseconds.
LONGEST = 36_500 * 86400.0


def parse_duration(text: str, *, bare_seconds: bool = False) -> float:
    """The seconds that `text` means; a bare number only where `bare_seconds`.

    >>> parse_duration("1h30m")
    5400.0
    >>> parse_duration("0.5", bare_seconds=True)
    0.5

    Raises:
        ValueError: with a message for the user, when `text` is not a duration.
    """
    if text.startswith("-"):
        raise ValueError(f"{_shown(text)} is negative: {_EXAMPLES}")
    if not text or text[0] not in _DIGITS or len(text) > _MOST_CHARACTERS:
        raise ValueError(f"{_shown(text)} is not a time: {_EXAMPLES}")
    total = _sum_of_parts(text, bare_seconds=bare_seconds)
    if total > LONGEST:
        raise ValueError(f"{_shown(text)} is too long: at most 36500 days")
    if total < SHORTEST and _has_nonzero_digit(text):
        return SHORTEST
    return total


def format_duration(seconds: float) -> str:
    """`seconds` as it would be written in a definition.

    >>> format_duration(5400), format_duration(0.5), format_duration(61.25)
    ('1h30m', '500ms', '1m1.25s')
    """
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds > 0 and round(seconds * 1000, 3) < _MS_IN_SECOND:
        return _trimmed(f"{seconds * 1000:.3f}", "ms", least="0.001ms")
    rest = round(seconds * 1000)
    parts: list[str] = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        parts.append(_trimmed(f"{rest / 1000:.3f}", "s", least="0s"))
    return "".join(parts)


def _sum_of_parts(text: str, *, bare_seconds: bool) -> float:
    """Every number times its unit, added up."""
    total = 0.0
    last = float("inf")
    at = 0
    while at < len(text):
        number, at = _run_of(_DIGITS, text, at)
        unit, at = _run_of(_LETTERS, text, at)
        value = _number(number, text)
        if bare_seconds and number == text:
            return value
        size = _size(unit, number, text)
        if size >= last:
            raise ValueError(f"{_shown(text)}: write each unit once, the largest first")
        last = size
        total += value / 1000 if unit == "ms" else value * size
    return total


def _run_of(kind: frozenset[str], text: str, start: int) -> tuple[str, int]:
    """The longest run of characters of that kind from `start`, and where it ends."""
    end = start
    while end < len(text) and text[end] in kind:
        end += 1
    return text[start:end], end


def _number(number: str, text: str) -> float:
    """The value of `number`, which consists of digits and points."""
    if number.count(".") > 1 or not number.strip("."):
        raise ValueError(f"{_shown(text)} is not a time: {_EXAMPLES}")
    return float(number)


def _size(unit: str, number: str, text: str) -> float:
    """The seconds in one `unit`."""
    if not unit and text.endswith(number):
        shown = _shown(text) if number == text else f"`{number}` in {_shown(text)}"
        raise ValueError(
            f"{shown} has no unit: write `{number}s` for seconds, "
            f"`{number}m` for minutes, `{number}h` for hours"
        )
    if unit not in _UNITS:
        reason = f"there is no unit `{unit}`" if unit else "this is not a time"
        raise ValueError(f"{_shown(text)}: {reason}; the units are ms, s, m, h and d")
    return _UNITS[unit]


def _has_nonzero_digit(text: str) -> bool:
    return any(digit in text for digit in "123456789")


def _trimmed(number: str, unit: str, *, least: str) -> str:
    """`number` without needless zeros; `least` where nothing remains of it."""
    digits = number.rstrip("0").rstrip(".")
    return least if digits in ("0", "") else digits + unit


def _shown(text: str) -> str:
    """`text` between backquotes, short and printable."""
    printable = "".join(c if c.isprintable() else "?" for c in text[:40])
    return f"`{printable}`" if len(text) <= len(printable) else f"`{printable}...`"
