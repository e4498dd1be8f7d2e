"""The contract of `Executor`: one suite, and every implementation passes it.

Add one: a line in EXECUTORS, with a function that makes it with that many slots. A job
here says by its argv what a real executor is to run, and by its name what the fake is
to play; so each test is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from penstock.errors import UsageError
from penstock.executor.base import Executor
from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.executor.pool import Pool
from penstock.model.command import Command
from penstock.model.job import Job, Stage, chain
from penstock.model.limits import Limits
from penstock.model.outcome import Cancelled, Exited, Outcome, TimedOut

MakeExecutor = Callable[[int], Executor]

ROLES = {
    "fails": Role(Exited(3)),
    "endless": Role(seconds=FOREVER),
    "late": Role(seconds=FOREVER),
    "stubborn": Role(seconds=FOREVER, dying=FOREVER),
}

EXECUTORS: dict[str, MakeExecutor] = {
    "fake": lambda slots: FakeExecutor(ROLES, slots=slots),
    "pool": Pool.open,
}


def shell(name: str, script: str, **limits: float) -> Job:
    argv = ("/bin/sh", "-c", script)
    stage = Stage("only", Command(argv, script), limits=Limits(**limits))
    return Job(name, (stage,))


SUCCEEDS = shell("succeeds", "exit 0")
ALSO_SUCCEEDS = SUCCEEDS._replace(name="also succeeds")
FAILS = shell("fails", "exit 3")
ENDLESS = shell("endless", "exec sleep 1000")
LATE = shell("late", "exec sleep 1000", timeout=0.1)
STUBBORN = shell("stubborn", "trap '' TERM; while :; do sleep 1; done", grace=0.2)
PIPE = Job("pipe", (SUCCEEDS.stages[0]._replace(name="first"), *FAILS.stages), chain(2))


@pytest.fixture(params=EXECUTORS.values(), ids=list(EXECUTORS))
def make(request: pytest.FixtureRequest) -> MakeExecutor:
    chosen: MakeExecutor = request.param
    return chosen


@pytest.fixture
def executor(make: MakeExecutor) -> Iterator[Executor]:
    with closing(make(2)) as made:
        yield made


def next_outcome(executor: Executor) -> Outcome:
    """The one that ends next; the only one that is running."""
    while not (outcomes := executor.wait()):
        pass  # something else woke it
    (outcome,) = outcomes
    return outcome


def test_it_has_the_slots_that_were_asked_for(executor: Executor):
    assert executor.slots == 2


def test_a_job_that_exits_with_0_is_ok(executor: Executor):
    executor.submit(SUCCEEDS)
    outcome = next_outcome(executor)
    assert (outcome.job, outcome.ok, outcome.ending) == ("succeeds", True, Exited(0))
    assert (outcome.status, outcome.culprit) == (0, None)


def test_a_job_that_fails_says_which_stage_and_how(executor: Executor):
    executor.submit(FAILS)
    outcome = next_outcome(executor)
    assert (outcome.ok, outcome.ending, outcome.culprit) == (False, Exited(3), 0)


def test_there_is_a_stage_outcome_for_each_stage_in_order(executor: Executor):
    executor.submit(PIPE)
    stages = next_outcome(executor).stages
    assert [stage.name for stage in stages] == ["first", "only"]
    assert all(stage.pid and stage.usage for stage in stages)


def test_jobs_run_side_by_side_and_each_ends_once(executor: Executor):
    executor.submit(SUCCEEDS)
    executor.submit(ALSO_SUCCEEDS)
    ended: list[str] = []
    while len(ended) < 2:
        ended += [outcome.job for outcome in executor.wait()]
    assert sorted(ended) == ["also succeeds", "succeeds"]


def test_a_slot_is_free_again_when_its_job_has_ended(executor: Executor):
    for _ in range(2 * executor.slots):
        executor.submit(SUCCEEDS)
        assert next_outcome(executor).ok


def test_no_more_than_the_slots_are_taken(make: MakeExecutor):
    with closing(make(1)) as executor:
        executor.submit(ENDLESS)
        with pytest.raises(UsageError):
            executor.submit(SUCCEEDS)


def test_a_name_that_is_in_use_is_refused(executor: Executor):
    executor.submit(ENDLESS)
    with pytest.raises(UsageError):
        executor.submit(ENDLESS)


def test_a_deadline_ends_the_job(executor: Executor):
    executor.submit(LATE)
    ending = next_outcome(executor).ending
    assert isinstance(ending, TimedOut)
    assert (ending.timeout, ending.limit_of) == (0.1, "command")


def test_cancel_ends_a_job_and_its_outcome_tells_the_cause(executor: Executor):
    executor.submit(ENDLESS)
    executor.cancel("endless", "job x failed")
    ending = next_outcome(executor).ending
    assert isinstance(ending, Cancelled)
    assert ending.cause == "job x failed"


def test_cancel_kills_what_ignores_it(executor: Executor):
    executor.submit(STUBBORN)
    executor.cancel("stubborn", "enough")
    assert isinstance(next_outcome(executor).ending, Cancelled)


def test_cancel_may_be_followed_by_one_without_grace(executor: Executor):
    executor.submit(STUBBORN)
    executor.cancel("stubborn", "first")
    executor.cancel("stubborn", "second", now=True)
    ending = next_outcome(executor).ending
    assert isinstance(ending, Cancelled)
    assert ending.cause == "first"


def test_cancel_of_a_job_that_does_not_run_does_nothing(executor: Executor):
    executor.cancel("nobody", "why not")
    executor.submit(SUCCEEDS)
    assert next_outcome(executor).ok
    executor.cancel("succeeds", "too late")
    executor.submit(ALSO_SUCCEEDS)
    assert next_outcome(executor).ok


def test_wait_returns_at_its_deadline_though_nothing_has_ended(executor: Executor):
    executor.submit(ENDLESS)
    assert executor.wait(deadline=0.0) == ()


def test_close_ends_what_runs_and_may_come_twice(make: MakeExecutor):
    executor = make(1)
    executor.submit(ENDLESS)
    executor.close()
    executor.close()
