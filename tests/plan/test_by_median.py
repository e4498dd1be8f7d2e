from __future__ import annotations

from collections.abc import Mapping
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine import Engine
from penstock.executor.fake import FakeExecutor, Role
from penstock.model.action import CancelJob, SetAlarm, StartJob
from penstock.model.event import Finished, JobEnded, JobRetried
from penstock.model.outcome import Cancelled, Exited, Outcome, Signaled, TimedOut
from penstock.plan.by_median import LEAST_SUCCEEDED, RANG, ByMedian
from penstock.plan.feed import Feed, Rules
from penstock.plan.halt import Halt
from tests.plan.ledger import BEGIN
from tests.plan.test_feed import Numbered

LONG = Role(seconds=1e6)


class Run:
    """A run to its end, under a limit by the median; what became of the jobs."""

    def __init__(
        self,
        number: int,
        roles: Mapping[str, Role | list[Role]],
        *,
        slots: int = 1,
        percent: float = 200.0,
        rules: Rules | None = None,
    ) -> None:
        self.executor = FakeExecutor(roles, slots=slots)
        self.clock = self.executor.clock
        self.ended: list[Outcome] = []
        self.succeeded: list[tuple[float, float]] = []  # when, and after how long
        self.retried: list[Outcome] = []
        feed = Feed(
            Numbered(number),
            lambda: slots - len(self.executor._alive),
            rules or Rules(),
        )
        self.plan = ByMedian(feed, percent, self.clock.now)
        engine = Engine(self.executor, [self], clock=self.clock)
        self.result = engine.carry_out(self.plan, name="run")

    def receive(self, event: object) -> None:
        match event:
            case JobEnded(_, outcome, at):
                self.ended.append(outcome)
                if outcome.ok:
                    self.succeeded.append((at, outcome.elapsed))
            case JobRetried(_, outcome):
                self.retried.append(outcome)
            case _:
                pass

    def of(self, name: str) -> Outcome:
        (found,) = (outcome for outcome in self.ended if outcome.job == name)
        return found


def test_what_takes_longer_than_its_share_has_timed_out():
    run = Run(4, {"4": LONG})
    ending = TimedOut(
        2.0, "median", Signaled(15, core=False), escalated=False, percent=200.0
    )
    assert run.of("4").ending == ending
    assert run.of("4").stages[0].ending == ending
    assert run.clock.now() == pytest.approx(5.0)
    assert run.result.status == 124


def test_nothing_times_out_before_three_have_succeeded():
    run = Run(3, {"3": Role(seconds=1000.0)})
    assert [outcome.ok for outcome in run.ended] == [True] * 3


def test_jobs_that_fail_do_not_count():
    fails = Role(Exited(1), seconds=0.1)
    run = Run(6, {"1": fails, "2": fails, "3": fails, "6": Role(seconds=1000.0)})
    assert run.of("6").ok


def test_a_job_that_runs_already_is_ended_once_the_median_is_known():
    run = Run(4, {"1": LONG}, slots=2)
    assert isinstance(run.of("1").ending, TimedOut)
    assert run.clock.now() == 3.0


def test_the_limit_grows_with_the_median():
    roles = {
        **{str(n): Role(seconds=1.9) for n in range(4, 8)},
        "8": Role(seconds=3.0),
    }
    assert all(outcome.ok for outcome in Run(8, roles).ended)


def test_who_times_out_is_tried_again_and_its_clock_begins_anew():
    run = Run(4, {"4": [LONG, Role(seconds=1.5)]}, rules=Rules(tries=2))
    assert run.of("4").ok
    assert [type(outcome.ending) for outcome in run.retried] == [TimedOut]


def test_what_is_ended_for_another_reason_has_not_timed_out():
    roles = {"4": Role(Exited(1), seconds=1.5), "5": LONG}
    rules = Rules(halt=Halt(now=True, on="fail"))
    run = Run(9, roles, slots=5, rules=rules)
    assert isinstance(run.of("5").ending, Cancelled)
    assert run.clock.now() == 1.5


def test_it_says_how_an_ending_will_be_told_before_the_plan_is_told():
    asked: list[bool] = []

    class Asks:
        def before(self, job):
            return job, ()

        def after(self, _, outcome):
            told = plan.told(outcome)
            asked.append(isinstance(told.ending, TimedOut))
            return outcome

    executor = FakeExecutor({"4": LONG})
    feed = Feed(Numbered(4), lambda: 1 - len(executor._alive))
    plan = ByMedian(feed, 200.0, executor.clock.now)
    Engine(executor, clock=executor.clock, dispatch=Asks()).carry_out(plan, name="run")
    assert asked == [False, False, False, True]


SECONDS = st.sampled_from([0.1, 0.3, 1.0, 1.1, 2.5, 7.0, 50.0])
ROLES = st.builds(Role, st.sampled_from([Exited(0), Exited(0), Exited(1)]), SECONDS)


@given(
    st.lists(st.lists(ROLES, min_size=1, max_size=3), max_size=30),
    st.integers(1, 5),
    st.sampled_from([50.0, 100.0, 150.5, 200.0, 1000.0]),
    st.integers(1, 3),
)
def test_nobody_succeeds_who_took_longer_and_nobody_else_times_out(
    roles, slots, percent, tries
):
    named = {str(number): role for number, role in enumerate(roles, 1)}
    run = Run(len(roles), named, slots=slots, percent=percent, rules=Rules(tries=tries))
    assert sorted(outcome.job for outcome in run.ended) == sorted(named)
    limits = [
        outcome.ending.timeout
        for outcome in (*run.ended, *run.retried)
        if isinstance(outcome.ending, TimedOut)
    ]
    took = [elapsed for _, elapsed in run.succeeded]
    known = [
        median_low(took[:count]) * percent / 100
        for count in range(LEAST_SUCCEEDED, len(took) + 1)
    ]
    for limit in limits:
        assert any(limit == pytest.approx(each, rel=0.02) for each in known)
    for at, elapsed in run.succeeded:
        before = sum(ended < at for ended, _ in run.succeeded)
        if before >= LEAST_SUCCEEDED:
            assert elapsed <= known[before - LEAST_SUCCEEDED] * 1.02


def test_the_clock_of_a_job_that_waits_for_a_token_starts_when_it_begins():
    now = [0.0]
    plan = ByMedian(Feed(Numbered(5), lambda: 5), 200.0, lambda: now[0], waits=True)
    jobs = [a.job for a in plan.handle(BEGIN) if isinstance(a, StartJob)]
    assert len(jobs) == 5
    for job in jobs[:3]:
        plan.begin(job.name)
    now[0] = 1.0
    ended = [Outcome(job.name, Exited(0), ok=True, elapsed=1.0) for job in jobs[:3]]
    told = [
        action
        for job, outcome in zip(jobs, ended, strict=False)
        for action in plan.handle(Finished(job, outcome))
    ]
    assert SetAlarm("median", 2.0) in told
    now[0] = 3.0
    assert [*plan.handle(RANG)] == [SetAlarm("median", 2.0)]  # nothing has begun
    plan.begin("4")
    now[0] = 4.5
    assert [*plan.handle(RANG)] == [SetAlarm("median", 0.5)]
    now[0] = 5.0
    assert [a.name for a in plan.handle(RANG) if isinstance(a, CancelJob)] == ["4"]
