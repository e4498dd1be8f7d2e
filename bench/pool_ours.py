"""Print the seconds that a pool of N workers takes for M jobs of ``true``."""

from __future__ import annotations

import sys
import time
from itertools import islice

from penstock.executor.pool import Pool
from penstock.model.command import Command
from penstock.model.job import Job, Stage
from penstock.model.stream import Inherit, Log, Stderr

AHEAD = 64


def run(pool: Pool, first: int, n_jobs: int, stderr: Stderr) -> None:
    """Keep the pool supplied until all jobs have ended, and succeeded."""
    stage = Stage("true", Command(("true",), "true"), stderr=stderr)
    jobs = (Job(str(first + i), (stage,)) for i in range(n_jobs))
    n_left = n_jobs
    while n_left:
        for job in islice(jobs, max(0, pool.room)):
            pool.submit(job)
        outcomes = pool.wait()
        n_left -= len(outcomes)
        for outcome in outcomes:
            if not outcome.ok:
                raise SystemExit(f"a job failed: {outcome}")


def main() -> None:
    """Open the pool, run a job in each slot, then measure."""
    n_jobs, n_slots = map(int, sys.argv[1:3])
    stderr = Log(None) if "log" in sys.argv[3:] else Inherit(2)
    ahead = AHEAD if "ahead" in sys.argv[3:] else 0
    with Pool.open(n_slots, ahead=ahead) as pool:
        run(pool, 0, n_slots, stderr)
        start = time.perf_counter()
        run(pool, n_slots, n_jobs, stderr)
        seconds = time.perf_counter() - start
    print(seconds)


if __name__ == "__main__":
    main()
