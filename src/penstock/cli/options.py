"""The values that options have: what more than one subcommand understands.

The `read_…` functions make a value of the texts given for one option, in order; of a
text that cannot be one they say what it is and what was expected. Which option has
which is in `lines`.

Part of the hot path, so it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from penstock.model.job import LEAKS, Leaks
from penstock.model.signals import signal_number
from penstock.plan.halt import Halt
from penstock.spec.duration import parse_duration
from penstock.typed import NamedTuple

DEFAULT_FILE = "penstock.yaml"

ISOLATIONS = ("pidns", "cgroup")
OUTPUTS = ("group", "line", "live", "quiet")
PROGRESS = ("auto", "never", "always")

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_LEAST_NICE, _MOST_NICE = -20, 19  # setpriority(2)
_MOST_DIGITS = 6  # no machine has a million CPUs; int() is slow on a megabyte of digits


class Jobs(NamedTuple):
    """How many jobs at once: `percent` of the CPUs, and `more`."""

    percent: int
    more: int

    def resolve(self, cpus: int) -> int:
        """The number, on that many CPUs; at least 1."""
        return max(1, cpus * self.percent // 100 + self.more)


class Share(NamedTuple):
    """A part of the median of the jobs that have succeeded; more than 0 percent."""

    percent: float


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


def read_timeout_or_share(texts: Sequence[str]) -> float | Share | None:
    """Seconds, or `200%` of the median of other jobs."""
    text = texts[-1]
    if not text.endswith("%"):
        return read_timeout(texts)
    whole, _, part = text[:-1].partition(".")
    known = _is_number(whole) and (_is_number(part) or text[:-1] == whole)
    percent = float(text[:-1]) if known else 0.0
    if not percent:
        raise ValueError(
            f"{_shown(text)} is no part of the median: write `200%` for twice of it"
        )
    return Share(percent)


def read_size(texts: Sequence[str]) -> int:
    """Bytes, more than 0."""
    from penstock.spec.size import parse_size  # noqa: PLC0415 (seldom given)

    size = parse_size(texts[-1])
    if not size:
        raise ValueError("a size of 0 leaves nothing; for no limit, leave it out")
    return size


def read_signal(texts: Sequence[str]) -> int:
    """The number of a signal, given by that or by its name."""
    number = signal_number(texts[-1])
    if number is None:
        expected = "write a name or a number, such as INT or SIGUSR1 or 2"
        raise ValueError(f"{_shown(texts[-1])} is not a signal: {expected}")
    return number


def read_niceness(texts: Sequence[str]) -> int:
    """What nice(2) may be given."""
    text = texts[-1]
    digits = text[1:] if text[:1] in ("-", "+") else text
    if _is_number(digits) and _LEAST_NICE <= int(text) <= _MOST_NICE:
        return int(text)
    raise ValueError(f"{_shown(text)} is not a whole number from -20 to 19")


def read_leaks(texts: Sequence[str]) -> Leaks:
    """One of the four words."""
    for word in LEAKS:
        if word == texts[-1]:
            return word
    known = ", ".join(LEAKS)
    raise ValueError(f"{_shown(texts[-1])} is none of {known}")


def read_path(texts: Sequence[str]) -> str:
    """A name that a file may have."""
    if not texts[-1]:
        raise ValueError("expected the name of a file, found an empty text")
    return texts[-1]


def read_isolation(texts: Sequence[str]) -> str | None:
    """A layer of `ISOLATIONS`; None for none."""
    if texts[-1] == "none":
        return None
    if texts[-1] in ISOLATIONS:
        return texts[-1]
    known = ", ".join(("none", *ISOLATIONS))
    raise ValueError(f"{_shown(texts[-1])} is no isolation: write one of {known}")


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


def read_jobserver(texts: Sequence[str]) -> str:
    """`off`, `fifo` or `pipe`."""
    return _one_of(("off", "fifo", "pipe"), texts[-1])


def read_output(texts: Sequence[str]) -> str:
    """One of `OUTPUTS`."""
    return _one_of(OUTPUTS, texts[-1])


def read_progress(texts: Sequence[str]) -> str:
    """One of `PROGRESS`."""
    return _one_of(PROGRESS, texts[-1])


def read_text(texts: Sequence[str]) -> str:
    """Any text but an empty one."""
    if not texts[-1]:
        raise ValueError("expected a text, found an empty one")
    return texts[-1]


def read_paths(texts: Sequence[str]) -> tuple[str, ...]:
    """Names that files may have."""
    return tuple(read_path((text,)) for text in texts)


def read_header(texts: Sequence[str]) -> str:
    """A colon: all of the first record, as GNU parallel has it."""
    if texts[-1] != ":":
        raise ValueError(f"{_shown(texts[-1])} is no header: write `--header :`")
    return texts[-1]


def read_count(texts: Sequence[str]) -> int:
    """A number, 1 at least."""
    text = texts[-1]
    if _is_number(text) and int(text):
        return int(text)
    raise ValueError(f"{_shown(text)} is not a number from 1 to 999999")


def read_delimiter(texts: Sequence[str]) -> bytes:
    """A text with escapes in it."""
    from penstock.spec.escapes import unescape  # noqa: PLC0415 (only if used)

    return unescape(read_text(texts))


def read_halt(texts: Sequence[str]) -> Halt | None:
    """`never`, or `now,fail=1`, `soon,success=3`, `now,done=50%` (GNU parallel)."""
    text = texts[-1]
    if text == "never":
        return None
    when, _, what = text.partition(",")
    on, _, number = what.partition("=")
    share = number.endswith("%")
    digits = number.removesuffix("%") or ("1" if what == on else "")
    known = when in ("now", "soon") and on in ("fail", "success", "done")
    if not known or not _is_number(digits) or not int(digits):
        raise ValueError(
            f"{_shown(text)} says no end: write `now` or `soon`, a comma, and `fail`, "
            "`success` or `done`, with a number: `now,fail=1`, `soon,fail=20%`"
        )
    if share:
        return Halt(when == "now", on, 0, int(digits) / 100)
    return Halt(when == "now", on, int(digits))


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


def _one_of(words: Sequence[str], text: str) -> str:
    if text in words:
        return text
    raise ValueError(f"{_shown(text)} is not one of {', '.join(words)}")


def _is_number(text: str) -> bool:
    """Digits, and not too many of them; int() knows far more than that."""
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def _shown(text: str) -> str:
    from penstock.spec.mistakes import shown  # noqa: PLC0415 (only for a mistake)

    return shown(text)
