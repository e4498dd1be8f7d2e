from __future__ import annotations

import pytest

from penstock.errors import UsageError
from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.model.command import Command
from penstock.model.event import JobEnded
from penstock.model.job import Family, Pipeline
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    Outcome,
    TimedOut,
)
from penstock.model.policy import Policy, Retry, Service
from penstock.plan.services import Services
from tests.engine.policies import ASK, Story, job, run

SERVE = Policy(service=Service())
ASKED = Policy(service=Service(ASK, within=30.0))
ENDLESS = Role(seconds=FOREVER)
QUICK, NO = Role(seconds=0.0), Role(Exited(1), seconds=0.0)


def outcomes(story: Story) -> dict[str, JobEnded]:
    events = [event for event in story.events if isinstance(event, JobEnded)]
    return {event.job.name: event for event in events}


def test_a_service_runs_while_others_need_it_and_is_then_stopped():
    fake = FakeExecutor({"db": ENDLESS}, slots=3)
    jobs = (job("db", policy=SERVE), job("a", "db"), job("b", "db"), job("c", "a"))
    result, story = run(fake, Pipeline(jobs))
    assert story.told == [
        *("start db", "start a", "ok a", "start b", "ok b", "start c", "ok db", "ok c")
    ]
    assert fake.cancelled == [("db", "no job needs it any more", False)]
    assert (result.status, result.tally.succeeded) == (0, 4)


def test_a_service_takes_no_slot_and_is_asked_until_it_is_ready():
    fake = FakeExecutor({"db": ENDLESS, "-ready db": [NO, NO, QUICK]}, slots=3)
    jobs = (job("db", policy=ASKED), job("a", "db"), job("other"))
    result, story = run(fake, Pipeline(jobs))
    assert story.told == [
        *("start db", "start other", "no -ready db", "no -ready db", "yes -ready db"),
        *("ok other", "start a", "ok a", "ok db"),
    ]
    assert result.tally.jobs == 3


def test_a_service_that_is_not_ready_in_time_has_timed_out():
    fake = FakeExecutor({"db": ENDLESS, "-ready db": NO}, slots=3)
    result, story = run(fake, Pipeline((job("db", policy=ASKED), job("a", "db"))))
    assert story.told[-2:] == ["FAIL db", "skip a: job db failed"]
    ending = outcomes(story)["db"].outcome.ending
    assert isinstance(ending, TimedOut)
    assert ending[:2] == (30.0, "ready")
    assert (result.status, fake.clock.now()) == (124, 30.0)


NO_SUCH = NotStarted(2, "ask: not found in PATH", "command")


def test_a_service_that_can_never_be_asked_has_failed():
    never = ASKED._replace(retry=Retry(times=3))
    fake = FakeExecutor({"db": ENDLESS, "-ready db": Role(NO_SUCH)}, slots=3)
    result, story = run(fake, Pipeline((job("db", policy=never), job("a", "db"))))
    assert story.told == [
        *("start db", "no -ready db", "FAIL db", "skip a: job db failed")
    ]
    remark = outcomes(story)["db"].outcome.remark
    assert remark == "its `ready` could not be asked: ask: not found in PATH"
    assert (result.status, result.tally.failed) == (1, 1)


@pytest.mark.parametrize("doubtful", [NO_SUCH, Exited(126)])
def test_what_a_service_may_still_make_is_asked_again_and_told_at_the_end(
    doubtful: Ending,
):
    ask = Command(("./ask",), "./ask")
    policy = Policy(service=Service(ask, within=9.0))
    fake = FakeExecutor({"db": ENDLESS, "-ready db": Role(doubtful)}, slots=3)
    result, story = run(fake, Pipeline((job("db", policy=policy), job("a", "db"))))
    assert story.told.count("no -ready db") > 1
    told = outcomes(story)["db"].outcome
    assert isinstance(told.ending, TimedOut)
    assert str(told.remark).startswith("its `ready` could not be asked: ")
    assert result.status == 124


def test_of_a_check_that_said_no_at_last_nothing_more_is_told():
    answers = [Role(Exited(126), seconds=0.0), NO]
    fake = FakeExecutor({"db": ENDLESS, "-ready db": answers}, slots=3)
    policy = Policy(service=Service(ASK, within=9.0))
    _, story = run(fake, Pipeline((job("db", policy=policy), job("a", "db"))))
    assert outcomes(story)["db"].outcome.remark is None


@pytest.mark.parametrize("times", [1, 2])
def test_a_service_that_was_not_ready_yet_has_not_ended_well(times: int):
    signals = [(1.0 + time, 2) for time in range(times)]
    dying = Role(seconds=FOREVER, dying=5.0)
    fake = FakeExecutor({"db": dying, "-ready db": NO}, slots=3, signals=signals)
    result, story = run(fake, Pipeline((job("db", policy=ASKED), job("a", "db"))))
    assert story.told[-1] == "FAIL db"
    assert isinstance(outcomes(story)["db"].outcome.ending, Cancelled)
    assert (result.status, result.tally.cancelled) == (130, 1)


def test_a_question_that_hangs_is_ended_with_the_service():
    fake = FakeExecutor({"db": ENDLESS, "-ready db": ENDLESS}, slots=3)
    run(fake, Pipeline((job("db", policy=ASKED),)))
    assert [name for name, _, _ in fake.cancelled] == ["-ready db", "db"]


@pytest.mark.parametrize("keep_going", [False, True])
def test_a_service_that_ends_early_fails_those_that_need_it(*, keep_going: bool):
    fake = FakeExecutor({"db": Role(seconds=5.0), "a": ENDLESS}, slots=3)
    jobs = (job("db", policy=SERVE), job("a", "db"), job("b", "db"))
    result, story = run(fake, Pipeline((*jobs, job("c", "b"))), keep_going=keep_going)
    assert story.told[:3] == ["start db", "start a", "FAIL db"]
    assert sorted(story.told[3:]) == [
        *("FAIL a", "skip b: job db failed", "skip c: job db failed")
    ]
    assert outcomes(story)["db"].outcome.remark == (
        "this service ended while jobs needed it"
    )
    assert fake.cancelled == [("a", "job db failed", False)]
    assert (result.status, result.tally[:5]) == (1, (0, 0, 1, 1, 2))


def test_a_service_that_dies_before_it_is_ready_may_be_tried_again():
    policy = ASKED._replace(retry=Retry(times=1, backoff=2.0))
    fake = FakeExecutor(
        {"db": [Role(Exited(1), seconds=0.01), ENDLESS], "-ready db": [NO, QUICK]},
        slots=3,
    )
    result, story = run(fake, Pipeline((job("db", policy=policy), job("a", "db"))))
    assert "retry db 1 2" in story.told
    assert story.told[-3:] == ["start a", "ok a", "ok db"]
    assert result.status == 0


def test_services_that_need_each_other_are_stopped_in_reverse():
    fake = FakeExecutor({"db": ENDLESS, "web": ENDLESS}, slots=5)
    jobs = (job("db", policy=SERVE), job("web", "db", policy=SERVE), job("a", "web"))
    _, story = run(fake, Pipeline(jobs))
    assert story.told == [
        *("start db", "start web", "start a", "ok a", "ok web", "ok db")
    ]


def test_after_a_failure_a_service_outlives_those_that_need_it():
    fake = FakeExecutor(
        {"db": ENDLESS, "a": Role(seconds=FOREVER, dying=3.0), "bad": Role(Exited(1))},
        slots=4,
    )
    jobs = (job("db", policy=SERVE), job("a", "db"), job("bad"))
    result, story = run(fake, Pipeline(jobs))
    assert story.told[-3:] == ["FAIL bad", "FAIL a", "ok db"]
    assert (result.status, fake.clock.now()) == (1, 4.0)


def test_a_signal_ends_jobs_then_services_and_a_second_one_all_at_once():
    roles = {"db": ENDLESS, "a": Role(seconds=FOREVER, dying=FOREVER)}
    fake = FakeExecutor(roles, slots=3, signals=[(1.0, 2), (2.0, 2)])
    result, story = run(fake, Pipeline((job("db", policy=SERVE), job("a", "db"))))
    assert [(name, now) for name, _, now in fake.cancelled] == [
        *(("a", False), ("db", True), ("a", True))
    ]
    assert sorted(story.told[2:]) == ["FAIL a", "ok db"]
    assert (result.status, fake.clock.now()) == (130, 2.0)


def test_a_service_that_a_family_needs_runs_until_its_last_member_is_over():
    family = Family("f", ("db",), lambda: iter([job("f-0"), job("f-1")]))
    fake = FakeExecutor({"db": ENDLESS}, slots=3)
    _, story = run(fake, Pipeline((job("db", policy=SERVE),), families=(family,)))
    assert story.told == [
        *("start db", "start f-0", "ok f-0", "start f-1", "ok f-1", "ok db")
    ]


def test_a_service_that_nobody_needs_is_started_and_stopped():
    fake = FakeExecutor({"db": ENDLESS, "-ready db": QUICK}, slots=3)
    _, story = run(fake, Pipeline((job("db", policy=ASKED),)))
    assert story.told == ["start db", "yes -ready db", "ok db"]


def test_a_family_cannot_serve():
    family = Family("f", (), lambda: iter([job("f-0", policy=SERVE)]))
    with pytest.raises(UsageError, match="service f-0 is one of a family"):
        run(FakeExecutor(slots=3), Pipeline((), families=(family,)))


def test_a_daemon_that_is_not_ready_in_time_has_timed_out_though_its_leader_exited():
    services = Services({"db": 0})
    (*_,) = services.start(job("db", policy=ASKED))
    (*_,) = services.give_up("db")
    outcome, was_ready = services.judge("db", Outcome("db", Exited(0), ok=True))
    assert outcome.ending == TimedOut(30.0, "ready", Exited(0), escalated=False)
    assert (outcome.ok, was_ready) == (False, False)


def test_a_service_whose_worker_was_killed_is_lost_though_it_was_late():
    services = Services({"db": 0})
    (*_,) = services.start(job("db", policy=ASKED))
    (*_,) = services.give_up("db")
    outcome, _ = services.judge("db", Outcome("db", Lost("killed"), ok=False))
    assert outcome.ending == Lost("killed")
