"""Run a command N times in a `ProcessPoolExecutor` of M workers, by `subprocess`."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor


def run(argv: list[str]) -> int:
    """The exit code of a command."""
    return subprocess.run(argv, check=False).returncode


def main() -> None:
    """Run them all; a failure is an error."""
    n_jobs, n_slots = map(int, sys.argv[1:3])
    with ProcessPoolExecutor(n_slots) as executor:
        if any(executor.map(run, [sys.argv[3:]] * n_jobs, chunksize=16)):
            raise SystemExit("a job failed")


if __name__ == "__main__":
    main()
