"""An executor that does not take "not now" for an answer.

What could not be started for lack of something that others may give back is held here,
and told to the engine as submitted; it is submitted again when a job has ended, or
after a while. Meanwhile there are fewer slots, so that less is asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.clock import Clock, MonotonicClock
from penstock.errors import PenstockError
from penstock.executor.base import Executor
from penstock.model.event import RanShort
from penstock.model.outcome import Lost, Outcome
from penstock.model.shortage import has_begun, shortage_of
from penstock.model.verdict import unbegun, unseen
from penstock.plan.width import PATIENCE, Width
from penstock.typed import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from penstock.model.job import Job


_BEGUN = "a part of it had begun, so it is not started anew; try fewer jobs at once"


class Roomy(Executor, Protocol):
    """An `Executor` that can say how much may be submitted, and what is started."""

    @property
    def room(self) -> int:
        """How many jobs are better submitted now than later."""
        ...

    def tell_of_starts(self, begin: Callable[[str], None]) -> None:
        """Tell `begin` the name of each job when that is started."""
        ...


class _Held(NamedTuple):
    """A job that is to be submitted again, and how it went the last time."""

    job: Job
    descriptors: Sequence[int]
    outcome: Outcome


class Patient:
    """An `Executor` over another one, with as many slots as there is enough for.

    Args:
        executor: runs the jobs, and is closed with this one.
        spare: how many of its slots are for services, and not for jobs.
        clock: says when to try again.
    """

    def __init__(
        self, executor: Roomy, *, spare: int = 0, clock: Clock | None = None
    ) -> None:
        self._executor = executor
        self._spare = spare
        self._clock = clock or MonotonicClock()
        self._width = Width()
        self._given: dict[str, tuple[Job, Sequence[int]]] = {}
        self._held: dict[str, _Held] = {}
        self._doomed: dict[str, str] = {}  # those given that were cancelled: why
        self._known: list[Outcome] = []  # before the next wait
        self._shortages: list[RanShort] = []
        self._put_off: Callable[[str], None] | None = None

    @property
    def slots(self) -> int:
        """How many jobs may be alive at once, as things are."""
        return self._spare + self._width.of(self._usual)

    @property
    def room(self) -> int:
        """How many jobs are better submitted now than later."""
        if self._width.fewer or self._held:
            return self.slots - len(self._given) - len(self._held)
        return self._executor.room

    @property
    def _usual(self) -> int:
        return self._executor.slots - self._spare

    def take(self) -> RanShort | None:
        """What there is too little of, each time once; None if there is no news."""
        return self._shortages.pop(0) if self._shortages else None

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job` now, or when it can be; see `Executor.submit`.

        Unlike there, the descriptors have to stay open until the job has ended.
        """
        self._executor.submit(job, descriptors)
        self._given[job.name] = (job, descriptors)

    def tell_of_starts(
        self, begin: Callable[[str], None], put_off: Callable[[str], None]
    ) -> None:
        """Tell of each job that it starts, and if so, that it could not after all."""
        self._put_off = put_off
        self._executor.tell_of_starts(begin)

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the job `name`; see `Executor.cancel`."""
        if name in self._held:
            self._known.append(unbegun(self._held.pop(name).job, cause))
        elif name in self._given:
            self._doomed.setdefault(name, cause)
            self._executor.cancel(name, cause, now=now)

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended; see `Executor.wait`."""
        if not self._known:
            due = self._due() if self._width.fewer or self._held else None
            if due is not None:
                deadline = due if deadline is None else min(due, deadline)
            for outcome in self._executor.wait(deadline):
                self._hear(outcome)
            if due is not None:
                self._look()
        known, self._known = tuple(self._known), []
        return known

    def close(self) -> None:
        """End what still runs; see `Executor.close`."""
        self._held.clear()
        self._executor.close()

    def _hear(self, outcome: Outcome) -> None:
        """A job has ended; or it was not started, and is to be held."""
        given = self._given.pop(outcome.job)
        doom = self._doomed.pop(outcome.job, None) if self._doomed else None
        errno = None if outcome.ok else shortage_of(outcome)
        if errno is None:
            if self._width.is_short or self._width.fewer or self._held:
                self._width.end(self._usual)
                self._resubmit(self._width.of(self._usual) - self._alive)
            self._known.append(outcome)
            return
        now = self._clock.now()
        may_wait = self._width.lack(errno, self._usual, self._alive, now)
        if has_begun(outcome):
            self._known.append(outcome._replace(remark=_BEGUN))
        elif doom is not None:
            self._known.append(unbegun(given[0], doom))
        else:
            self._held[outcome.job] = _Held(*given, outcome)
            if self._put_off is not None:
                self._put_off(outcome.job)
        if not may_wait:
            self._give_up()

    def _give_up(self) -> None:
        """Nothing runs that could give anything back, and nobody else has."""
        remark = f"nothing could be started for {PATIENCE:g} s, and nothing ran"
        held, self._held = self._held, {}
        self._known.extend(h.outcome._replace(remark=remark) for h in held.values())

    @property
    def _alive(self) -> int:
        """How many jobs are that will end by themselves: services do not."""
        return sum(1 for job, _ in self._given.values() if not job.policy.service)

    def _due(self) -> float | None:
        """When to look whether there is something to do; None if there is not."""
        times = [self._width.tell_at, self._width.retry_at if self._held else None]
        return min((time for time in times if time is not None), default=None)

    def _look(self) -> None:
        """Do what it is time for."""
        now = self._clock.now()
        if self._held and now >= self._width.retry_at:
            self._width.try_now(now)
            self._resubmit(1)
        errno = self._width.tell(self._usual, now)
        if errno is not None:
            slots, usual = self._width.of(self._usual), self._usual
            shortage = RanShort(errno, slots, usual, self._clock.wall())
            self._shortages.append(shortage)

    def _resubmit(self, most: int) -> None:
        """Submit so many of those that are held, the oldest first.

        There may be fewer slots since: then more runs than may, and some have to end.
        """
        most = min(most, self._executor.room)
        for name in [*self._held][: max(0, most)]:
            job, descriptors, _ = self._held.pop(name)
            try:
                self.submit(job, descriptors)
            except PenstockError as error:  # nothing can be started any more
                self._known.append(unseen(job, Lost(str(error))))
