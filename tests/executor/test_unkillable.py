"""P3: what cannot be ended, and who has been stopped, holds nobody up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.executor.pool import Pool
from penstock.model.outcome import TimedOut
from tests.commands import (
    ignore_term,
    is_running,
    print_ready,
    ready_pid,
    sh,
    wait_until,
)
from tests.executor.jobs import outcomes_of, run, shell, start
from tests.executor.test_deaths import worker_of

FREEZER = Path("/sys/fs/cgroup/freezer")


class Freezer:
    """A cgroup of version 1 whose processes can be frozen: no signal reaches them."""

    def __init__(self, name: str) -> None:
        self._directory = FREEZER / f"penstock-{name}"
        self._directory.mkdir()

    def freeze(self, pid: int) -> None:
        (self._directory / "cgroup.procs").write_text(str(pid))
        (self._directory / "freezer.state").write_text("FROZEN")

    def close(self) -> None:
        (self._directory / "freezer.state").write_text("THAWED")
        wait_until(lambda: not (self._directory / "cgroup.procs").read_text())
        self._directory.rmdir()


@pytest.fixture
def freezer(marker: str) -> Iterator[Freezer]:
    if not os.access(FREEZER, os.W_OK) or not (FREEZER / "cgroup.procs").exists():
        pytest.skip("needs to be root, and the freezer of cgroup v1")
    made = Freezer(marker)
    yield made
    made.close()


@pytest.mark.slow
def test_who_is_frozen_is_named_and_given_up(penstock_cli, freezer: Freezer):
    clock = MonotonicClock()
    started = clock.now()
    assert penstock_cli("exec", "-t", "3", "-g", "0.5", *ignore_term()).status == 124
    plain = clock.now() - started  # one that can be killed, on this machine now
    with penstock_cli.start("exec", "-t", "3", "-g", "0.5", *print_ready()) as process:
        started = clock.now()
        pid = ready_pid(process.stdout)
        freezer.freeze(pid)
        assert process.wait(60) == 125
        assert clock.now() - started < 5 + 1.5 * plain
        err = os.read(process.stderr.fileno(), 1 << 16)  # the frozen one holds it
    assert b"could not be ended" in err
    assert str(pid).encode() in err


@pytest.mark.slow
def test_the_next_job_is_none_the_worse(freezer: Freezer):
    with Pool.open(1) as pool:
        freezer.freeze(start(pool, print_ready(), timeout=2.0, grace=0.1))
        (outcome,) = outcomes_of(pool)
        assert isinstance(outcome.ending, TimedOut)
        assert (len(outcome.survivors), outcome.status) == (1, 125)
        after = run(pool, shell("exit 3"))
        assert (after.status, after.survivors, after.stragglers) == (3, (), ())


@pytest.mark.slow
def test_a_worker_that_was_stopped_misses_no_deadline(pool: Pool):
    pid = start(pool, sh("echo ready $$; exec sleep 1000"), timeout=3.0)
    os.kill(worker_of(pid), signal.SIGSTOP)
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, TimedOut)
    assert outcome.elapsed < 30
    assert not is_running(pid)
