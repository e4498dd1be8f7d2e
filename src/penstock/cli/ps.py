"""``penstock ps``: the runs that are alive."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence

from penstock.cli.lines.ps import PsOptions
from penstock.proc.live import LiveRun, live_runs
from penstock.report.plain import readable, visible
from penstock.report.words import duration


def main(given: PsOptions) -> int:
    """Tell them; 0."""
    runs = live_runs()
    lines = map(_json, runs) if given.json else _table(runs)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _table(runs: Sequence[LiveRun]) -> Iterator[str]:
    """A line for each run, and below it one for each of its commands."""
    if not runs:
        yield "no run is alive"
        return
    yield f"{'PID':>7}  {'AGE':>8}  COMMAND"
    for run in runs:
        yield _row(run.process.pid, run.age, run.process.command)
        for command in run.commands:
            yield _row(command.process.pid, command.age, f"  {command.process.command}")


def _row(pid: int, age: float, command: str) -> str:
    return f"{pid:>7}  {duration(age):>8}  {visible(command)}"


def _json(run: LiveRun) -> str:
    return json.dumps(
        {
            "run": str(run.name),
            "pid": run.process.pid,
            "age": round(run.age, 2),
            "command": readable(run.process.command),
            "commands": [
                {
                    "pid": command.process.pid,
                    "age": round(command.age, 2),
                    "command": readable(command.process.command),
                }
                for command in run.commands
            ],
        }
    )
