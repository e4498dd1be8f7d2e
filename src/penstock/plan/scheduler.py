"""Scheduler: which job to start, cancel or skip, and when. Events in, actions out.

A job is in one place at a time, and moves only downwards:

    _unmet    waits for the jobs it needs
    _ready    needs nothing more, and waits for a slot
    _running  was started, and has not ended
    (none)    has ended, or was skipped: nothing will be said of it again

The scheduler is at rest when every job has left all three. Once a run is *halted*, by
a failure or by a signal, nothing is started any more. No clock, no threads, no I/O:
the order of the events is all that it knows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from penstock.errors import UsageError
from penstock.model.action import Action, CancelJob, SkipJob, StartJob
from penstock.model.event import (
    AlarmRang,
    Event,
    Interrupted,
    JobEnded,
    JobPassed,
    JobSkipped,
    JobStarted,
    RunEnded,
    RunStarted,
)
from penstock.model.job import Job
from penstock.model.signals import signal_name
from penstock.plan.graph import find_cycle


class Scheduler:
    """Decides the order of one run; ready jobs are started in the order given.

    Args:
        jobs: in the order of the file.
        slots: how many may be alive at once.
        keep_going: after a failure, still run what does not depend on it.

    Raises:
        UsageError: a name is used twice or unknown, jobs need each other in a circle,
            or there is no slot.
    """

    def __init__(
        self, jobs: Sequence[Job], slots: int, *, keep_going: bool = False
    ) -> None:
        _check(jobs, slots)
        self._jobs = {job.name: job for job in jobs}
        self._position = {job.name: i for i, job in enumerate(jobs)}
        self._needed_by: dict[str, list[str]] = {}
        for job in jobs:
            for need in dict.fromkeys(job.needs):
                self._needed_by.setdefault(need, []).append(job.name)
        self._unmet = {job.name: len(set(job.needs)) for job in jobs if job.needs}
        # Positions in rising order are a heap already.
        self._ready = [i for i, job in enumerate(jobs) if not job.needs]
        self._running: dict[str, None] = {}
        self._names = tuple(self._jobs)
        self._slots = slots
        self._keep_going = keep_going
        self._is_halted = False
        self._interruptions = 0

    @property
    def is_done(self) -> bool:
        """Whether every job has ended or was skipped."""
        return not (self._running or self._ready or self._unmet)

    def handle(self, event: Event | AlarmRang) -> tuple[Action, ...]:
        """Take note of `event`, and say what is to be done about it, in that order."""
        match event:
            case RunStarted():
                return tuple(self._start())
            case JobEnded(job, outcome):
                return tuple(self._end(job, ok=outcome.ok))
            case JobPassed(job):
                return tuple(self._end(job, ok=True))
            case Interrupted(signal, _):
                return tuple(self._interrupt(signal))
            case JobStarted() | JobSkipped() | RunEnded() | AlarmRang():
                return ()  # the scheduler's own doing

    def _start(self) -> Iterator[Action]:
        """Fill the free slots."""
        while self._ready and len(self._running) < self._slots:
            name = self._names[heapq.heappop(self._ready)]
            self._running[name] = None
            yield StartJob(self._jobs[name])

    def _end(self, job: Job, *, ok: bool) -> Iterator[Action]:
        if job.name not in self._running:
            raise UsageError(f"job {job.name} ended, but it was not running")
        del self._running[job.name]
        if ok:
            self._release(job.name)
        elif self._keep_going:
            yield from self._skip_dependents(job.name)
        else:
            yield from self._halt(f"job {job.name} failed")
        yield from self._start()

    def _release(self, name: str) -> None:
        """Count down the needs of the jobs that waited for `name`."""
        for dependent in self._needed_by.get(name, ()):
            if dependent not in self._unmet:
                continue  # skipped, because of another
            self._unmet[dependent] -= 1
            if not self._unmet[dependent]:
                del self._unmet[dependent]
                heapq.heappush(self._ready, self._position[dependent])

    def _skip_dependents(self, failed: str) -> Iterator[Action]:
        """Skip all that needs `failed`, directly or not, nearest first."""
        because = f"job {failed} failed"
        causes = [failed]
        for cause in causes:
            for dependent in self._needed_by.get(cause, ()):
                if self._unmet.pop(dependent, None) is not None:
                    causes.append(dependent)
                    yield SkipJob(self._jobs[dependent], because)

    def _interrupt(self, signal: int) -> Iterator[Action]:
        """The first signal ends the run with grace, the second without."""
        self._interruptions += 1
        cause = f"interrupted by {signal_name(signal)}"
        if self._interruptions == 1:
            yield from self._halt(cause)
        else:
            yield from (CancelJob(name, cause, now=True) for name in self._running)

    def _halt(self, cause: str) -> Iterator[Action]:
        """Cancel what runs and skip the rest, unless that was done already."""
        if self._is_halted:
            return
        self._is_halted = True
        yield from (CancelJob(name, cause) for name in self._running)
        waiting = sorted(
            [*self._ready, *(self._position[name] for name in self._unmet)]
        )
        self._ready.clear()
        self._unmet.clear()
        for position in waiting:
            yield SkipJob(self._jobs[self._names[position]], cause)


def _check(jobs: Sequence[Job], slots: int) -> None:
    """Refuse what could never come to rest."""
    if slots < 1:
        raise UsageError(f"{slots} slots: at least 1 is needed")
    needs = {job.name: job.needs for job in jobs}
    if len(needs) != len(jobs):
        raise UsageError("two jobs have the same name")
    for job in jobs:
        for need in job.needs:
            if need not in needs:
                raise UsageError(f"job {job.name} needs {need}, which does not exist")
    cycle = find_cycle(needs)
    if cycle is not None:
        raise UsageError(f"jobs need each other: {' -> '.join(cycle)}")
