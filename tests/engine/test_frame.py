from __future__ import annotations

from collections.abc import Sequence

import pytest

from penstock.engine import Engine
from penstock.errors import UsageError
from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.model.action import PassJob
from penstock.model.event import RunEnded
from penstock.model.job import Job, Pipeline
from penstock.model.outcome import Exited, Outcome
from penstock.model.policy import Policy, Retry, Service
from tests.engine.policies import ASK, Story, job, run

FAIL = Role(Exited(3))
ENDLESS = Role(seconds=FOREVER)


def framed(*jobs: Job) -> Pipeline:
    return Pipeline(
        jobs or (job("a"),),
        setup=job("setup"),
        teardown=job("teardown"),
        on_success=job("good"),
        on_failure=job("bad"),
        always=job("always"),
    )


def environment(fake: FakeExecutor, name: str) -> dict[str, str]:
    notice = next(each for each in fake.submitted if each.name == name)
    return dict(notice.stages[0].command.env)


def test_setup_goes_first_then_the_jobs_then_teardown_then_notices():
    fake = FakeExecutor(slots=3)
    result, story = run(fake, framed(job("a"), job("b")))
    assert story.told == [
        *("start setup", "ok setup", "start a", "start b", "ok a", "ok b"),
        *("start teardown", "ok teardown", "yes good", "yes always"),
    ]
    assert (result.status, result.tally.jobs) == (0, 4)
    assert environment(fake, "always") == {
        "PENSTOCK_STATUS": "0",
        "PENSTOCK_FAILED": "",
    }


def test_if_setup_fails_no_job_is_started_but_teardown_is():
    fake = FakeExecutor({"setup": FAIL})
    result, story = run(fake, framed())
    assert story.told == [
        *("start setup", "FAIL setup", "skip a: job setup failed"),
        *("start teardown", "ok teardown", "yes bad", "yes always"),
    ]
    assert result.status == 1
    assert environment(fake, "bad")["PENSTOCK_FAILED"] == "setup"


def test_teardown_runs_after_a_failure_and_its_own_failure_counts():
    result, story = run(FakeExecutor({"teardown": FAIL}), framed())
    assert story.told[-4:] == [
        "start teardown",
        "FAIL teardown",
        "yes bad",
        "yes always",
    ]
    assert result.status == 1


def test_how_a_notice_ends_changes_nothing():
    result, story = run(FakeExecutor({"good": FAIL, "always": FAIL}), framed())
    assert story.told[-2:] == ["no good", "no always"]
    assert (result.status, result.tally.failed) == (0, 0)


def test_teardown_and_notices_run_after_a_signal_and_hear_of_it():
    fake = FakeExecutor({"a": ENDLESS}, signals=[(3.0, 15)])
    result, story = run(fake, framed())
    assert story.told[3:] == [
        *("FAIL a", "start teardown", "ok teardown", "yes bad", "yes always")
    ]
    assert environment(fake, "always")["PENSTOCK_STATUS"] == "143"
    assert result.status == 143


def test_notices_hear_that_the_deadline_of_the_run_has_passed():
    fake = FakeExecutor({"a": ENDLESS})
    result, story = run(fake, framed(), deadline=3.0)
    assert story.told[3:] == [
        *("FAIL a", "start teardown", "ok teardown", "yes bad", "yes always")
    ]
    assert environment(fake, "always")["PENSTOCK_STATUS"] == "124"
    assert result.status == 124


@pytest.mark.parametrize("slow", ["teardown", "good", "always"])
def test_the_deadline_of_the_run_is_none_for_what_comes_after_the_jobs(slow: str):
    fake = FakeExecutor({slow: Role(seconds=60.0)})
    result, story = run(fake, framed(), deadline=3.0)
    assert story.told[-3:] == ["ok teardown", "yes good", "yes always"]
    assert environment(fake, "always")["PENSTOCK_STATUS"] == "0"
    assert (result.status, result.tally.overdue) == (0, False)


def test_a_second_signal_skips_what_would_follow():
    roles = {"a": Role(seconds=FOREVER, dying=FOREVER)}
    fake = FakeExecutor(roles, signals=[(3.0, 2), (4.0, 2)])
    result, story = run(fake, framed())
    assert story.told[3:] == ["FAIL a", "skip teardown: interrupted twice"]
    assert (result.status, fake.clock.now()) == (130, 4.0)


def test_teardown_goes_on_after_one_signal_and_is_ended_by_two():
    fake = FakeExecutor({"teardown": ENDLESS}, signals=[(3.0, 2), (9.0, 2)])
    _, story = run(fake, framed())
    assert story.told[-2:] == ["start teardown", "FAIL teardown"]
    assert fake.clock.now() == 9.0


def test_a_signal_ends_the_notices_and_another_one_ends_them_at_once():
    dying = Role(seconds=FOREVER, dying=2.0)
    fake = FakeExecutor({"good": dying}, signals=[(4.0, 2)])
    result, story = run(fake, framed())
    assert story.told[-1] == "no good"
    assert (result.status, fake.clock.now()) == (130, 6.0)
    fake = FakeExecutor({"good": dying}, signals=[(4.0, 2), (5.0, 2)])
    run(fake, framed())
    assert fake.clock.now() == 5.0


def test_after_a_signal_for_the_jobs_the_next_one_ends_a_notice_at_once():
    roles = {"a": ENDLESS, "bad": Role(seconds=FOREVER, dying=FOREVER)}
    fake = FakeExecutor(roles, signals=[(2.5, 2), (9.0, 2)])
    result, story = run(fake, framed())
    assert story.told[-1] == "no bad"
    assert (result.status, fake.clock.now()) == (130, 9.0)


def test_a_signal_during_setup_skips_the_jobs_and_tears_down():
    fake = FakeExecutor({"setup": ENDLESS}, signals=[(1.0, 2)])
    _, story = run(fake, framed())
    assert story.told == [
        *("start setup", "FAIL setup", "skip a: interrupted by SIGINT"),
        *("start teardown", "ok teardown", "yes bad", "yes always"),
    ]


class Passes:
    """A dispatch that says of one job that there is no need."""

    def before(self, job: Job) -> tuple[Job, Sequence[int]] | PassJob:
        return PassJob(job, "no need") if job.name == "good" else (job, ())

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        del job
        return outcome


def test_a_notice_that_the_dispatch_passes_over_is_over():
    fake, story = FakeExecutor(), Story()
    engine = Engine(fake, [story], clock=fake.clock, dispatch=Passes())
    result = engine.run(framed(), name="test")
    assert story.told[-2:] == ["pass good: no need", "yes always"]
    assert result.status == 0


class Breaks:
    """A dispatch that raises, before or after some jobs."""

    def __init__(self, *when: str) -> None:
        self.when = when

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        self._ask(f"before {job.name}")
        return job, ()

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        self._ask(f"after {job.name}")
        return outcome

    def _ask(self, moment: str) -> None:
        if moment in self.when:
            raise UsageError(f"{moment}\nhint: mend it")


def cut_short(fake: FakeExecutor, pipeline: Pipeline, *when: str) -> Story:
    """The story of a run in which the dispatch raises; the first error comes out."""
    story = Story()
    engine = Engine(
        fake, [story], clock=fake.clock, interrupts=fake, dispatch=Breaks(*when)
    )
    with pytest.raises(UsageError, match=when[0]):
        engine.run(pipeline, name="test", keep_going=True)
    ended = story.events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.status == 2
    return story


AFTERWARDS = ("start teardown", "ok teardown", "yes bad", "yes always")


def test_an_error_before_a_job_ends_the_others_and_all_is_torn_down():
    fake = FakeExecutor({"a": ENDLESS}, slots=2)
    jobs = (job("a"), job("b"), job("c"))
    story = cut_short(fake, framed(*jobs), "before b")
    assert story.told[2:] == [
        *("start a", "skip c: before b", "FAIL b", "FAIL a", *AFTERWARDS)
    ]
    assert fake.cancelled == [("a", "before b", False)]
    assert environment(fake, "always") == {
        "PENSTOCK_STATUS": "2",
        "PENSTOCK_FAILED": "b a",
    }


def test_an_error_after_a_job_fails_it_and_all_is_torn_down():
    fake = FakeExecutor({"a": ENDLESS}, slots=2)
    again = Policy(retry=Retry(times=5))
    jobs = (job("a"), job("b", policy=again), job("c"))
    story = cut_short(fake, framed(*jobs), "after b", "after a")
    assert story.told[2:] == [
        *("start a", "start b", "skip c: after b", "FAIL b", "FAIL a", *AFTERWARDS)
    ]


def test_an_error_after_setup_skips_the_jobs_and_tears_down():
    story = cut_short(FakeExecutor(), framed(), "after setup", "after teardown")
    assert story.told == [
        *("start setup", "FAIL setup", "skip a: after setup"),
        *("start teardown", "FAIL teardown", "yes bad", "yes always"),
    ]


def test_an_error_before_setup_or_teardown_is_the_end_of_these_alone():
    story = cut_short(FakeExecutor(), framed(), "before setup", "before teardown")
    assert story.told == [
        *("FAIL setup", "skip a: before setup"),
        *("FAIL teardown", "yes bad", "yes always"),
    ]


def test_an_error_around_a_notice_does_not_keep_the_next_from_running():
    story = cut_short(FakeExecutor({"a": FAIL}), framed(), "before bad")
    assert story.told[-2:] == ["no bad", "yes always"]


def test_one_signal_after_an_error_leaves_teardown_to_be_run():
    roles = {"a": Role(seconds=FOREVER, dying=5.0), "b": Role(seconds=2.0)}
    fake = FakeExecutor(roles, slots=2, signals=[(4.0, 13)])
    story = cut_short(fake, framed(job("a"), job("b")), "after b")
    assert story.told[-4:] == [*AFTERWARDS]


def test_an_alarm_of_what_is_over_is_not_heard_by_a_notice():
    service = job("db", policy=Policy(service=Service(ASK, within=30.0)))
    roles = {"db": ENDLESS, "always": Role(seconds=60.0)}
    fake = FakeExecutor(roles, slots=3)
    result, story = run(fake, framed(service, job("a", "db")))
    assert story.told[-1] == "yes always"
    assert result.status == 0


@pytest.mark.parametrize(("pause", "status"), [(0.0, 124), (10.0, 0)])
def test_no_time_passes_for_a_run_that_stands_still(pause: float, status: int):
    fake = FakeExecutor({"a": Role(seconds=8.0)})

    class Paused:
        """`Interrupts` that hear of a Ctrl-Z, and of its end, at the first time."""

        left = pause

        def take(self) -> None:
            engine.postpone(self.left)
            self.left = 0.0

    engine = Engine(fake, clock=fake.clock, interrupts=Paused())
    pipeline = Pipeline((job("a"),))
    assert engine.run(pipeline, name="test", deadline=5.0).status == status
