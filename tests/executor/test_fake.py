"""What the fake adds to the contract: its clock, its roles, its signals."""

from __future__ import annotations

import pytest

from penstock.errors import UsageError
from penstock.executor.fake import FOREVER, FakeExecutor, Role, VirtualClock
from penstock.model.command import Command
from penstock.model.job import Job, Stage, chain
from penstock.model.limits import Limits
from penstock.model.outcome import Cancelled, Exited, Signaled, TimedOut

TERM = Signaled(15, core=False)
KILL = Signaled(9, core=False)


def job(name: str, stages: int = 1, limits: Limits | None = None) -> Job:
    stage = Stage("s", Command(("x",), "x"), limits=limits or Limits())
    return Job(name, (stage,) * stages, chain(stages))


def test_the_clock_never_goes_back():
    clock = VirtualClock()
    clock.move(5.0)
    clock.move(3.0)
    assert (clock.now(), clock.wall() - VirtualClock().wall()) == (5.0, 5.0)


def test_a_job_without_a_role_succeeds_after_one_virtual_second():
    fake = FakeExecutor()
    fake.submit(job("a", stages=2))
    (outcome,) = fake.wait()
    assert (outcome.ok, outcome.elapsed, fake.clock.now()) == (True, 1.0, 1.0)
    assert [stage.ending for stage in outcome.stages] == [Exited(0), Exited(0)]


def test_the_last_stage_plays_the_role():
    fake = FakeExecutor({"a": Role(Exited(3), tail=b"oh")})
    fake.submit(job("a", stages=2))
    (outcome,) = fake.wait()
    assert (outcome.ending, outcome.culprit, outcome.status) == (Exited(3), 1, 3)
    assert outcome.stages[1].tail == b"oh"


def test_what_ends_at_one_instant_ends_together_in_the_order_of_submission():
    fake = FakeExecutor({"b": Role(seconds=2.0)}, slots=3)
    for name in "cba":
        fake.submit(job(name))
    assert [outcome.job for outcome in fake.wait()] == ["c", "a"]
    assert [outcome.job for outcome in fake.wait()] == ["b"]


def test_wait_returns_at_the_deadline_with_nothing():
    fake = FakeExecutor({"a": Role(seconds=FOREVER)})
    fake.submit(job("a"))
    assert fake.wait(deadline=7.0) == ()
    assert fake.clock.now() == 7.0


def test_a_wait_without_end_is_refused():
    with pytest.raises(UsageError, match="never end"):
        FakeExecutor().wait()


def test_a_timeout_passes_on_the_virtual_clock():
    fake = FakeExecutor({"a": Role(seconds=FOREVER)})
    fake.submit(job("a", limits=Limits(timeout=30.0)))
    (outcome,) = fake.wait()
    assert outcome.ending == TimedOut(30.0, "command", TERM, escalated=False)
    assert outcome.status == 124


def test_what_dies_slowly_is_killed_after_its_grace():
    fake = FakeExecutor({"a": Role(seconds=FOREVER, dying=FOREVER)})
    fake.submit(job("a", limits=Limits(grace=5.0)))
    fake.cancel("a", "enough")
    (outcome,) = fake.wait()
    assert outcome.ending == Cancelled("enough", KILL, escalated=True)
    assert fake.clock.now() == 5.0


def test_a_second_cancel_skips_the_grace_and_keeps_the_cause():
    fake = FakeExecutor({"a": Role(seconds=FOREVER, dying=3.0)})
    fake.submit(job("a"))
    fake.cancel("a", "first")
    fake.cancel("a", "second", now=True)
    (outcome,) = fake.wait()
    assert outcome.ending == Cancelled("first", KILL, escalated=True)
    assert fake.clock.now() == 0.0


def test_a_signal_wakes_the_wait_and_is_taken_once():
    fake = FakeExecutor(signals=[(0.5, 2)])
    fake.submit(job("a"))
    assert fake.wait() == ()
    assert (fake.take(), fake.take(), fake.clock.now()) == (2, None, 0.5)


def test_it_remembers_what_was_asked_of_it():
    fake = FakeExecutor(slots=2)
    fake.submit(job("a"))
    fake.submit(job("b"))
    fake.cancel("b", "why", now=True)
    fake.cancel("c", "nobody")
    assert [each.name for each in fake.submitted] == ["a", "b"]
    assert (fake.most_alive, fake.cancelled) == (2, [("b", "why", True)])
