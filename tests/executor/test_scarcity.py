"""When there are no processes or descriptors to be had for a while, or never."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.executor.pool import Pool
from penstock.model.outcome import Cancelled, NotStarted
from penstock.proc.isolate import try_isolation
from tests.commands import print_ready, wait_until
from tests.executor.jobs import job, outcomes_of, run, shell, stage, start
from tests.executor.test_deaths import worker_of

PIDS = Path("/sys/fs/cgroup/pids")


class Few:
    """A cgroup of version 1 in which there can be only so many processes."""

    def __init__(self, name: str) -> None:
        self._directory = PIDS / f"penstock-{name}"
        self._directory.mkdir()

    def admit(self, *pids: int) -> None:
        for pid in pids:
            (self._directory / "cgroup.procs").write_text(str(pid))

    def allow(self, most: str) -> None:
        (self._directory / "pids.max").write_text(most)

    def refusals(self) -> int:
        """How often there was no room."""
        return int((self._directory / "pids.events").read_text().split()[1])

    def close(self) -> None:
        wait_until(lambda: not (self._directory / "cgroup.procs").read_text())
        self._directory.rmdir()


@pytest.fixture
def few(marker: str) -> Iterator[Few]:
    if not os.access(PIDS, os.W_OK) or not (PIDS / "cgroup.procs").exists():
        pytest.skip("needs to be root, and the pids controller of cgroup v1")
    made = Few(marker)
    yield made
    made.close()


def crowded(pool: Pool, few: Few, *, room: int) -> None:
    """Let nursery and one worker, and `room` more processes, be all there can be."""
    pid = start(pool, print_ready())
    few.admit(worker_of(pid), pool._nursery.pid)
    pool.cancel("job", "seen enough", now=True)
    outcomes_of(pool)
    few.allow(str(2 + room))


def test_who_finds_no_process_waits_until_there_is_one(few: Few):
    with Pool.open(2) as pool:
        crowded(pool, few, room=0)
        pool.submit(shell("exit 7", "late"))
        pool.submit(shell("exit 8", "later"))  # there is no worker for it, either
        assert pool.wait(0.0) == ()
        few.allow("max")
        found = {o.job: o.status for o in outcomes_of(pool, 2)}
    assert found == {"late": 7, "later": 8}


def test_a_pipeline_waits_for_its_second_half(few: Few):
    with Pool.open(1) as pool:
        crowded(pool, few, room=1)
        pool.submit(job(stage(["true"]), stage(["true"]), stage(["true"])))
        (outcome,) = outcomes_of(pool)  # each makes room for the next one
    assert outcome.ok
    few.allow("max")


def test_who_waits_for_a_process_can_be_ended(few: Few):
    with Pool.open(1) as pool:
        crowded(pool, few, room=0)
        pool.submit(job(stage(["true"]), name="late"))
        assert pool.wait(0.0) == ()
        pool.cancel("late", "enough")
        (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, NotStarted | Cancelled)
    assert outcome.elapsed < 5


@pytest.mark.slow
@pytest.mark.parametrize("most", ["1", "2"])  # none at all; none inside the namespace
def test_who_finds_no_process_for_a_namespace_waits_too(few: Few, most: str):
    why = try_isolation()
    if why:
        pytest.skip(f"not here: {why}")
    with Pool.open(2, isolate="pidns") as pool:
        run(pool, shell("exit 0"))
        nursery = pool._nursery.pid
        before = len(os.listdir(f"/proc/{nursery}/fd"))
        few.admit(nursery)
        few.allow(most)
        pool.submit(shell("sleep 60", "by the worker that is there"))
        pool.submit(shell("exit 7", "late"))
        wait_until(lambda: few.refusals() > 10)
        assert len(os.listdir(f"/proc/{nursery}/fd")) < before + 5
        few.allow("max")
        assert [outcome.status for outcome in outcomes_of(pool)] == [7]


@pytest.mark.slow
def test_after_ten_seconds_it_is_told(few: Few):
    with Pool.open(1) as pool:
        crowded(pool, few, room=0)
        ending = run(pool, job(stage(["true"]))).ending
        few.allow("max")
        assert isinstance(ending, NotStarted)
        assert ending.errno == errno.EAGAIN
        assert run(pool, shell("exit 0")).ok


def test_what_can_never_be_started_fails_alone(pool: Pool):
    pool.submit(job(stage(["true", "x" * (1 << 17)]), name="large"))
    pool.submit(shell("exit 3", "other"))
    found = {o.job: o.status for o in outcomes_of(pool, 2)}
    assert found == {"large": 125, "other": 3}
