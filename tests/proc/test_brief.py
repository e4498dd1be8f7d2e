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
from penstock.model.outcome import Exited, Outcome, Signaled
from penstock.model.stream import Handed, Inherit, Keep, Log, Output
from penstock.model.success import Succeeded
from penstock.plan.wire import wire
from penstock.proc.brief import is_brief, run_briefly
from penstock.proc.files import Files
from penstock.proc.launch import Running
from penstock.proc.order import Order
from penstock.proc.reaper import sweep_orphans
from penstock.proc.run import run_job
from tests.proc.apart import apart

KEPT = {"stdout": Keep(1), "stderr": Keep(2)}


class Above:
    """A `Station` with a pipe on which an order may come."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.reader, self.writer = os.pipe()
        self.epoll.register(self.reader, select.EPOLLIN)

    def order(self, descriptor: int) -> Order | None:
        """Never one: no test looks."""
        raise AssertionError(descriptor)


def sh(text: str, **more: Any) -> Job:  # `more`: what else the stage has
    stage = Stage("sh", Command(("sh", "-c", text), text), stderr=Inherit(2))
    return Job("job", (stage._replace(**more),))


def run(job: Job, above: Above) -> Outcome | Succeeded | Running | None:
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


def handed_over(job: Job, *, order: bool = False) -> tuple[object, bool, bool]:
    """How the stage has ended; whether it has a pidfd, and whether that is watched."""

    def body() -> tuple[object, bool, bool]:
        above = Above()
        if order:
            os.write(above.writer, b".")
        running = run(job, above)
        assert isinstance(running, Running)
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


def test_an_order_is_left_where_it_is():
    assert handed_over(sh("sleep 1000"), order=True) == (None, True, False)


def test_what_cannot_be_watched_runs_on():
    def body() -> object:
        above = Above()
        above.epoll.close()
        running = run(sh("sleep 1000"), above)
        assert isinstance(running, Running)
        sweep_orphans((), budget=10.0, clock=MonotonicClock())
        return running.status

    assert apart(body) is None


def test_what_cannot_be_started_may_be_tried_again():
    job = sh("exit 0", command=Command(("no_such_program",), "no_such_program"))
    assert apart(lambda: run(job, Above())) is None


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
