"""Why and when a job is stopped from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from math import inf

from penstock.model.job import Job
from penstock.proc.descendants import children_of
from penstock.proc.launch import Running
from penstock.proc.signals import SIGCONT, SIGTERM, signal_tree
from penstock.typed import NamedTuple


class Stop(NamedTuple):
    """Why a job is ended; fixed before the first signal is sent.

    Attributes:
        cause: in words.
        hit: positions of the stages that were at work then.
        overdue: those of them whose deadline had passed; empty if it was none.
        timeout: the limit that passed, in seconds, if one did.
        limit_of: "command", "job", "idle", "deadlock" or "stall".
        memory: what the one overdue may hold, and what it held, in bytes, if its limit
            is that.
        edges: at which the job has come to a standstill, each with what is there.
    """

    cause: str
    hit: frozenset[int]
    overdue: frozenset[int] = frozenset()
    timeout: float = 0.0
    limit_of: str = "command"
    memory: tuple[int, int] | None = None
    edges: tuple[tuple[str, str], ...] = ()


class Deadline(NamedTuple):
    """The next limit of a job to pass.

    Attributes:
        at: on the monotonic clock.
        timeout: the limit, in seconds.
        position: the stage whose limit it is; None for the job's.
    """

    at: float
    timeout: float
    position: int | None


def alive(running: Sequence[Running]) -> frozenset[int]:
    """Positions of the stages that have not exited."""
    return frozenset(r.position for r in running if r.status is None)


def ended(running: Sequence[Running]) -> frozenset[int]:
    """Positions of the stages that have exited."""
    return frozenset(r.position for r in running if r.status is not None)


def at_work(job: Job, running: Sequence[Running]) -> frozenset[int]:
    """Positions of the stages whose time counts: none, if the job is as good as over.

    The linger of a service is endless, for it may make a daemon of itself: what its
    commands left behind is the service then, with all their limits.
    """
    still = alive(running)
    if still or job.limits.linger != inf:
        return still
    return ended(running)


def earlier(one: float | None, other: float | None) -> float | None:
    """Of two times, either of which may be None for never, the one that is first."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def next_deadline(
    job: Job,
    running: Sequence[Running],
    started_at: float,
) -> Deadline | None:
    """The first limit that will pass of those that still count; None without any."""
    first, working = None, at_work(job, running)
    if job.limits.timeout is not None and working:
        first = Deadline(started_at + job.limits.timeout, job.limits.timeout, None)
    for stage in running:
        timeout = job.stages[stage.position].limits.timeout
        if timeout is None or stage.position not in working:
            continue
        if stage.status is not None and len(running) > 1:
            continue  # whether anything of this one is left is not known
        at = stage.started_at + timeout
        if first is None or at < first.at:
            first = Deadline(at, timeout, stage.position)
    return first


def time_out(job: Job, running: Sequence[Running], passed: Deadline) -> Stop:
    """The stop that follows from a passed deadline."""
    hit = at_work(job, running)
    if passed.position is None:
        return Stop(f"job {job.name} timed out", hit, hit, passed.timeout, "job")
    name = job.stages[passed.position].name
    overdue = frozenset((passed.position,))
    return Stop(f"{name} timed out", hit, overdue, passed.timeout, "command")


def ask_to_end(job: Job, running: Sequence[Running]) -> None:
    """Send each command, and all below it, the signal that it is to be asked by.

    An orphan is asked as the command whose session it is in: that of the only stage,
    or SIGTERM, if it has left that too.
    """
    own = {r.process.pid: job.stages[r.position].command.signal for r in running}
    usual = next(iter(own.values())) if len(own) == 1 else SIGTERM
    if all(number == usual for number in own.values()):
        signal_tree(usual)
    else:
        numbers = {
            pid: _number_for(pid, own, usual) for pid in children_of(os.getpid())
        }
        for number in set(numbers.values()):
            others = [pid for pid in numbers if numbers[pid] != number]
            signal_tree(number, partial(tuple, others))
    signal_tree(SIGCONT)  # a stopped process keeps a signal pending until then


def _number_for(pid: int, own: Mapping[int, int], usual: int) -> int:
    if pid in own:
        return own[pid]
    try:
        return own.get(os.getsid(pid), usual)
    except ProcessLookupError:
        return usual


def grace_of(job: Job, stop: Stop | None) -> float:
    """Seconds from TERM to KILL: the job's, or the longest of the commands hit."""
    if stop is None or not stop.hit or stop.limit_of == "job":
        return job.limits.grace
    return max(job.stages[position].limits.grace for position in stop.hit)
