"""``penstock stop``: end a run from outside."""

from __future__ import annotations

from penstock.cli.lines.stop import StopOptions
from penstock.cli.printing import tell
from penstock.clock import MonotonicClock
from penstock.errors import UsageError
from penstock.proc.live import live_runs, stop_run
from penstock.proc.marker import RunName
from penstock.report.directory import ROOT
from penstock.state.record import is_record_of


def main(given: StopOptions) -> int:
    """Stop each of them; 0 if all are gone, 1 if not."""
    runs = [_find(text) for text in given.runs]
    status = 0
    for run in runs:
        gone = stop_run(run, given.timeout, MonotonicClock(), now=given.now)
        if not gone:
            status = 1
            tell(f"penstock: run {run} (PID {run.pid}) is not gone yet\n")
        elif not given.quiet:
            tell(f"penstock: run {run} (PID {run.pid}) is gone\n")
    return status


def _find(text: str) -> RunName:
    """The live run of that name or PID: never another process of that number."""
    for run in live_runs():
        if text in (str(run.name), str(run.name.pid)) or _is_kept_in(run.name, text):
            return run.name
    raise UsageError(f"no run {text} is alive; `penstock ps` tells which are")


def _is_kept_in(run: RunName, directory: str) -> bool:
    """Whether that is the name of the run's directory, which is where the run works."""
    return str(run.pid) in directory.split("-") and is_record_of(
        f"/proc/{run.pid}/cwd/{ROOT}/{directory}", run
    )
