from __future__ import annotations

import pytest

from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.model.event import JobEnded
from penstock.model.job import Pipeline
from penstock.model.outcome import Ending, Exited, Lost, NotStarted, Signaled
from penstock.model.policy import Policy, Retry
from tests.engine.policies import job, run

FAIL = Role(Exited(1))
TWICE = Policy(retry=Retry(times=2, backoff=10.0))


def test_a_failed_job_is_tried_again_until_it_succeeds():
    fake = FakeExecutor({"a": [FAIL, FAIL, Role()]})
    result, story = run(fake, Pipeline((job("a", policy=TWICE), job("b", "a"))))
    assert story.told == [
        *("start a", "retry a 1 10", "start a", "retry a 2 20", "start a", "ok a"),
        *("start b", "ok b"),
    ]
    assert (result.status, result.tally.jobs, result.tally.succeeded) == (0, 2, 2)
    assert fake.clock.now() == 1 + 10 + 1 + 20 + 1 + 1


def test_after_the_last_attempt_the_failure_is_final_and_told_once():
    result, story = run(
        FakeExecutor({"a": FAIL}), Pipeline((job("a", policy=TWICE), job("b", "a")))
    )
    assert story.told[-2:] == ["FAIL a", "skip b: job a failed"]
    assert (result.status, result.tally.failed, result.tally.jobs) == (1, 1, 2)
    ended = [event for event in story.events if isinstance(event, JobEnded)]
    assert [event.attempt for event in ended] == [3]


def test_the_slot_is_free_during_the_backoff():
    fake = FakeExecutor({"a": [FAIL, Role()]})
    _, story = run(fake, Pipeline((job("a", policy=TWICE), job("b"))))
    assert story.told == [
        *("start a", "retry a 1 10", "start b", "ok b", "start a", "ok a")
    ]


def test_a_retry_goes_before_what_comes_later_in_the_file():
    policy = Policy(retry=Retry(times=1, backoff=1.5))
    fake = FakeExecutor({"a": [FAIL, Role()]})
    jobs = (job("a", policy=policy), job("b"), job("c"), job("d"))
    _, story = run(fake, Pipeline(jobs))
    assert [each.name for each in fake.submitted] == ["a", "b", "c", "a", "d"]
    assert "retry a 1 1.5" in story.told


@pytest.mark.parametrize(
    ("ending", "on", "tries"),
    [
        (Exited(1), ("exit",), 3),
        (Exited(1), ("signal", "timeout", "lost"), 1),
        (Signaled(9, core=False), ("signal",), 3),
        (Lost("killed"), ("lost",), 3),
        (Lost("killed"), ("exit",), 1),
        (NotStarted(2, "no such file", "command"), ("exit", "lost"), 1),
        (Exited(127), ("exit",), 1),
        (Exited(126), ("exit",), 1),
    ],
)
def test_only_what_a_retry_may_mend_is_tried_again(
    ending: Ending, on: tuple[str, ...], tries: int
):
    fake = FakeExecutor({"a": Role(ending)})
    run(fake, Pipeline((job("a", policy=Policy(retry=Retry(2, 1.0, on))),)))
    assert len(fake.submitted) == tries


def test_a_timeout_is_a_cause_of_its_own():
    fake = FakeExecutor({"a": [Role(seconds=FOREVER), Role()]})
    late = job("a", policy=Policy(retry=Retry(1, on=("timeout",))))
    late = late._replace(limits=late.limits._replace(timeout=5.0))
    result, story = run(fake, Pipeline((late,)))
    assert story.told == ["start a", "retry a 1 0", "start a", "ok a"]
    assert result.status == 0


def test_a_failure_elsewhere_ends_the_wait_and_the_last_attempt_stands():
    fake = FakeExecutor({"a": FAIL, "b": Role(Exited(1), seconds=3.0)}, slots=2)
    result, story = run(fake, Pipeline((job("a", policy=TWICE), job("b"))))
    assert story.told[2:] == ["retry a 1 10", "FAIL b", "FAIL a"]
    assert result.tally.failed == 2
    assert fake.clock.now() == 3


def test_nothing_is_tried_again_after_a_signal():
    fake = FakeExecutor({"a": FAIL}, signals=[(0.5, 2)])
    result, story = run(fake, Pipeline((job("a", policy=TWICE),)))
    assert story.told == ["start a", "FAIL a"]
    assert result.status == 130


def test_a_signal_during_the_backoff_ends_the_run_at_once():
    fake = FakeExecutor({"a": FAIL}, signals=[(4.0, 15)])
    result, story = run(fake, Pipeline((job("a", policy=TWICE),)))
    assert story.told == ["start a", "retry a 1 10", "FAIL a"]
    assert (result.status, fake.clock.now()) == (143, 4.0)
