"""The pool's end of a worker, and how much work it may be given ahead."""

from __future__ import annotations

import _socket
import math
import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from penstock.errors import PenstockError, UsageError
from penstock.executor.message import Recall, Run, Stop, send
from penstock.model.job import Job, Stage
from penstock.model.outcome import Lost, NotStarted, Outcome
from penstock.model.shortage import WORKER
from penstock.model.stream import Handed, Output
from penstock.model.verdict import unbegun, unseen
from penstock.plan.wire import wire
from penstock.proc.reaper import SWEEP_BUDGET
from penstock.typed import NamedTuple

_STOCK = 0.08  # seconds of work that a worker may hold ahead
_LONG = 0.05  # seconds after which nothing shall wait behind a job any more
_WEIGHT = 0.2  # of the last job, in how long jobs usually take
_LEAST = 1e-6  # seconds; no job takes less
_ALLOWANCE = 2.0  # seconds, for a machine that has much to do


class NoWorker(PenstockError):  # noqa: N818 (a state, and never leaves the pool)
    """There is too little of something, at the moment, for one more worker.

    Attributes:
        errno: says of what.
    """

    def __init__(self, errno: int) -> None:
        super().__init__(os.strerror(errno))
        self.errno = errno


class Doom(NamedTuple):
    """A worker was told to cancel a job: why, and when it must have answered."""

    cause: str
    due: float


class WorkerEnd:
    """Our end of one worker.

    Attributes:
        channel: the socket to it.
        jobs: what it was given and has not answered for, by name: the first one runs,
            or is about to; the others wait for that.
        unsent: those of them that it has not been told of.
        doomed: those of them that it was told to cancel, by name.
        since: when it was last heard of, or given its first job.
        is_asked: it was asked to give back what waits.
    """

    __slots__ = ("channel", "doomed", "is_asked", "jobs", "since", "unsent")

    def __init__(self, channel: _socket.socket) -> None:
        self.channel = channel
        self.jobs: dict[str, Job] = {}
        self.unsent: list[Job] = []
        self.doomed: dict[str, Doom] = {}
        self.since = 0.0
        self.is_asked = False

    @property
    def due(self) -> float:
        """When it must have answered, once it was told to cancel something."""
        return min((doom.due for doom in self.doomed.values()), default=math.inf)

    def cancel(self, order: Stop, now: float) -> None:
        """Tell it to end a job; some time after `now` it must have answered."""
        self.flush()
        due = now + longest_end(self.jobs[order.job], now=order.now)
        self.doomed[order.job] = Doom(order.cause, due)
        with suppress(OSError):  # its death shows in Pool.wait
            send(self.channel, order)

    def sort_out(self, jobs: Sequence[Job]) -> tuple[list[Job], list[Outcome]]:
        """Of jobs that it will never begin, those still wanted; the ends of the others.

        What it gave back cannot be cancelled by it, though it was told to meanwhile.
        """
        wanted, ended = [], []
        for job in jobs:
            doom = self.doomed.pop(job.name, None)
            if doom is None:
                wanted.append(job)
            else:
                ended.append(unbegun(job, doom.cause))
        return wanted, ended

    @property
    def recall_at(self) -> float | None:
        """When to take back what waits; None if nothing does."""
        waits = len(self.jobs) > 1 and not self.is_asked
        return self.since + _LONG if waits else None

    def recall(self) -> None:
        """Ask for what waits."""
        self.is_asked = True
        self.flush()
        with suppress(OSError):  # its death shows in Pool.wait
            send(self.channel, Recall())

    def flush(self) -> None:
        """Tell the worker of all its jobs, in one message."""
        if self.unsent:
            jobs, self.unsent = tuple(self.unsent), []
            with suppress(OSError):  # its death shows in Pool.wait
                send(self.channel, Run(jobs))


class Pace:
    """How long jobs take, and so how many of them a worker may hold ahead."""

    def __init__(self) -> None:
        self._usual: float | None = None

    def note(self, elapsed: float) -> None:
        """Note how long a job took, in seconds."""
        before = elapsed if self._usual is None else self._usual
        self._usual = before + _WEIGHT * (elapsed - before)

    def stock(self, most: int) -> int:
        """How many jobs a worker may hold ahead; none before one has ended."""
        if not most or self._usual is None:
            return 0
        return min(most, int(_STOCK / (self._usual + _LEAST)))

    def lasts(self, number: int) -> float:
        """For how many seconds so many jobs usually keep a worker at work."""
        return number * (self._usual or 0.0)


def longest_end(job: Job, *, now: bool) -> float:
    """Seconds in which a worker must have ended `job`: all its waits, and one more."""
    graces = [job.limits.grace, *(stage.limits.grace for stage in job.stages)]
    waits = SWEEP_BUDGET + job.limits.drain + _ALLOWANCE
    return waits if now else waits + max(graces)


def due_times(
    workers: Iterable[WorkerEnd], deadline: float | None, *, ahead: bool
) -> list[float]:
    """When something is to be done, at the deadline or about workers that are mute."""
    times = [] if deadline is None else [deadline]
    for worker in workers:
        if worker.doomed:
            times.append(worker.due)
        if ahead and (recall_at := worker.recall_at) is not None:
            times.append(recall_at)
    return times


def least_waiting(workers: Collection[WorkerEnd], slots: int) -> int:
    """How many jobs wait at each worker at the least; 0 if there are too few."""
    if len(workers) != slots:
        return 0
    return max(0, min(len(worker.jobs) for worker in workers) - 1)


def recall_late(workers: Iterable[WorkerEnd], now: float) -> None:
    """Ask for what waits behind jobs that take long."""
    for worker in workers:
        if (recall_at := worker.recall_at) is not None and now >= recall_at:
            worker.recall()


def check_job(job: Job, descriptors: int) -> None:
    """Tell what is wrong with a job here, and not in the worker.

    Raises:
        UsageError: it wants more than so many descriptors, or its links are wrong.
    """
    for stage in job.stages:
        if Handed in map(type, stage) and not _handed(stage) <= set(range(descriptors)):
            raise UsageError(f"job {job.name} wants descriptors that were not handed")
    if job.links:
        wire(job)


def _handed(stage: Stage) -> set[int]:
    """The positions of the descriptors that `stage` is to be handed."""
    streams = stage.stdin, stage.stdout, stage.stderr
    return {stream.position for stream in streams if isinstance(stream, Handed)}


def unstarted(job: Job, errno: int) -> Outcome:
    """The outcome of a job for which there was no worker."""
    reason = f"no worker for it: {os.strerror(errno)}"
    return unseen(job, NotStarted(errno, reason, WORKER))


def lose(job: Job, reason: str) -> Outcome:
    """The outcome of a job that nobody saw the end of; its outputs are discarded."""
    from penstock.proc.files import locate  # noqa: PLC0415 (hardly ever; takes long)

    for stage in job.stages:
        if isinstance(stage.stdout, Output):
            with suppress(OSError):
                os.unlink(locate(stage.stdout).partial)
    return unseen(job, Lost(reason))
