"""Feed: jobs without order, from a source that may be slow, or endless. A `Plan`.

A job is asked for when there is room for one, so that a million of them take no more
memory than a few. A job that is to be tried again goes before new ones. Once the feed
is *halted*, by a signal or by `Halt`, nothing is started any more, and what waits to be
tried again has failed.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator

from penstock.model.action import (
    Action,
    CancelJob,
    EndJob,
    RetryJob,
    SetAlarm,
    StartJob,
)
from penstock.model.event import (
    AlarmRang,
    CutShort,
    Finished,
    InputCame,
    Interrupted,
    JobPassed,
    News,
    RunStarted,
    SlotsChanged,
)
from penstock.model.job import Job
from penstock.model.outcome import Cancelled, Outcome
from penstock.model.signals import signal_name
from penstock.plan.halt import Halt
from penstock.typed import NamedTuple, Protocol

_PAUSE = "pause"


class Jobs(Protocol):
    """Where the jobs come from."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        ...

    def next(self, slot: int) -> Job | None:
        """The next job; None if there is none now, or none any more.

        Args:
            slot: its number, from 1; 0 where slots are not numbered.
        """
        ...


class Rules(NamedTuple):
    """How jobs are started, and started again.

    Attributes:
        tries: how often a job is started until it succeeds.
        halt: when to stop before all is done; None: never.
        delay: seconds between two starts.
        slots: numbered from 1 where that is not 0.
        pause: seconds until a job may be started, as far as is known now; 0 at once.
        total: how many jobs there are in all, if that is known.
    """

    tries: int = 1
    halt: Halt | None = None
    delay: float = 0.0
    slots: int = 0
    pause: Callable[[], float] | None = None
    total: Callable[[], int | None] = lambda: None


class _Failed(NamedTuple):
    """A job that waits to be tried again.

    Attributes:
        given: as it came.
        told: how the last try ended.
    """

    given: Job
    told: Finished


class Feed:
    """Starts jobs as there is room for them.

    Args:
        jobs: where they come from.
        room: how many can be submitted now.
        rules: how they are started.
    """

    def __init__(
        self, jobs: Jobs, room: Callable[[], int], rules: Rules | None = None
    ) -> None:
        self._jobs = jobs
        self._room = room
        self._rules = rules or Rules()
        self._running: dict[str, Job] = {}
        self._again: deque[_Failed] = deque()
        self._failures: dict[str, int] = {}  # of jobs that are tried again
        self._free: list[int] = []
        self._numbered = 0
        self._slot: dict[str, int] = {}
        self._ok = self._failed = 0
        self._is_halted = self._is_waiting = False
        self._interruptions = 0
        self._number(self._rules.slots)

    @property
    def is_done(self) -> bool:
        """Whether every job has ended, and no more will come."""
        if self._running:
            return False
        return self._is_halted or not (self._again or not self._jobs.is_over)

    @property
    def waits(self) -> bool:
        """Whether the start of the next job is put off."""
        return self._is_waiting

    def is_final(self, outcome: Outcome) -> bool:
        """Whether a job that has ended so is not tried again; to be asked before."""
        if outcome.ok or self._is_halted or isinstance(outcome.ending, Cancelled):
            return True
        return self._failures.get(outcome.job, 0) + 1 >= self._rules.tries

    def handle(self, news: News) -> Iterator[Action]:
        """Take note of `news`, and say what is to be done about it, in that order."""
        match news:
            case Finished(job, outcome):
                yield from self._end(job, outcome)
            case Interrupted(signal, _):
                yield from self._interrupt(signal)
            case CutShort(because):
                yield from self._give_up()
                yield from self._cancel(because, now=True)
            case AlarmRang(_):
                self._is_waiting = False
            case JobPassed(job):
                self._forget(job.name)
            case SlotsChanged(slots):
                self._number(slots)
            case RunStarted() | InputCame():
                pass
        yield from self._start()

    def _start(self) -> Iterator[Action]:
        """Fill the room."""
        while not (self._is_halted or self._is_waiting) and self._room() > 0:
            pause = self._rules.pause() if self._rules.pause else 0.0
            if pause:
                self._is_waiting = True
                yield SetAlarm(_PAUSE, pause)
                return
            job = self._next()
            if job is None:
                return
            self._running[job.name] = job
            yield StartJob(job, self._failures.get(job.name, 0) + 1)
            if self._rules.delay:
                self._is_waiting = True
                yield SetAlarm(_PAUSE, self._rules.delay)

    def _next(self) -> Job | None:
        if self._again:
            return self._again.popleft().given
        if not self._rules.slots:
            return self._jobs.next(0)
        if not self._free:  # there was room before we hear who left it, or of new slots
            return None
        job = self._jobs.next(self._free[0])
        if job is not None:
            self._slot[job.name] = heapq.heappop(self._free)
        return job

    def _end(self, job: Job, outcome: Outcome) -> Iterator[Action]:
        is_final = self.is_final(outcome)
        given = self._running[job.name]
        tries = self._failures.get(job.name, 0) + 1
        if not is_final:
            self._failures[job.name] = tries
            del self._running[job.name]
            self._again.append(_Failed(given, Finished(job, outcome)))
            yield RetryJob(job, outcome, tries, 0.0)
            return
        self._forget(job.name)
        yield EndJob(job, outcome, tries)
        self._ok += outcome.ok
        self._failed += not outcome.ok
        halt = self._rules.halt
        if self._is_halted or halt is None:
            return
        if halt.is_reached(self._ok, self._failed, self._rules.total()):
            yield from self._give_up()
            if halt.now:
                how = "succeeded" if outcome.ok else "failed"
                yield from self._cancel(f"job {job.name} {how}", now=False)

    def _forget(self, name: str) -> None:
        """A job is over for good."""
        self._running.pop(name, None)
        self._failures.pop(name, None)
        slot = self._slot.pop(name, None)
        if slot is not None:
            heapq.heappush(self._free, slot)

    def _number(self, slots: int) -> None:
        """Number so many slots, if slots are numbered."""
        while self._rules.slots and self._numbered < slots:
            self._numbered += 1
            heapq.heappush(self._free, self._numbered)

    def _interrupt(self, signal: int) -> Iterator[Action]:
        """Stop starting and end what runs; at once if that was asked for before."""
        self._interruptions += 1
        cause = f"interrupted by {signal_name(signal)}"
        yield from self._give_up()
        yield from self._cancel(cause, now=self._interruptions > 1)

    def _give_up(self) -> Iterator[Action]:
        """Start nothing any more: what has failed is not tried again."""
        self._is_halted = True
        while self._again:
            job, outcome = self._again.popleft().told
            tries = self._failures[job.name]
            self._forget(job.name)
            yield EndJob(job, outcome, tries)

    def _cancel(self, cause: str, *, now: bool) -> Iterator[Action]:
        for name in [*self._running]:
            yield CancelJob(name, cause, now)
