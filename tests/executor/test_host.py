"""A program that uses the library: when it is large, and when it has nothing to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.executor.pool import Pool
from penstock.proc.descendants import children_of
from tests.executor.jobs import outcomes_of, shell

ROOT = Path(__file__).parent.parent.parent
LARGE = 1 << 30

MEASURE = """
import json, resource, time
from penstock.executor.pool import Pool
from tests.executor.jobs import job, run, stage

def cpu():
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)

def once():
    began = cpu()
    with Pool.open(1) as pool:
        times = []
        for _ in range(20):
            started = time.monotonic()
            assert run(pool, job(stage(["true"]))).ok
            times.append(time.monotonic() - started)
    return min(times), cpu() - began

small, large = [], []
for _ in range(5):
    small.append(once())
    ballast = b"x" * %d  # each page is touched
    large.append(once())
    del ballast
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
# The best of each: what else runs on the machine only adds to it.
best = {"small": [*map(min, zip(*small))], "large": [*map(min, zip(*large))]}
print(json.dumps({**best, "peak": peak}))
"""


def available_memory() -> int:
    """Bytes that the machine could give away."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        lines = dict(line.split(":") for line in meminfo)
    return int(lines["MemAvailable"].split()[0]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(available_memory() < 2 * LARGE, reason="too little memory here")
def test_a_large_program_starts_commands_as_fast_as_a_small_one():
    out = subprocess.check_output([sys.executable, "-c", MEASURE % LARGE], cwd=ROOT)
    told = json.loads(out)
    assert told["peak"] > LARGE
    # By fork(2) it would be 17 times as long at this size, and a nursery 12 ms more.
    for small, large in zip(told["small"], told["large"], strict=True):
        assert large < 3 * small, told


@pytest.mark.long  # to the nanosecond: only on a machine that does nothing else
def test_an_idle_pool_does_not_wake_up():
    clock = MonotonicClock()
    with Pool.open(8) as pool:
        for number in range(8):
            pool.submit(shell("exit 0", name=str(number)))
        outcomes_of(pool, 8)
        before = activity()
        assert len(before) == 9  # the nursery, and a worker for each job
        assert pool.wait(clock.now() + 2) == ()
        assert activity() == before


def activity() -> dict[int, tuple[str, ...]]:
    """Of the nursery and of each worker: how often it has run, and for how long."""
    (nursery,) = children_of(os.getpid())
    return {pid: _activity_of(pid) for pid in (nursery, *children_of(nursery))}


def _activity_of(pid: int) -> tuple[str, ...]:
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        switches = [line for line in status if line.startswith("voluntary_ctxt")]
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as times:
        return (*switches, times.read().split()[0])
