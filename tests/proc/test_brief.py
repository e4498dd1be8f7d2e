"""What is over in a moment, and what `run` has to go on with."""

from __future__ import annotations

import os
import select
from typing import Any

import pytest

from penstock.clock import MonotonicClock
from penstock.model.command import Command
from penstock.model.job import Job, Stage
from penstock.model.limits import Limits
from penstock.model.outcome import Cancelled, Exited, Outcome, Signaled
from penstock.model.stream import Handed, Inherit, Keep, Log, Output
from penstock.model.success import Succeeded
from penstock.plan.wire import wire
from penstock.proc.brief import Unfinished, is_brief, run_briefly
from penstock.proc.files import Files
from penstock.proc.order import Cancel, Order
from penstock.proc.reaper import sweep_orphans
from penstock.proc.run import run_job
from tests.proc.apart import apart

KEPT = {"stdout": Keep(1), "stderr": Keep(2)}


class Above:
    """A `Station` with a pipe on which something may come.

    Args:
        orders: what that means, each time: nothing, an order.
    """

    def __init__(self, *orders: Order | None) -> None:
        self.orders = iter(orders)
        self.epoll = select.epoll()
        self.reader, self.writer = os.pipe()
        self.epoll.register(self.reader, select.EPOLLIN)

    def order(self, descriptor: int) -> Order | None:
        """What a byte that came means."""
        assert descriptor == self.reader
        os.read(self.reader, 1)
        return next(self.orders)


def sh(text: str, **more: Any) -> Job:  # `more`: what else the stage has
    stage = Stage("sh", Command(("sh", "-c", text), text), stderr=Inherit(2))
    return Job("job", (stage._replace(**more),))


def run(job: Job, above: Above) -> Outcome | Succeeded | Unfinished:
    clock = MonotonicClock()
    wiring, files = wire(job), Files(())
    assert is_brief(job, wiring)
    return run_briefly(job, wiring, files, above, clock, clock.now())


def watches(epoll: select.epoll, descriptor: int) -> bool:
    try:
        epoll.register(descriptor, select.EPOLLIN)
    except FileExistsError:
        return True
    return False


def handed_over(job: Job) -> tuple[object, bool, bool]:
    """How the stage has ended; whether it has a pidfd, and whether that is watched."""

    def body() -> tuple[object, bool, bool]:
        above = Above()
        told = run(job, above)
        assert isinstance(told, Unfinished)
        running = told.stage
        assert running is not None
        is_watched = running.pidfd >= 0 and watches(above.epoll, running.pidfd)
        sweep_orphans((), budget=10.0, clock=MonotonicClock())
        return running.status, running.pidfd >= 0, is_watched

    return apart(body)


def test_a_success_is_told_at_once():
    told = apart(lambda: run(sh("exit 0"), Above()))
    assert isinstance(told, Succeeded)
    assert told.job == "job"
    assert told.elapsed >= told.stage_elapsed > 0


def test_what_was_kept_comes_along():
    told = apart(lambda: run(sh("echo out; echo err >&2", **KEPT), Above()))
    assert isinstance(told, Succeeded)
    assert (told.out, told.err) == (b"out\n", b"err\n")


def test_much_that_was_kept_comes_as_a_file():
    def body() -> tuple[bool, int, bytes]:
        told = run(sh("head -c 100000 /dev/zero; echo err >&2", **KEPT), Above())
        assert isinstance(told, Outcome)
        out, err = told.kept
        assert out.descriptor is not None
        return told.ok, os.fstat(out.descriptor).st_size, err.data

    assert apart(body) == (True, 100_000, b"err\n")


@pytest.mark.parametrize(
    ("text", "status"), [("exit 3", Exited(3)), ("kill -9 $$", Signaled(9, core=False))]
)
def test_a_failure_has_ended_and_is_to_be_told(text, status):
    assert handed_over(sh(text)) == (status, False, False)


def test_an_orphan_is_left_to_be_waited_for():
    assert handed_over(sh("sleep 1000 &")) == (Exited(0), False, False)


def test_what_takes_longer_is_not_watched_any_more():
    soon = Limits(timeout=0.05)
    job = sh("sleep 1000", limits=soon)
    assert handed_over(job) == (None, True, False)
    job = sh("sleep 1000")._replace(limits=soon)
    assert handed_over(job) == (None, True, False)


def told_of(job: Job, order: Order | None) -> tuple[object, bool]:
    """What becomes of `job` if something has come; whether that was heard."""

    def body() -> tuple[object, bool]:
        above = Above(order)
        os.write(above.writer, b".")
        told = run(job, above)
        heard = not list(above.orders)
        if not isinstance(told, Unfinished):
            return type(told), heard
        assert told.stage is not None
        assert not watches(above.epoll, told.stage.pidfd)
        sweep_orphans((), budget=10.0, clock=MonotonicClock())
        return told.orders, heard

    return apart(body)


def test_an_order_is_for_whoever_goes_on():
    order = Cancel("why", now=True)
    assert told_of(sh("sleep 1000"), order) == ((order,), True)


def test_what_is_no_order_changes_nothing():
    assert told_of(sh("exit 0"), None) == (Succeeded, True)


def test_what_is_no_order_gives_no_more_time():
    assert told_of(sh("sleep 1000", limits=Limits(timeout=0.05)), None) == ((), True)


def test_a_job_is_ended_by_the_order_that_came_at_its_start():
    def body() -> object:
        above, clock = Above(Cancel("why", now=False)), MonotonicClock()
        os.write(above.writer, b".")
        job = sh("sleep 1000")
        told = run_job(job, wire(job), (), above, clock)
        assert isinstance(told, Outcome)
        return told.ending

    assert apart(body) == Cancelled("why", Signaled(15, core=False), escalated=False)


def test_what_cannot_be_watched_runs_on():
    def body() -> object:
        above = Above()
        above.epoll.close()
        told = run(sh("sleep 1000"), above)
        assert isinstance(told, Unfinished)
        assert told.stage is not None
        sweep_orphans((), budget=10.0, clock=MonotonicClock())
        return told.stage.status

    assert apart(body) is None


def test_what_cannot_be_started_may_be_tried_again():
    job = sh("exit 0", command=Command(("no_such_program",), "no_such_program"))
    assert apart(lambda: run(job, Above())) == Unfinished(None)


@pytest.mark.slow
def test_one_that_is_handed_over_ends_as_any_other():
    def body() -> tuple[object, object]:
        above, clock = Above(), MonotonicClock()
        job = sh("sleep 0.6; exit 4")
        told = run_job(job, wire(job), (), above, clock)
        assert isinstance(told, Outcome)
        assert 0.6 < told.stages[0].elapsed <= told.elapsed
        return told.ending, told.stages[0].name

    assert apart(body) == (Exited(4), "sh")


@pytest.mark.parametrize(
    "more",
    [
        {"stderr": Log(None)},
        {"stdout": Output("out", "partial")},
        {"stdin": Handed(0)},
        {"limits": Limits(idle=1.0)},
        {"command": Command(("true",), "true", memory=1 << 30)},
        {"command": Command(("true",), "true", nice=1)},
        {"command": Command(("true",), "true", ok=(1,))},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_has_to_be_looked_at_is_not_brief(more):
    job = sh("exit 0", **more)
    assert not is_brief(job, wire(job))


def test_two_commands_are_not_brief():
    (stage,) = sh("exit 0").stages
    job = Job("job", (stage, stage._replace(name="other")))
    assert not is_brief(job, wire(job))
