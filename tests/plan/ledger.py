"""A ledger of one run of the scheduler: drives it, and objects to what must not be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.model.action import (
    Action,
    CancelJob,
    PassJob,
    SetAlarm,
    SkipJob,
    StartJob,
)
from penstock.model.event import Event, Interrupted, JobEnded, RunStarted
from penstock.model.job import Job
from penstock.model.outcome import Exited, Outcome
from penstock.plan.scheduler import Scheduler

BEGIN = RunStarted("test", 0.0, (), 1, None)


def job(name: str, *needs: str) -> Job:
    return Job(name, (), needs=needs)


def ended(name: str, *, ok: bool = True) -> JobEnded:
    return JobEnded(job(name), Outcome(name, Exited(0 if ok else 1), ok), 0.0)


class Ledger:
    """What has become of each job, as told by the actions alone."""

    def __init__(
        self, jobs: Sequence[Job], slots: int = 1, *, keep_going: bool = False
    ) -> None:
        self.scheduler = Scheduler(jobs, slots, keep_going=keep_going)
        self.jobs = {each.name: each for each in jobs}
        self.slots = slots
        self.started: list[str] = []
        self.running: list[str] = []
        self.cancelled: list[str] = []
        self.skipped: dict[str, str] = {}
        self.succeeded: set[str] = set()
        self.may_start = True
        self._keep_going = keep_going

    def begin(self) -> tuple[Action, ...]:
        return self.tell(BEGIN)

    def end(self, name: str, *, ok: bool = True) -> tuple[Action, ...]:
        return self.tell(ended(name, ok=ok))

    def interrupt(self, signal: int = 2) -> tuple[Action, ...]:
        return self.tell(Interrupted(signal, 0.0))

    def tell(self, event: Event) -> tuple[Action, ...]:
        """Hand `event` to the scheduler, and check every invariant."""
        match event:
            case JobEnded(ended_job, outcome):
                self.running.remove(ended_job.name)
                self.succeeded |= {ended_job.name} if outcome.ok else set()
                self.may_start &= outcome.ok or self._keep_going
            case Interrupted():
                self.may_start = False
            case _:
                pass
        actions = self.scheduler.handle(event)
        for action in actions:
            self._record(action)
        assert self.scheduler.is_done == (not self.running and self._is_settled())
        return actions

    def finish(self, *, ok: Callable[[str], bool] = lambda _: True) -> None:
        """End what runs, the oldest first, until nothing is left."""
        while self.running:
            name = self.running[0]
            self.end(name, ok=ok(name))

    def _record(self, action: Action) -> None:
        match action:
            case StartJob(started):
                assert self.may_start, "started after the run was halted"
                assert started.name not in {*self.started, *self.skipped}
                assert self.succeeded.issuperset(started.needs)
                self.started.append(started.name)
                self.running.append(started.name)
                assert len(self.running) <= self.slots
            case CancelJob(name):
                assert name in self.running
                self.cancelled.append(name)
            case SkipJob(skipped, because):
                assert skipped.name not in {*self.started, *self.skipped}
                self.skipped[skipped.name] = because
            case SetAlarm() | PassJob():
                raise AssertionError("nothing here has to wait, or is passed over")

    def _is_settled(self) -> bool:
        return {*self.started, *self.skipped} == set(self.jobs)
