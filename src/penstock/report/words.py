"""Words for people: endings, times and sizes. Pure; nothing is printed here."""

from __future__ import annotations

import errno
import os

from penstock.errors import REMEDIES
from penstock.model.event import RanShort
from penstock.model.limits import GRACE
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    OutOfMemory,
    Signaled,
    TimedOut,
)
from penstock.model.signals import signal_name

_LACKING = {
    errno.EAGAIN: "no more processes to be had",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.ENOMEM: "no more memory to be had",
}
_SHORT = 0.1
_MINUTE = 60
_KIBI = 1024


def describe_ending(ending: Ending, grace: float = GRACE) -> str:
    """How something ended, as the rest of a sentence that begins with its name.

    Args:
        ending: of a stage or of a job.
        grace: how long it had between TERM and KILL.

    Example:
        >>> describe_ending(TimedOut(30.0, "command", Signaled(9, False), True))
        'timed out after 30s, killed by SIGKILL after 5s of grace'
    """
    match ending:
        case Exited() | Signaled():
            return _status(ending)
        case TimedOut():
            death = _death(ending.status, grace if ending.escalated else None)
            return _timed_out(ending) + death
        case Cancelled(cause, status, _):
            return f"cancelled: {cause}" + _death(status, None)
        case OutOfMemory(limit, held, status):
            end = "killed" if status is not None else "could not be ended"
            return f"held {size(held)} of memory, of {size(limit)} that it may; {end}"
        case NotStarted(_, reason, _):
            return f"not started: {reason}"
        case Lost(reason):
            return f"lost: {reason}"


def share_of_median(percent: float) -> str:
    """A limit by what others took: ``200% of the median``."""
    return f"{percent:.10g}% of the median"


def describe_shortage(event: RanShort) -> str:
    """What there is too little of, what is done about it, and what the reader can do.

    Example:
        >>> describe_shortage(RanShort(errno.ENFILE, 3, 8, 0.0))
        'too many open files: 3 jobs at once now, not 8; close some files'
    """
    lacking = _LACKING.get(event.errno, os.strerror(event.errno).lower())
    now = f"{plural(event.slots, 'job')} at once now, not {event.usual}"
    remedy = REMEDIES.get(event.errno)
    return f"{lacking}: {now}" + (f"; {remedy}" if remedy else "")


def _timed_out(ending: TimedOut) -> str:
    after, limit_of = duration(ending.timeout), ending.limit_of
    match limit_of:
        case "idle":
            return f"timed out, having said nothing for {after}"
        case "run":
            return f"timed out: the run was to take {after} at most"
        case "job":
            return f"timed out after {after}, the timeout of the job"
        case "deadlock" | "stall":
            return f"{limit_of}: nothing has moved for {after}"
        case "ready":
            return f"timed out after {after}, and was not ready"
        case _:
            share = f", {share_of_median(ending.percent)}" if ending.percent else ""
            return f"timed out after {after}{share}"


def _status(status: Exited | Signaled) -> str:
    match status:
        case Exited(code):
            return f"exited with {code}"
        case Signaled(signal, core):
            return f"killed by {signal_name(signal)}" + (
                ", core dumped" if core else ""
            )


def _death(status: Exited | Signaled | None, grace: float | None) -> str:
    """How it took its end; `grace` is what it had before the KILL, if it took one."""
    if status is None:
        return ", and could not be ended"
    if grace is not None:
        return f", {_status(status)} after {duration(grace)} of grace"
    return f", {_status(status)}"


def duration(seconds: float) -> str:
    """A time as a definition writes it: ``4ms``, ``0.41s``, ``12.3s``, ``1m30s``.

    Three digits are all that anybody reads.
    """
    if 0 < seconds < _SHORT:
        return f"{seconds * 1000:.0f}ms"
    if round(seconds, 1) < _MINUTE:
        digits = 2 if seconds < 1 else 1
        return f"{seconds:.{digits}f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes}m" + (f"{rest}s" if rest else "")
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}h" + (f"{minutes}m" if minutes else "")


def size(amount_bytes: int) -> str:
    """A size in the largest unit that leaves a number over 1: ``34 MiB``."""
    amount = float(amount_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < _KIBI:
            return f"{amount:.0f} {unit}"
        amount /= _KIBI
    return f"{amount:.1f} TiB"


def plural(number: int, noun: str) -> str:
    """A number and its noun: ``1 job``, ``2 jobs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
