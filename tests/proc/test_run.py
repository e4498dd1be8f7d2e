"""A job in the very instant in which two things happen to it."""

from __future__ import annotations

import os
import select
import signal

from penstock.clock import MonotonicClock
from penstock.model.command import Command
from penstock.model.job import Job, Stage
from penstock.model.limits import Limits
from penstock.model.outcome import Outcome, Signaled
from penstock.model.stream import Inherit
from penstock.plan.wire import wire
from penstock.proc.descendants import children_of, is_zombie
from penstock.proc.order import Cancel, Order
from penstock.proc.run import run_job
from tests.commands import wait_until
from tests.proc.apart import apart


class LateAbove:
    """A `Station` that says to stop in the moment after the command's end."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self._reader, self._writer = os.pipe()
        self.epoll.register(self._reader, select.EPOLLIN)
        os.write(self._writer, b".")

    def order(self, descriptor: int) -> Order | None:
        if os.read(descriptor, 1) == b"!":
            return Cancel("told to stop", now=False)
        (shell,) = children_of(os.getpid())
        wait_until(lambda: children_of(shell))
        os.kill(shell, signal.SIGKILL)
        wait_until(lambda: is_zombie(shell))
        os.write(self._writer, b"!")  # ready later than the pidfd, and served with it
        return None


def test_what_outlived_a_command_is_told_though_all_is_to_stop():
    def body() -> tuple[object, int]:
        script = "sleep 1000 & wait"
        stage = Stage("sh", Command(("sh", "-c", script), script), stderr=Inherit(2))
        job = Job("job", (stage,), limits=Limits(linger=600.0))
        outcome = run_job(job, wire(job), (), LateAbove(), MonotonicClock())
        assert isinstance(outcome, Outcome)
        return outcome.ending, len(outcome.stragglers)

    assert apart(body) == (Signaled(9, core=False), 1)
