"""Measure penstock beside its peers, and keep the numbers with the revision."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from bench.graph import bench_chains, bench_fan, bench_readers
from bench.installed import CACHE, Installed, install, revision
from bench.kill_matrix import bench_kill_matrix
from bench.make import bench_make
from bench.map import bench_map, bench_map_output
from bench.measure import Result, RunError, format_table
from bench.pipe import bench_pipe
from bench.pool import bench_pool
from bench.schedule import bench_growth, bench_schedule
from bench.startup import bench_exec, bench_import

BENCHES = {
    "exec": bench_exec,
    "pool": bench_pool,
    "pipe": bench_pipe,
    "graph": bench_fan,
    "readers": bench_readers,
    "chains": bench_chains,
    "map": bench_map,
    "map-output": bench_map_output,
    "make": bench_make,
    "schedule": bench_schedule,
    "growth": bench_growth,
    "import": bench_import,
    "kill-matrix": bench_kill_matrix,
}
MINIMUM_ROUNDS = 5


def main() -> int:
    """Run the benches named on the command line, or all."""
    options = _parse()
    here = install()
    results, status = [], 0
    for name in options.names or BENCHES:
        try:
            result = BENCHES[name](here, options.rounds)
        except RunError as error:
            print(f"{name}: not measured: {error}\n", file=sys.stderr)
            status = 1
            continue
        print(format_table(result), end="\n\n", flush=True)
        results.append(result)
    path = options.json or CACHE / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    path.write_text(_to_json(results, here))
    print(f"bench: wrote {path}", file=sys.stderr)
    return status


class _Options(argparse.Namespace):
    names: list[str]
    rounds: int | None
    json: Path | None


def _parse() -> _Options:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHES)} (all)"
    )
    parser.add_argument(
        "-n",
        dest="rounds",
        type=int,
        metavar="REPEATS",
        help=f"rounds for each peer, at least {MINIMUM_ROUNDS}",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="where to write (a new file in .bench/)",
    )
    options = parser.parse_args(namespace=_Options())
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"no bench {unknown[0]!r}: there are {', '.join(BENCHES)}")
    if options.rounds is not None and options.rounds < MINIMUM_ROUNDS:
        parser.error(f"a median of fewer than {MINIMUM_ROUNDS} says little")
    return options


def _to_json(results: list[Result], here: Installed) -> str:
    commit, is_changed = revision()
    machine = {
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
    }
    benches = {
        result.name: {
            "about": result.about,
            "seconds": dict(result.seconds),
            "median": {peer: result.median(peer) for peer in result.seconds},
            "goal": result.goal._asdict() if result.goal else None,
            "ratio": result.ratio,
            "notes": list(result.notes),
            "modules": dict(result.modules),
        }
        for result in results
    }
    record = {
        "revision": commit,
        "changed": is_changed,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": machine,
        "installed": here.penstock,
        "benches": benches,
    }
    return json.dumps(record, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
