"""Two thousand short jobs through an open pool, beside two bare loops.

Neither side's start-up counts: the pool has run a job in each slot, and the loops are
forked, warm and waiting to be let go. Each side runs in an interpreter of its own
(``bench/pool_ours.py`` and ``bench/pool_bare.py``), which prints the seconds it took.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.installed import Installed
from bench.measure import Goal, Result, RunError, take_turns

N_JOBS = 2000
N_SLOTS = 2
MINIMUM_RATE = 0.9

_HERE = Path(__file__).parent


def bench_pool(here: Installed, rounds: int | None) -> Result:
    """Jobs through `Pool` beside ``Popen(["true"]).wait()`` in two processes."""
    peers = {
        "penstock pool": _script(here, "pool_ours.py", "ahead"),
        "penstock pool, nothing ahead": _script(here, "pool_ours.py"),
        "penstock pool, stderr kept": _script(here, "pool_ours.py", "ahead", "log"),
        "two Popen loops": _script(here, "pool_bare.py"),
    }
    seconds = take_turns(peers, rounds or 5)
    result = Result(
        "pool",
        f"{N_JOBS} jobs of `true`, {N_SLOTS} at a time, after start-up",
        seconds,
        Goal("penstock pool", "two Popen loops", 1 / MINIMUM_RATE),
    )
    rates = [f"{name} {N_JOBS / result.median(name):.0f}" for name in seconds]
    return result._replace(notes=[f"jobs per second: {', '.join(rates)}"])


def _script(here: Installed, name: str, *args: str) -> Callable[[], float]:
    argv = [here.python, str(_HERE / name), str(N_JOBS), str(N_SLOTS), *args]

    def run() -> float:
        done = subprocess.run(
            argv,
            env=here.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RunError(f"{name}: {done.stderr.strip()[-600:]}")
        return float(done.stdout)

    return run
