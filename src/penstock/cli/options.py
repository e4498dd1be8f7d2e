"""The values that options have: what more than one subcommand understands.

The `read_…` functions make a value of the texts given for one option, in order; of a
text that cannot be one they say what it is and what was expected. Which option has
which is in `lines`.

Part of the hot path, so it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from penstock.spec.duration import parse_duration

DEFAULT_FILE = "penstock.yaml"

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_MOST_DIGITS = 6  # no machine has a million CPUs; int() is slow on a megabyte of digits


class Jobs(NamedTuple):
    """How many jobs at once: `percent` of the CPUs, and `more`."""

    percent: int
    more: int

    def resolve(self, cpus: int) -> int:
        """The number, on that many CPUs; at least 1."""
        return max(1, cpus * self.percent // 100 + self.more)


class Answer(NamedTuple):
    """What there is to say to a line that asks for nothing else: help, or an error."""

    status: int
    out: str = ""
    err: str = ""


def read_flag(texts: Sequence[str]) -> bool:
    """That it was given."""
    return bool(texts)


def read_duration(texts: Sequence[str]) -> float:
    """Seconds."""
    return parse_duration(texts[-1], bare_seconds=True)


def read_timeout(texts: Sequence[str]) -> float | None:
    """Seconds; 0 stands for no limit, as for timeout(1)."""
    return read_duration(texts) or None


def read_path(texts: Sequence[str]) -> str:
    """A name that a file may have."""
    if not texts[-1]:
        raise ValueError("expected the name of a file, found an empty text")
    return texts[-1]


def read_jobs(texts: Sequence[str]) -> Jobs:
    """`4`; `50%` of the CPUs; `+1` or `-1`, that many more than CPUs (GNU parallel)."""
    text = texts[-1]
    if _is_number(text) and int(text):
        return Jobs(0, int(text))
    if text.endswith("%") and _is_number(text[:-1]):
        return Jobs(int(text[:-1]), 0)
    if text.startswith(("+", "-")) and _is_number(text[1:]):
        return Jobs(100, int(text))
    raise ValueError(
        f"{_shown(text)} is not a number of jobs: write `4`, or `50%` of the CPUs, "
        "or `+1` or `-1` to have more or fewer than CPUs"
    )


def read_settings(texts: Sequence[str]) -> Mapping[str, str]:
    """Each `NAME=VALUE`; of one name, the last."""
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise ValueError(f"{_shown(text)} sets nothing: write `NAME=VALUE`")
        settings[name] = value
    return settings


def read_commands(texts: Sequence[str]) -> tuple[str, ...]:
    """Commands as for sh, none of them blank."""
    if not all(text.strip() for text in texts):
        raise ValueError("expected a command such as `sort -u`, found a blank text")
    return tuple(texts)


def _is_number(text: str) -> bool:
    """Digits, and not too many of them; int() knows far more than that."""
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def _shown(text: str) -> str:
    from penstock.spec.mistakes import shown  # noqa: PLC0415 (only for a mistake)

    return shown(text)
