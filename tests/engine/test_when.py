from __future__ import annotations

import pytest

from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.model.job import Pipeline
from penstock.model.outcome import Ending, Exited, NotStarted, Signaled
from penstock.model.policy import Policy
from tests.engine.policies import ASK, job, run

ASKED = Policy(when=ASK)


def test_a_job_is_run_if_its_condition_holds():
    _, story = run(FakeExecutor(), Pipeline((job("a", policy=ASKED),)))
    assert story.told == ["yes -when a", "start a", "ok a"]


def test_otherwise_it_is_passed_over_and_what_needs_it_goes_on():
    fake = FakeExecutor({"-when a": Role(Exited(1))})
    result, story = run(fake, Pipeline((job("a", policy=ASKED), job("b", "a"))))
    assert story.told == [
        *("no -when a", "pass a: its `when` said no", "start b", "ok b")
    ]
    assert (result.status, result.tally.passed) == (0, 1)


@pytest.mark.parametrize(
    "ending",
    [
        Exited(126),
        Signaled(9, core=False),
        NotStarted(2, "no such file: ask", "command"),
    ],
)
def test_a_condition_that_cannot_be_asked_is_a_failure_of_the_job(ending: Ending):
    fake = FakeExecutor({"-when a": Role(ending)})
    result, story = run(fake, Pipeline((job("a", policy=ASKED), job("b", "a"))))
    assert story.told == ["no -when a", "FAIL a", "skip b: job a failed"]
    assert result.status == 1


def test_the_slot_is_taken_while_the_condition_is_asked():
    fake = FakeExecutor()
    _, story = run(fake, Pipeline((job("a", policy=ASKED), job("b"))))
    assert fake.most_alive == 1
    assert story.told == ["yes -when a", "start a", "ok a", "start b", "ok b"]


def test_a_signal_ends_the_question_and_the_job_is_skipped():
    fake = FakeExecutor({"-when a": Role(seconds=FOREVER)}, signals=[(1.0, 2)])
    result, story = run(fake, Pipeline((job("a", policy=ASKED),)))
    assert story.told == ["no -when a", "skip a: interrupted by SIGINT"]
    assert result.status == 130
