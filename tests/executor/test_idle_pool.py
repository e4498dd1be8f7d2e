"""An idle pool costs nothing: nobody in it wakes up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.executor.pool import Pool
from tests.commands import alive
from tests.executor.jobs import outcomes_of, shell

SECONDS = 10.0


def wake_ups(pids: list[int]) -> int:
    """How often these were switched to (proc_pid_status(5)), as far as they wanted."""
    lines = [
        line
        for pid in pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    ]
    told = [line.split()[1] for line in lines if line.startswith("voluntary_ctxt")]
    return sum(map(int, told))


def cpu(pids: list[int]) -> float:
    """Seconds that these have computed (/proc/PID/schedstat)."""
    spent = [Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in pids]
    return sum(map(int, spent)) / 1e9


def until_settled(pool: Pool, pids: list[int]) -> None:
    """Until none of them has run for a moment: what came last may still be done."""
    while True:
        before = wake_ups(pids)
        pool.wait(MonotonicClock().now() + 0.5)
        if wake_ups(pids) == before:
            return


@pytest.mark.slow
def test_eight_idle_workers_do_not_wake_up(marker: str):
    with Pool.open(8) as pool:
        for number in range(8):
            pool.submit(shell("sleep 0.3", str(number)))
        outcomes_of(pool, 8)
        ours = [p.pid for p in alive(marker) if p.command.startswith("ps-")]
        assert len(ours) == 9
        until_settled(pool, ours)
        before = wake_ups(ours), cpu([*ours, os.getpid()])
        assert pool.wait(MonotonicClock().now() + SECONDS) == ()
        assert wake_ups(ours) == before[0]
        assert cpu([*ours, os.getpid()]) - before[1] < 0.01
