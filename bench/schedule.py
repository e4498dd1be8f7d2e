"""Ten thousand jobs of `true`, beside make, ninja and doit on the same graph.

Each peer starts, reads its file, runs all jobs two at a time, and ends; the time of all
that is divided by the number of jobs. Two bare loops of `Popen` say what the commands
themselves cost. Nobody is warmed up: ten thousand jobs are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.installed import CACHE, Installed, plain_environment
from bench.measure import Goal, Result, RunError

N_JOBS = 10_000
MANY_JOBS = 100_000
N_SLOTS = 2
MOST_OVERHEAD = 0.0015
"""Seconds a job, more than its command costs."""
MOST_MEMORY = 150 << 20
"""Bytes, at the peak."""

_LOOPS = "two Popen loops"
_LOOP = """
import subprocess, sys
for _ in range(int(sys.argv[1])):
    subprocess.Popen(["true"]).wait()
"""


class _Cost(NamedTuple):
    seconds: float
    peak_bytes: int


def bench_schedule(here: Installed, rounds: int | None) -> Result:
    """Jobs that need nothing, and jobs of which each needs the one before."""
    doit = _install_doit()
    costs: dict[str, list[_Cost]] = {}
    with tempfile.TemporaryDirectory() as directory:
        peers = {_LOOPS: _loops(here)}
        for graph, is_chain in (("independent", False), ("chain", True)):
            files = _write(Path(directory, graph), N_JOBS, is_chain=is_chain)
            for name, argv in _tools(here, files, doit).items():
                peers[f"{name}, {graph}"] = _timed(argv, files, here.environment)
        for _ in range(rounds or 1):
            for name, run in peers.items():
                costs.setdefault(name, []).append(run())
    about = f"a job of {N_JOBS}, {N_SLOTS} at a time, all costs included"
    return _judge("schedule", about, costs, N_JOBS)


def bench_growth(here: Installed, rounds: int | None) -> Result:
    """Ten times as many jobs: they should cost ten times as much."""
    costs: dict[str, list[_Cost]] = {}
    with tempfile.TemporaryDirectory() as directory:
        for number in (N_JOBS, MANY_JOBS):
            files = _write(Path(directory, str(number)), number, is_chain=False)
            argv = _tools(here, files, None)["penstock"]
            run = _timed(argv, files, here.environment, number)
            costs[f"penstock, {number}"] = [run() for _ in range(rounds or 1)]
    notes = [_memory(costs)]
    seconds = {name: [cost.seconds for cost in all_] for name, all_ in costs.items()}
    goal = Goal(f"penstock, {MANY_JOBS}", f"penstock, {N_JOBS}", 1.25)
    return Result("growth", "a job, of more and more", seconds, goal, notes)


def _judge(
    name: str, about: str, costs: Mapping[str, Sequence[_Cost]], n_jobs: int
) -> Result:
    """The table, and what of it the commands themselves do not cost."""
    seconds = {peer: [cost.seconds for cost in all_] for peer, all_ in costs.items()}
    result = Result(name, about, seconds)
    ours = "penstock, independent"
    base = result.median(_LOOPS)
    more = result.median(ours) - base
    peak = max(cost.peak_bytes for cost in costs[ours])
    limit = f"goal: at most {MOST_OVERHEAD * 1e3:.1f}"
    return result._replace(
        goal=Goal(ours, _LOOPS, 1 + MOST_OVERHEAD / base),
        notes=[
            f"{more * 1e3:.2f} ms a job more than its command ({limit}); {n_jobs} jobs",
            _memory(costs),
            f"goal for memory {'met' if peak <= MOST_MEMORY else 'MISSED'}",
        ],
    )


def _memory(costs: Mapping[str, Sequence[_Cost]]) -> str:
    peaks = {
        name: max(cost.peak_bytes for cost in all_) for name, all_ in costs.items()
    }
    told = ", ".join(f"{name} {peak >> 20}" for name, peak in peaks.items())
    return f"MiB at the peak, of the largest process: {told}"


def _write(directory: Path, n_jobs: int, *, is_chain: bool) -> Path:
    """The same graph for each tool; where it is."""
    directory.mkdir()
    needs = [f"j{i - 1}" if is_chain and i else "" for i in range(n_jobs)]
    ours, makefile, ninja = ["jobs:"], [], ["rule true", "  command = true"]
    for i, need in enumerate(needs):
        ours.append(f'  j{i}:\n    run: "true"')
        if need:
            ours.append(f"    needs: [{need}]")
        makefile.append(f"j{i}: {need}\n\t@true")
        ninja.append(f"build j{i}: true {need}")
    everything = " ".join(f"j{i}" for i in range(n_jobs))
    (directory / "penstock.yaml").write_text("\n".join(ours) + "\n")
    makefile.insert(0, f"all: {everything}")
    (directory / "Makefile").write_text("\n".join(makefile) + "\n")
    (directory / "build.ninja").write_text("\n".join(ninja) + "\n")
    chained = "'task_dep': [f'job:{i - 1}'] if i else []," if is_chain else ""
    dodo = (
        "def task_job():\n"
        f"    for i in range({n_jobs}):\n"
        f"        yield {{'name': str(i), 'actions': [['true']], {chained}}}\n"
    )
    (directory / "dodo.py").write_text(dodo)
    return directory


def _tools(
    here: Installed, files: Path, doit: str | None
) -> dict[str, tuple[str, ...]]:
    """How each tool is called; it runs in `files`."""
    jobs = f"-j{N_SLOTS}"
    tools: dict[str, tuple[str, ...]] = {
        "penstock": (here.penstock, "run", "--quiet", jobs, f"{files}/penstock.yaml"),
        "make": ("make", "--silent", jobs, "all"),
        "ninja": ("ninja", "--quiet", jobs),
    }
    if doit is not None:
        tools["doit"] = (doit, "-n", str(N_SLOTS), "--reporter=zero")
    return tools


def _timed(
    argv: Sequence[str],
    files: Path,
    environment: Mapping[str, str],
    n_jobs: int = N_JOBS,
) -> Callable[[], _Cost]:
    """What runs `argv`, and tells what a job cost and how large a process grew."""

    def run() -> _Cost:
        start = time.perf_counter()
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=files,
        ) as process:
            complaint = process.stderr.read() if process.stderr else b""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if process.returncode:
            last = os.fsdecode(complaint[-400:]).strip()
            raise RunError(f"{argv[0]}: status {process.returncode}: {last}")
        return _Cost(seconds / n_jobs, usage.ru_maxrss << 10)

    return run


def _loops(here: Installed) -> Callable[[], _Cost]:
    """Bare loops in as many processes as there are slots."""
    argv = (here.python, "-c", _LOOP, str(N_JOBS // N_SLOTS))

    def run() -> _Cost:
        start = time.perf_counter()
        loops = [subprocess.Popen(argv, env=here.environment) for _ in range(N_SLOTS)]
        statuses = [loop.wait() for loop in loops]
        if any(statuses):
            raise RunError("a bare loop failed")
        return _Cost((time.perf_counter() - start) / N_JOBS, 0)

    return run


def _install_doit() -> str | None:
    """Doit in an environment of its own; None where it cannot be had."""
    venv = CACHE / "venv-doit"
    program = venv / "bin/doit"
    if not program.exists():
        pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
        steps = [[sys.executable, "-m", "venv", str(venv)], [*pip, "install", "doit"]]
        for step in steps:
            done = subprocess.run(
                step, env=plain_environment(), stdout=sys.stderr, check=False
            )
            if done.returncode:
                return None
    return str(program)
