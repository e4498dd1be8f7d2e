"""Why and when a job is stopped from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from penstock.model.job import Job
from penstock.proc.launch import Running


class Stop(NamedTuple):
    """Why a job is ended; fixed before the first signal is sent.

    Attributes:
        cause: in words.
        hit: positions of the stages that were alive then.
        overdue: those of them whose deadline had passed; empty if it was none.
        timeout: the limit that passed, in seconds, if one did.
        limit_of: "command" or "job".
    """

    cause: str
    hit: frozenset[int]
    overdue: frozenset[int] = frozenset()
    timeout: float = 0.0
    limit_of: str = "command"


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


def next_deadline(
    job: Job,
    running: Sequence[Running],
    started_at: float,
) -> Deadline | None:
    """The first limit that will pass of those that still count; None without any."""
    first = None
    if job.limits.timeout is not None:
        first = Deadline(started_at + job.limits.timeout, job.limits.timeout, None)
    for stage in running:
        timeout = job.stages[stage.position].limits.timeout
        if timeout is None or stage.status is not None:
            continue
        at = stage.started_at + timeout
        if first is None or at < first.at:
            first = Deadline(at, timeout, stage.position)
    return first


def time_out(job: Job, running: Sequence[Running], passed: Deadline) -> Stop:
    """The stop that follows from a passed deadline."""
    hit = alive(running)
    if passed.position is None:
        return Stop(f"job {job.name} timed out", hit, hit, passed.timeout, "job")
    name = job.stages[passed.position].name
    overdue = frozenset((passed.position,))
    return Stop(f"{name} timed out", hit, overdue, passed.timeout, "command")


def grace_of(job: Job, stop: Stop | None) -> float:
    """Seconds from TERM to KILL: the job's, or the longest of the commands hit."""
    if stop is None or not stop.hit or stop.limit_of == "job":
        return job.limits.grace
    return max(job.stages[position].limits.grace for position in stop.hit)
