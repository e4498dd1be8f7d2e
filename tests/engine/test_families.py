from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from penstock.errors import DefinitionError
from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.model.job import Family, Job, Pipeline
from penstock.model.outcome import Exited
from penstock.model.policy import Policy, Retry
from tests.engine.policies import job, run

FAIL = Role(Exited(1))


def family(name: str, number: int, *needs: str, policy: Policy | None = None) -> Family:
    def members() -> Iterator[Job]:
        return (job(f"{name}-{i}", policy=policy) for i in range(number))

    return Family(name, needs, members)


def test_what_needs_a_family_waits_for_all_its_members():
    pipeline = Pipeline((job("a"), job("last", "f")), families=(family("f", 3, "a"),))
    result, story = run(FakeExecutor(slots=2), pipeline)
    assert story.told == [
        *("start a", "ok a", "start f-0", "start f-1", "ok f-0", "start f-2"),
        *("ok f-1", "ok f-2", "start last", "ok last"),
    ]
    assert result.tally.succeeded == 5


def test_members_are_made_only_as_slots_are_free():
    made = 0

    def members() -> Iterator[Job]:
        nonlocal made
        for i in count():
            made += 1
            yield job(f"f-{i}")

    pipeline = Pipeline((), families=(Family("f", (), members),))
    fake = FakeExecutor({"f-9": FAIL}, slots=3)
    result, story = run(fake, pipeline)
    # One was made for the check, and one waits for a slot.
    assert made == len(fake.submitted) + 2
    assert story.told.count("skip f: job f-9 failed") == 1
    assert (result.tally.failed, result.tally.skipped) == (1, 1)


def test_with_keep_going_the_others_of_a_family_run_and_its_dependents_do_not():
    pipeline = Pipeline((job("last", "f"), job("other")), families=(family("f", 3),))
    result, story = run(FakeExecutor({"f-0": FAIL}), pipeline, keep_going=True)
    assert story.told == [
        *("start other", "ok other", "start f-0", "FAIL f-0"),
        *("skip last: job f-0 failed", "start f-1", "ok f-1", "start f-2", "ok f-2"),
    ]
    assert result.tally.jobs == 5


def test_a_member_is_tried_again_as_any_job():
    policy = Policy(retry=Retry(1, backoff=5.0))
    pipeline = Pipeline((job("last", "f"),), families=(family("f", 2, policy=policy),))
    _, story = run(FakeExecutor({"f-0": [FAIL, Role()]}), pipeline)
    assert story.told == [
        *("start f-0", "retry f-0 1 5", "start f-1", "ok f-1"),
        *("start f-0", "ok f-0", "start last", "ok last"),
    ]


def test_a_signal_cancels_what_runs_of_a_family_and_skips_the_rest_as_one():
    pipeline = Pipeline((job("last", "f"),), families=(family("f", 10**9),))
    fake = FakeExecutor({"f-0": Role(seconds=FOREVER)}, slots=1, signals=[(1.0, 2)])
    result, story = run(fake, pipeline)
    assert sorted(story.told[1:]) == [
        "FAIL f-0",
        "skip f: interrupted by SIGINT",
        "skip last: interrupted by SIGINT",
    ]
    assert result.status == 130


def test_a_family_whose_members_cannot_be_made_has_failed_and_loses_nobody_else():
    def members() -> Iterator[Job]:
        yield job("f-0")
        raise DefinitionError(("jobs.yaml:3:1: list.txt: no such file",))

    pipeline = Pipeline(
        (job("last", "f"), job("other")), families=(Family("f", (), members),)
    )
    result, story = run(FakeExecutor(), pipeline, keep_going=True)
    assert sorted(story.told) == [
        *("FAIL f", "ok f-0", "ok other"),
        *("skip last: job f failed", "start f-0", "start other"),
    ]
    assert (result.status, result.tally.failed, result.tally.skipped) == (1, 1, 1)


def test_after_a_family_that_breaks_at_once_nothing_is_started():
    looks = count()

    def members() -> Iterator[Job]:
        if next(looks):  # at the check it was there
            raise DefinitionError(("jobs.yaml:3:1: list.txt: no such file",))
        yield job("a-0")

    families = (Family("a", (), members), family("b", 3))
    result, story = run(FakeExecutor(), Pipeline((job("c"),), families=families))
    assert sorted(story.told) == [
        "FAIL a",
        "skip b: job a failed",
        "skip c: job a failed",
    ]
    assert result.status == 1


def test_a_family_without_members_is_told_of_and_what_needs_it_goes_on():
    family = Family("f", ("first",), lambda: iter(()))
    pipeline = Pipeline((job("first"), job("last", "f")), families=(family,))
    result, story = run(FakeExecutor(), pipeline)
    assert story.told[2:] == [
        *("pass f: its `for` finds nothing", "start last", "ok last")
    ]
    assert (result.status, result.tally.passed) == (0, 1)
