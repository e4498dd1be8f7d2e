"""What cannot be started now is started later: on the fake, whose time is virtual."""

from __future__ import annotations

from collections.abc import Sequence
from errno import E2BIG, EAGAIN, EMFILE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine import Engine, RunResult
from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.executor.patient import Patient
from penstock.model.command import Command
from penstock.model.event import Event, JobEnded, JobRetried, JobStarted, RanShort
from penstock.model.job import Job, Pipeline, Stage
from penstock.model.outcome import Exited, NotStarted, Outcome
from penstock.model.policy import Policy, Retry
from penstock.plan.width import PATIENCE

LACKS = Role(NotStarted(EAGAIN, "no process", "command"), seconds=0.3)
NO_WORKER = Role(NotStarted(EMFILE, "no worker", "worker"), seconds=0.3)
FINE = Role()


def job(name: str, policy: Policy | None = None) -> Job:
    stage = Stage("only", Command(("x",), "x"))
    return Job(name, (stage,), policy=policy or Policy())


class Story:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def receive(self, event: Event) -> None:
        self.events.append(event)

    def ends(self) -> dict[str, Outcome]:
        ended = [event for event in self.events if isinstance(event, JobEnded)]
        assert len({event.job.name for event in ended}) == len(ended)
        return {event.job.name: event.outcome for event in ended}

    def shortages(self) -> list[tuple[int, int]]:
        told = [event for event in self.events if isinstance(event, RanShort)]
        return [(event.slots, event.usual) for event in told]


def run(
    fake: FakeExecutor, jobs: Sequence[Job], *, keep_going: bool = True
) -> tuple[RunResult, Story]:
    story = Story()
    patient = Patient(fake, clock=fake.clock)
    engine = Engine(
        patient, [story], clock=fake.clock, interrupts=fake, shortages=patient
    )
    pipeline = Pipeline(tuple(jobs))
    return engine.run(pipeline, name="test", keep_going=keep_going), story


@pytest.mark.parametrize("lack", [LACKS, NO_WORKER])
def test_who_could_not_be_started_is_started_later(lack: Role):
    fake = FakeExecutor({"b": [lack, lack, FINE]}, slots=2)
    result, story = run(fake, [job("a"), job("b")])
    assert result.status == 0
    assert [each.name for each in fake.submitted] == ["a", "b", "b", "b"]
    assert not any(isinstance(event, JobRetried) for event in story.events)
    assert sum(isinstance(event, JobStarted) for event in story.events) == 2


def test_it_does_not_count_as_an_attempt():
    fake = FakeExecutor({"a": [LACKS, Role(Exited(1)), LACKS, FINE]})
    policy = Policy(retry=Retry(times=1))
    result, story = run(fake, [job("a", policy)])
    assert result.status == 0
    retried = [event for event in story.events if isinstance(event, JobRetried)]
    assert [event.attempt for event in retried] == [1]


def test_it_waits_for_a_job_that_ends_or_not_even_so_long():
    fake = FakeExecutor({"a": Role(seconds=3600.0), "b": [*[LACKS] * 9, FINE]}, slots=2)
    run(fake, [job("a"), job("b")])
    assert fake.clock.now() == 3600


def test_nothing_else_is_started_while_there_is_too_little():
    roles = {name: [LACKS, Role(seconds=5.0)] for name in "cdefgh"}
    fake = FakeExecutor(
        {"a": Role(seconds=5.0), "b": Role(seconds=5.0), **roles}, slots=8
    )
    result, story = run(fake, [job(name) for name in "abcdefghijklm"])
    assert (result.status, result.tally.succeeded) == (0, 13)
    assert story.shortages() == [(2, 8)]


def test_a_blip_is_not_told():
    names = [f"job {number}" for number in range(30)]
    fast = {name: Role(seconds=0.1) for name in names}
    fake = FakeExecutor(fast | {"job 3": [LACKS, FINE]}, slots=4)
    result, story = run(fake, [job(name) for name in names])
    assert (result.status, story.shortages()) == (0, [])


def test_what_can_never_be_started_fails_alone_and_at_once():
    large = Role(NotStarted(E2BIG, "too long", "command"), seconds=0.0)
    fake = FakeExecutor({"a": large}, slots=2)
    result, story = run(fake, [job("a"), job("b")])
    assert (result.status, fake.clock.now()) == (1, 1.0)
    assert {name: end.status for name, end in story.ends().items()} == {
        "a": 125,
        "b": 0,
    }


def test_after_a_time_in_which_nothing_ran_all_that_wait_have_failed():
    fake = FakeExecutor(dict.fromkeys("abcd", LACKS), slots=4)
    result, story = run(fake, [job(name) for name in "abcd"])
    assert result.status == 1
    ends = story.ends()
    assert {end.status for end in ends.values()} == {125}
    assert "10 s" in (ends["a"].remark or "")
    assert PATIENCE <= fake.clock.now() < 3 * PATIENCE


def test_what_had_begun_is_not_started_anew():
    two = job("a")._replace(stages=(job("a").stages[0],) * 2)

    class Half(FakeExecutor):
        """The first stage of a job was started, and the second was not."""

        def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
            outcomes = super().wait(deadline)
            return tuple(
                each._replace(stages=(each.stages[0]._replace(pid=7), *each.stages[1:]))
                for each in outcomes
            )

    fake = Half({"a": [LACKS, FINE]})
    result, story = run(fake, [two])
    assert (result.status, len(fake.submitted)) == (1, 1)
    assert "begun" in (story.ends()["a"].remark or "")


def test_what_waits_can_be_cancelled():
    roles = {"a": LACKS, "b": Role(seconds=FOREVER)}
    fake = FakeExecutor(roles, slots=2, signals=[(60.0, 15)])
    result, story = run(fake, [job("a"), job("b")])
    assert result.status == 143
    assert set(story.ends()) == {"a", "b"}
    assert fake.clock.now() < 70


def test_who_was_cancelled_while_it_tried_is_not_started_later():
    class Late(FakeExecutor):
        """The order comes when there is nobody any more who could heed it."""

        def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
            del name, cause, now

    patient = Patient(Late({"a": LACKS}))
    patient.submit(job("a"))
    patient.cancel("a", "enough")
    (outcome,) = patient.wait()
    assert "enough" in str(outcome.ending)
    assert patient.room == 1


def test_who_waits_is_not_lost_when_there_are_fewer_slots_than_jobs_that_run():
    names = [f"long {number}" for number in range(6)]
    long = {name: Role(seconds=20.0) for name in names}
    late = {name: [LACKS, FINE] for name in "ab"}
    fake = FakeExecutor({**long, **late}, slots=8)
    patient = Patient(fake, clock=fake.clock)
    for name in (*names, "a", "b"):
        patient.submit(job(name))
    ended = [*patient.wait()]
    fake.resize(1)
    waits = 0
    while len(ended) < 8:
        ended += patient.wait()
        waits += 1
    assert all(outcome.ok for outcome in ended)
    assert [outcome.job for outcome in ended] == [*names, "a", "b"]
    assert fake.clock.now() == 22.0
    assert waits < 30  # it looks whether there is room, but not all the time


def test_a_failure_ends_a_run_also_while_others_wait():
    roles = {"a": Role(Exited(1), seconds=2.0), "b": LACKS, "c": LACKS}
    fake = FakeExecutor(roles, slots=3)
    result, story = run(fake, [job(name) for name in "abc"], keep_going=False)
    assert (result.status, set(story.ends())) == (1, {"a", "b", "c"})


@given(
    lacks=st.lists(st.integers(0, 6), min_size=1, max_size=20),
    slots=st.integers(1, 6),
    seconds=st.floats(0.01, 20.0),
)
def test_whatever_is_lacking_each_job_ends_well_and_once(
    lacks: list[int], slots: int, seconds: float
):
    names = [f"job {number}" for number in range(len(lacks))]
    roles = {
        name: [*[LACKS] * times, Role(seconds=seconds)]
        for name, times in zip(names, lacks, strict=True)
    }
    fake = FakeExecutor(roles, slots=slots)
    result, story = run(fake, [job(name) for name in names])
    ends = story.ends()
    assert set(ends) == set(names)
    failed = [end for end in ends.values() if not end.ok]
    assert all("10 s" in (end.remark or "") for end in failed)
    assert result.status == bool(failed)
    assert fake.most_alive <= slots
