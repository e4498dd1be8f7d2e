"""A ledger of one run of a plan: drives it, and objects to what must not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from penstock.model.action import (
    Action,
    CancelJob,
    DropAlarm,
    EndErrand,
    EndJob,
    PassJob,
    RetryJob,
    SetAlarm,
    SkipJob,
    StartErrand,
    StartJob,
)
from penstock.model.event import (
    AlarmRang,
    Finished,
    Interrupted,
    JobPassed,
    News,
    RunStarted,
)
from penstock.model.job import Job, Pipeline
from penstock.model.outcome import Ending, Exited, Outcome
from penstock.model.policy import Policy
from penstock.plan.base import Plan
from penstock.plan.scheduler import Scheduler

BEGIN = RunStarted("test", 0.0, (), 1, None)


def job(name: str, *needs: str, policy: Policy | None = None) -> Job:
    return Job(name, (), needs=needs, policy=policy or Policy())


def over(name: str, *, ok: bool = True, ending: Ending | None = None) -> Finished:
    ending = ending or Exited(0 if ok else 1)
    return Finished(job(name), Outcome(name, ending, ok))


class Ledger:
    """What has become of each job and errand, as told by the actions alone."""

    def __init__(
        self,
        jobs: list[Job] | Pipeline,
        slots: int = 1,
        *,
        keep_going: bool = False,
        plan: Plan | None = None,
    ) -> None:
        self.pipeline = jobs if isinstance(jobs, Pipeline) else Pipeline(tuple(jobs))
        self.plan = plan or Scheduler(self.pipeline, slots, keep_going=keep_going)
        self.slots = slots
        self.started: list[str] = []  # each attempt
        self.running: list[str] = []
        self.errands: list[str] = []
        self.cancelled: list[str] = []
        self.skipped: dict[str, str] = {}
        self.passed: set[str] = set()
        self.passing: list[Job] = []
        self.ended: dict[str, Outcome] = {}
        self.resting: dict[str, Job] = {}
        self.alarms: dict[str, float] = {}
        self.may_start = True
        self._jobs: dict[str, Job] = {}
        self._keep_going = keep_going
        self._told: Outcome | None = None

    def begin(self) -> tuple[Action, ...]:
        return self.tell(BEGIN)

    def end(
        self, name: str, *, ok: bool = True, ending: Ending | None = None
    ) -> tuple[Action, ...]:
        """What the plan says to the end of a job, besides that it is to be told."""
        first, *others = self.tell(over(name, ok=ok, ending=ending))
        assert isinstance(first, EndJob)
        return tuple(others)

    def interrupt(self, signal: int = 2) -> tuple[Action, ...]:
        return self.tell(Interrupted(signal, 0.0))

    def hear(self, news: News) -> tuple[Action, ...]:
        """Whatever may happen next."""
        if isinstance(news, AlarmRang):
            return self.ring(news.name)
        return self.tell(news)

    def ring(self, name: str) -> tuple[Action, ...]:
        del self.alarms[name]
        return self.tell(AlarmRang(name))

    def tell(self, news: News) -> tuple[Action, ...]:
        """Hand `news` to the plan, and check every invariant."""
        match news:
            case Finished(over, _) if over.name in self.errands:
                self.errands.remove(over.name)
            case Finished(over, outcome):
                self.running.remove(over.name)
                self._told = outcome
            case JobPassed(passed):
                self.passing.remove(passed)
                self.passed.add(passed.name)
            case Interrupted():
                self.may_start = False
            case _:
                pass
        actions = tuple(self.plan.handle(news))
        for action in actions:
            self._record(action)
        alive = self.running or self.errands or self.resting or self.passing
        assert not (self.plan.is_done and alive)
        assert self.plan.is_done or alive, "nothing will ever happen again"
        return actions

    def finish(self, *, ok: Callable[[str], bool] = lambda _: True) -> None:
        """End what runs, the oldest first, until nothing is left."""
        while self.running:
            name = self.running[0]
            self.end(name, ok=ok(name))

    def _record(self, action: Action) -> None:
        match action:
            case StartJob(started, attempt):
                self._record_start(started, attempt)
            case StartErrand(errand):
                assert errand.name not in self.errands
                self.errands.append(errand.name)
            case CancelJob(name):
                alive = {*self.running, *self.errands}
                assert name in alive | {each.name for each in self.passing}
                self.cancelled.append(name)
            case PassJob(passed):
                assert passed.name not in {*self.started, *self.skipped, *self.passed}
                self.passing.append(passed)
            case SetAlarm(name, after):
                assert after >= 0
                self.alarms[name] = after
            case DropAlarm(name):
                self.alarms.pop(name, None)
            case SkipJob() | RetryJob() | EndJob() | EndErrand():
                self._record_end(action)

    def _record_end(self, action: SkipJob | RetryJob | EndJob | EndErrand) -> None:
        match action:
            case SkipJob(skipped, because):
                assert skipped.name not in {*self.started, *self.skipped, *self.passed}
                self.skipped[skipped.name] = because
            case RetryJob(retried, outcome):
                assert not outcome.ok
                self.resting[retried.name] = self._jobs[retried.name]
            case EndJob(over, outcome):
                assert over.name not in self.ended, "ended twice"
                self.resting.pop(over.name, None)
                self.ended[over.name] = outcome
                self.may_start &= outcome.ok or self._keep_going
            case EndErrand():
                pass

    def _record_start(self, started: Job, attempt: int) -> None:
        is_last = started == self.pipeline.teardown
        assert self.may_start or is_last, "started after the run was halted"
        assert started.name not in {*self.ended, *self.skipped, *self.running}
        assert self.started.count(started.name) == attempt - 1
        assert self.resting.pop(started.name, None) is not None or attempt == 1
        assert self._has_all(started.needs)
        self.started.append(started.name)
        self.running.append(started.name)
        self._jobs[started.name] = started
        jobs = [self._jobs[name] for name in self.running]
        jobs = [each for each in jobs if each.policy.service is None]
        assert sum(min(each.policy.slots, self.slots) for each in jobs) <= self.slots
        taken = Counter[str]()
        for each in jobs:
            taken.update(dict(each.policy.resources))
        assert all(taken[name] <= most for name, most in self.pipeline.resources)

    def _has_all(self, needs: Iterable[str]) -> bool:
        return all(self._is_met(need) for need in needs)

    def _is_met(self, need: str) -> bool:
        for family in self.pipeline.families:
            if family.name == need:
                return self._has_all(member.name for member in family.members())
        if need in self.ended:
            return self.ended[need].ok
        if need in self.running:
            return self._jobs[need].policy.service is not None
        return need in self.passed
