from __future__ import annotations

from penstock.model.action import (
    CancelJob,
    EndJob,
    SetAlarm,
    SkipJob,
    StartJob,
)
from penstock.model.event import AlarmRang, Finished
from penstock.model.job import Pipeline
from penstock.model.outcome import Cancelled, Exited, Outcome, Signaled, TimedOut
from penstock.model.policy import Policy, Retry
from penstock.model.verdict import unseen
from penstock.plan.deadline import CAUSE, Deadline
from penstock.plan.scheduler import Scheduler
from tests.plan.ledger import BEGIN, job

TERM = Signaled(15, core=False)
RANG = AlarmRang("deadline")


def of(*names: str) -> Deadline:
    pipeline = Pipeline(tuple(map(job, names)))
    return Deadline(Scheduler(pipeline, 1, keep_going=True), 5.0)


def test_the_alarm_is_set_at_the_start_and_the_plan_begins():
    assert list(of("a", "b").handle(BEGIN)) == [
        SetAlarm("deadline", 5.0),
        StartJob(job("a")),
    ]


def test_when_it_passes_what_runs_is_cancelled_and_what_waits_is_skipped():
    plan = of("a", "b")
    list(plan.handle(BEGIN))
    told = list(plan.handle(RANG))
    assert CancelJob("a", CAUSE) in told
    assert SkipJob(job("b"), CAUSE) in told
    assert plan.has_passed
    assert not plan.is_done


def test_what_it_ended_has_timed_out_and_nothing_else_is_started():
    plan = of("a", "b")
    list(plan.handle(BEGIN))
    list(plan.handle(RANG))
    ended = unseen(job("a"), Cancelled(CAUSE, TERM, escalated=False))
    (told,) = plan.handle(Finished(job("a"), ended))
    assert isinstance(told, EndJob)
    assert told.outcome.ending == TimedOut(5.0, "run", TERM, escalated=False)
    assert plan.is_done


def test_what_ended_by_itself_keeps_its_ending():
    plan = of("a", "b")
    list(plan.handle(BEGIN))
    list(plan.handle(RANG))
    own = Outcome("a", Exited(3), ok=False)
    assert EndJob(job("a"), own) in plan.handle(Finished(job("a"), own))


def test_who_is_done_in_time_hears_nothing_of_it():
    plan = of("a")
    list(plan.handle(BEGIN))
    list(plan.handle(Finished(job("a"), Outcome("a", Exited(0), ok=True))))
    assert plan.is_done
    assert not plan.has_passed


def test_who_waits_for_another_attempt_is_told_why_there_is_none():
    again = job("a")._replace(policy=Policy(retry=Retry(3, 60.0)))
    plan = Deadline(Scheduler(Pipeline((again,)), 1), 5.0)
    list(plan.handle(BEGIN))
    list(plan.handle(Finished(again, Outcome("a", Exited(3), ok=False))))
    (told,) = plan.handle(RANG)
    assert isinstance(told, EndJob)
    assert told.outcome.ending == Exited(3)
    assert told.outcome.remark == f"not tried again: {CAUSE}"
    assert plan.is_done
