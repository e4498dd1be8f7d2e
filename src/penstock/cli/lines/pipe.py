"""The line of ``penstock pipe``."""

from __future__ import annotations

from penstock.cli.lines.shared import FOR_ONE_JOB
from penstock.cli.options import read_commands
from penstock.cli.syntax import Operand, Subcommand
from penstock.model.job import Leaks
from penstock.typed import NamedTuple


class PipeOptions(NamedTuple):
    """``penstock pipe``; what was not given is as here."""

    commands: tuple[str, ...]
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


LINE = Subcommand(
    "pipe",
    "penstock.cli.pipe",
    PipeOptions,
    "[OPTIONS] COMMAND...",
    "Run one pipeline, given as one text for each command.",
    "penstock pipe 'seq 1000' 'grep 7' 'tail -n 3'",
    "Each COMMAND is a text as for sh. The status is that of the rightmost one "
    "that failed; to end by SIGPIPE because the next one ended well is no failure.",
    Operand("commands", "COMMAND...", read_commands, required=True),
    FOR_ONE_JOB,
    runs=True,
)
