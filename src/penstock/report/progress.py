"""How far a run is: a model made of its events, and what is to be seen of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from penstock.model.event import (
    Event,
    JobEnded,
    JobEvent,
    JobRetried,
    JobStarted,
    RunStarted,
)
from penstock.model.job import Job
from penstock.model.tally import Tally, count
from penstock.report.words import duration
from penstock.typed import NamedTuple

_ENOUGH = 3  # jobs that must be over before anything is foretold


class Running(NamedTuple):
    """A job that runs.

    Attributes:
        name: its name.
        stages: their names, in order.
        elapsed: seconds since this attempt began.
        timeout: seconds that it may take in all; None for any time.
        attempt: counted from 1.
        is_service: it runs as long as others need it.
    """

    name: str
    stages: tuple[str, ...]
    elapsed: float
    timeout: float | None
    attempt: int = 1
    is_service: bool = False


class View(NamedTuple):
    """What is to be seen.

    Attributes:
        done: jobs that are over, or were not run.
        total: all jobs; None where nobody knows yet.
        failed: those that failed, or timed out.
        running: the oldest first.
        elapsed: seconds since the run began.
        left: seconds that it may still take, judged by how long it took so far; None
            where that cannot be said.
        known: jobs that there are at least, where not all are known; else None.
    """

    done: int
    total: int | None
    failed: int
    running: tuple[Running, ...]
    elapsed: float
    left: float | None
    known: int | None = None

    @property
    def headline(self) -> tuple[str, ...]:
        """How far it is, in parts: jobs done of all; what failed; the time."""
        parts = [f"{self.done}/{'?' if self.total is None else self.total} jobs"]
        if self.known is not None:
            parts = [f"{self.done} done", f"{self.known}+ known"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        parts += [f"{len(self.running)} running", whole_seconds(self.elapsed)]
        if self.left:
            parts.append(f"about {whole_seconds(self.left)} left")
        return tuple(parts)


class Prospect(NamedTuple):
    """What is known of a run whose jobs come as it goes.

    Attributes:
        known: jobs that there are at least.
        is_all: there are no others.
        slots: how many may run at once; what was started beyond waits at a worker.
    """

    known: int
    is_all: bool
    slots: int


class Progress:
    """Notes events; says at any time how far the run is.

    Args:
        total: how many jobs there are; None if nobody knows yet.
        look_ahead: tells what else is known now, where that changes.
    """

    def __init__(
        self, total: int | None, look_ahead: Callable[[], Prospect] | None = None
    ) -> None:
        self._total = total
        self._look_ahead = look_ahead
        self._began = 0.0
        self._tally = Tally()
        self._running: dict[str, JobStarted] = {}

    def receive(self, event: Event) -> None:
        """Take note of `event`."""
        self._tally = count(self._tally, event)
        match event:
            case RunStarted(_, at):
                self._began = at
            case JobStarted():
                self._running[event.job.name] = event
            case JobEnded() | JobRetried():
                self._running.pop(_name(event), None)
            case _:
                return

    def view(self, at: float) -> View:
        """How far the run is at that time, on the wall clock."""
        tally, elapsed = self._tally, max(0.0, at - self._began)
        total, known, slots = self._total, None, None
        if self._look_ahead is not None:
            known, is_all, slots = self._look_ahead()
            total, known = (known, None) if is_all else (None, known)
        if total is not None:
            total = max(total, tally.jobs)
        running = islice(self._running.values(), slots)
        return View(
            tally.jobs,
            total,
            tally.failed + tally.timed_out,
            tuple(_running(each, at) for each in running),
            elapsed,
            _left(tally, total, elapsed),
            known,
        )


def _name(event: JobEvent) -> str:
    return event.job.name


def _running(started: JobStarted, at: float) -> Running:
    job = started.job
    return Running(
        job.name,
        tuple(stage.name for stage in job.stages),
        max(0.0, at - started.at),
        _timeout(job),
        started.attempt,
        job.policy.service is not None,
    )


def _timeout(job: Job) -> float | None:
    """The limit of the job, or else the shortest of its stages."""
    limits = (stage.limits.timeout for stage in job.stages)
    shortest = min((limit for limit in limits if limit is not None), default=None)
    return job.limits.timeout if job.limits.timeout is not None else shortest


def _left(tally: Tally, total: int | None, elapsed: float) -> float | None:
    """As if those that are left took as long as those that were run."""
    ran = tally.jobs - tally.skipped - tally.passed
    if total is None or ran < _ENOUGH:
        return None
    return elapsed / ran * (total - tally.jobs)


def whole_seconds(seconds: float) -> str:
    """What changes all the time cannot be read."""
    return duration(float(int(seconds)))
