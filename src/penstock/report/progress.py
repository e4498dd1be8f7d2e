"""How far a run is: a model made of its events, and what is to be seen of it. Pure."""

from __future__ import annotations

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
    """

    done: int
    total: int | None
    failed: int
    running: tuple[Running, ...]
    elapsed: float
    left: float | None


class Progress:
    """Notes events; says at any time how far the run is.

    Args:
        total: how many jobs there are; None if nobody knows yet.
    """

    def __init__(self, total: int | None) -> None:
        self._total = total
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
        total = self._total
        if total is not None:
            total = max(total, tally.jobs)
        return View(
            tally.jobs,
            total,
            tally.failed + tally.timed_out,
            tuple(_running(each, at) for each in self._running.values()),
            elapsed,
            _left(tally, total, elapsed),
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
