"""Print the seconds that N processes take for M times ``Popen(["true"]).wait()``."""

from __future__ import annotations

import os
import subprocess
import sys
import time


def loop(n_jobs: int, ready: int, go: int) -> None:
    """Warm up, say so, wait for the word, run."""
    subprocess.Popen(["true"]).wait()
    os.write(ready, b".")
    os.read(go, 1)
    for _ in range(n_jobs):
        subprocess.Popen(["true"]).wait()


def main() -> None:
    """Fork the loops, let them go at once, and wait for all."""
    n_jobs, n_loops = map(int, sys.argv[1:3])
    ready, say_ready = os.pipe()
    go, say_go = os.pipe()
    for _ in range(n_loops):
        if os.fork() == 0:
            loop(n_jobs // n_loops, say_ready, go)
            os._exit(0)
    for _ in range(n_loops):
        os.read(ready, 1)
    start = time.perf_counter()
    os.write(say_go, b"." * n_loops)
    for _ in range(n_loops):
        if os.wait()[1]:
            raise SystemExit("a loop failed")
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
