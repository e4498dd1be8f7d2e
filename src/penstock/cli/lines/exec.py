"""The line of ``penstock exec``."""

from __future__ import annotations

from penstock.cli.lines.shared import FOR_ONE_JOB, FOREGROUND
from penstock.cli.syntax import Operand, Subcommand
from penstock.model.job import Leaks
from penstock.typed import NamedTuple


class ExecOptions(NamedTuple):
    """``penstock exec``; what was not given is as here."""

    command: tuple[str, ...]
    timeout: float | None = None
    grace: float | None = None
    linger: float | None = None
    idle: float | None = None
    signal: int | None = None
    nice: int = 0
    memory: int | None = None
    leaks: Leaks = "kill"
    stdin: str | None = None
    isolate: str | None = None
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    foreground: bool = False


LINE = Subcommand(
    "exec",
    "penstock.cli.exec",
    ExecOptions,
    "[OPTIONS] [--] CMD [ARG]...",
    "Run one command with a deadline, as timeout(1) does, and leave nothing of it.",
    "penstock exec -t 5 -- sleep 60",
    "The status is that of the command; 124 if it timed out, 125 if penstock "
    "failed, 126 or 127 if the command cannot be run or is not found.",
    Operand("command", "CMD [ARG]...", tuple, required=True),
    (*FOR_ONE_JOB, FOREGROUND),
    stops=True,
    runs=True,
)
