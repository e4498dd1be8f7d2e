from __future__ import annotations

from collections.abc import Sequence

import pytest

from penstock.engine import Engine, RunResult
from penstock.errors import UsageError
from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.model.action import PassJob, SetAlarm
from penstock.model.command import Command
from penstock.model.event import (
    AlarmRang,
    Event,
    JobEnded,
    JobPassed,
    JobSkipped,
    JobStarted,
    RunEnded,
    RunStarted,
)
from penstock.model.job import Job, Pipeline, Stage
from penstock.model.limits import Limits
from penstock.model.outcome import Exited, Lost, Outcome
from penstock.model.tally import Tally

FAIL = Role(Exited(1))
ENDLESS = Role(seconds=FOREVER)


def job(name: str, *needs: str, timeout: float | None = None) -> Job:
    stage = Stage("only", Command(("x",), "x"), limits=Limits(timeout=timeout))
    return Job(name, (stage,), needs=needs)


class Listener:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def receive(self, event: Event) -> None:
        self.events.append(event)

    def told(self) -> list[str]:
        return [_short(event) for event in self.events]


def _short(event: Event) -> str:
    match event:
        case JobStarted(job) | JobEnded(job) | JobSkipped(job) | JobPassed(job):
            return f"{type(event).__name__} {job.name}"
        case _:
            return type(event).__name__


class Deaf:
    """A sink with a bug: it fails at every event."""

    def __init__(self) -> None:
        self.times = 0

    def receive(self, event: Event) -> None:
        del event
        self.times += 1
        raise LookupError("bug")


def run(
    fake: FakeExecutor, *jobs: Job, keep_going: bool = False
) -> tuple[RunResult, Listener]:
    listener = Listener()
    engine = Engine(fake, [listener], clock=fake.clock, interrupts=fake)
    result = engine.run(Pipeline(jobs), name="test", keep_going=keep_going)
    return result, listener


def test_an_empty_pipeline_succeeds():
    result, listener = run(FakeExecutor())
    assert result.status == 0
    assert listener.told() == ["RunStarted", "RunEnded"]


def test_every_event_is_told_in_order():
    _, listener = run(FakeExecutor(), job("b", "a"), job("a"))
    assert listener.told() == [
        "RunStarted",
        "JobStarted a",
        "JobEnded a",
        "JobStarted b",
        "JobEnded b",
        "RunEnded",
    ]


def test_time_is_that_of_the_clock():
    fake = FakeExecutor()
    _, listener = run(fake, job("a"), job("b"))
    end = listener.events[-1]
    assert isinstance(end, RunEnded)
    assert (end.elapsed, end.at) == (2.0, fake.clock.wall())


def test_slots_are_used_and_not_exceeded():
    fake = FakeExecutor(slots=3)
    result, _ = run(fake, *[job(name) for name in "abcdefg"])
    assert (fake.most_alive, result.tally.succeeded) == (3, 7)


def test_a_failure_ends_the_run():
    fake = FakeExecutor({"a": FAIL, "b": ENDLESS}, slots=2)
    result, _ = run(fake, job("a"), job("b"), job("c"))
    assert result.status == 1
    assert fake.cancelled == [("b", "job a failed", False)]
    assert result.tally[:5] == (0, 0, 1, 1, 1)


def test_keep_going_finishes_what_it_can():
    fake = FakeExecutor({"a": FAIL})
    jobs = [job("a"), job("b", "a"), job("c")]
    result, _ = run(fake, *jobs, keep_going=True)
    assert (result.status, result.tally.succeeded, result.tally.skipped) == (1, 1, 1)


def test_if_all_failures_are_timeouts_the_status_says_so():
    fake = FakeExecutor({"a": ENDLESS})
    result, _ = run(fake, job("a", timeout=9.0), job("b"))
    assert result.status == 124


def test_a_lost_job_makes_the_status_125():
    result, _ = run(FakeExecutor({"a": Role(Lost("worker killed"))}), job("a"))
    assert result.status == 125


def test_a_signal_cancels_and_skips_and_is_the_status():
    fake = FakeExecutor({"a": ENDLESS}, signals=[(3.0, 15)])
    result, listener = run(fake, job("a"), job("b"))
    assert (result.status, result.tally.signal) == (143, 15)
    assert listener.told()[2:] == [
        "Interrupted",
        "JobSkipped b",
        "JobEnded a",
        "RunEnded",
    ]


def test_a_second_signal_takes_the_grace_away():
    stubborn = Role(seconds=FOREVER, dying=FOREVER)
    fake = FakeExecutor({"a": stubborn}, signals=[(3.0, 2), (4.0, 2)])
    run(fake, job("a"))
    assert [now for _, _, now in fake.cancelled] == [False, True]
    assert fake.clock.now() == 4.0


def test_two_signals_at_one_instant_are_both_heard():
    stubborn = Role(seconds=FOREVER, dying=FOREVER)
    fake = FakeExecutor({"a": stubborn}, signals=[(3.0, 2), (3.0, 2)])
    run(fake, job("a"))
    assert fake.clock.now() == 3.0


def test_nothing_is_started_when_a_signal_comes_together_with_an_ending():
    fake = FakeExecutor(signals=[(1.0, 2)])
    _, listener = run(fake, job("a"), job("b"))
    assert "JobStarted b" not in listener.told()


def test_a_sink_that_raises_is_dropped_and_the_run_goes_on():
    fake, deaf, listener = FakeExecutor(), Deaf(), Listener()
    engine = Engine(fake, [deaf, listener], clock=fake.clock)
    result = engine.run(Pipeline((job("a"),)), name="test")
    assert (result.tally.succeeded, deaf.times) == (1, 1)
    assert listener.told()[-1] == "RunEnded"
    assert result.status == 125
    assert [str(fault) for fault in result.faults] == ["bug"]


def test_an_engine_runs_one_pipeline_after_the_other():
    fake = FakeExecutor({"a": FAIL})
    engine = Engine(fake)
    assert engine.run(Pipeline((job("a"),)), name="first").status == 1
    assert engine.run(Pipeline((job("b"),)), name="second").status == 0


def test_what_cannot_be_ordered_is_refused_before_anything_starts():
    fake = FakeExecutor()
    with pytest.raises(UsageError, match="a -> a"):
        run(fake, job("a", "a"))
    assert fake.submitted == []


class Renames:
    """A dispatch that changes the job and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        self.asked.append(f"before {job.name}")
        return job._replace(limits=Limits(timeout=5.0)), (7,)

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        self.asked.append(f"after {job.name} {job.limits.timeout} {outcome.status}")
        return outcome


def test_the_dispatch_is_asked_around_each_job_and_its_job_is_the_one_that_runs():
    fake, dispatch, listener = FakeExecutor(), Renames(), Listener()
    engine = Engine(fake, [listener], clock=fake.clock, dispatch=dispatch)
    engine.run(Pipeline((job("a"),)), name="test")
    assert dispatch.asked == ["before a", "after a 5.0 0"]
    assert [each.limits.timeout for each in fake.submitted] == [5.0]


class Fails(Renames):
    def after(self, job: Job, outcome: Outcome) -> Outcome:
        super().after(job, outcome)
        raise BrokenPipeError


def test_what_the_dispatch_raises_ends_the_run():
    with pytest.raises(BrokenPipeError):
        Engine(FakeExecutor(), dispatch=Fails()).run(Pipeline((job("a"),)), name="test")


class Knows:
    """A dispatch that passes over some jobs, and lets others fail."""

    def __init__(self, done: str, bad: str = "") -> None:
        self.done = done
        self.bad = bad

    def before(self, job: Job) -> tuple[Job, Sequence[int]] | PassJob:
        return PassJob(job, "up to date") if job.name in self.done else (job, ())

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        return outcome._replace(ok=outcome.ok and job.name not in self.bad)


def test_what_the_dispatch_passes_over_counts_as_success_for_those_that_need_it():
    fake, listener = FakeExecutor(), Listener()
    engine = Engine(fake, [listener], clock=fake.clock, dispatch=Knows("ab"))
    jobs = (job("a"), job("b", "a"), job("c", "b"))
    result = engine.run(Pipeline(jobs), name="test")
    assert [each.name for each in fake.submitted] == ["c"]
    assert (result.status, result.tally) == (0, Tally(succeeded=1, passed=2))
    assert listener.told() == [
        "RunStarted",
        "JobPassed a",
        "JobPassed b",
        "JobStarted c",
        "JobEnded c",
        "RunEnded",
    ]


def test_a_signal_is_heard_before_what_was_passed_over():
    fake, listener = FakeExecutor(signals=[(0.0, 2)]), Listener()
    engine = Engine(
        fake, [listener], clock=fake.clock, interrupts=fake, dispatch=Knows("ab")
    )
    engine.run(Pipeline((job("a"), job("b"), job("c"))), name="test")
    assert fake.submitted == []
    assert listener.told()[1:3] == ["Interrupted", "JobSkipped b"]


def test_a_job_ends_as_the_dispatch_says():
    fake = FakeExecutor()
    result = Engine(fake, clock=fake.clock, dispatch=Knows("", "a")).run(
        Pipeline((job("a"), job("b", "a"))), name="test"
    )
    assert (result.status, result.tally) == (1, Tally(failed=1, skipped=1))


class Decides:
    """A plan that has one job, and passes it over."""

    is_done = False

    def handle(self, event):
        self.is_done = isinstance(event, JobPassed)
        return [PassJob(job("a"), "no need")] if isinstance(event, RunStarted) else []


def test_a_plan_may_pass_a_job_over_and_is_told_so():
    fake, listener = FakeExecutor(), Listener()
    Engine(fake, [listener], clock=fake.clock).carry_out(Decides(), name="run")
    assert listener.told() == ["RunStarted", "JobPassed a", "RunEnded"]


class Sleeper:
    """A plan without a job: it sets alarms, and is done when the last one rang."""

    def __init__(self, *alarms: tuple[str, float]) -> None:
        self.alarms = alarms
        self.rang: list[str] = []

    @property
    def is_done(self) -> bool:
        return "last" in self.rang

    def handle(self, event):
        if isinstance(event, RunStarted):
            return [SetAlarm(*alarm) for alarm in self.alarms]
        if isinstance(event, AlarmRang):
            self.rang.append(event.name)
        return []


def test_alarms_ring_in_the_order_of_their_times_and_no_sink_hears_them():
    plan, listener = (
        Sleeper(("last", 5.0), ("a", 2.0), ("a", 4.0), ("b", 3.0)),
        Listener(),
    )
    fake = FakeExecutor()
    result = Engine(fake, [listener], clock=fake.clock).carry_out(plan, name="run")
    assert plan.rang == ["b", "a", "last"]
    assert (result.status, fake.clock.now()) == (0, 5.0)
    assert listener.told() == ["RunStarted", "RunEnded"]
