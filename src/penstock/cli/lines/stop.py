"""The line of ``penstock stop``."""

from __future__ import annotations

from penstock.cli.lines.shared import QUIET, TIMEOUT
from penstock.cli.syntax import Operand, Option, Subcommand
from penstock.typed import NamedTuple

PATIENCE = 30.0  # seconds


class StopOptions(NamedTuple):
    """``penstock stop``; what was not given is as here."""

    runs: tuple[str, ...]
    timeout: float | None = PATIENCE
    now: bool = False
    quiet: bool = False


LINE = Subcommand(
    "stop",
    "penstock.cli.stop",
    StopOptions,
    "[OPTIONS] RUN...",
    "End runs as Ctrl-C would, and wait until they are gone.",
    "penstock stop --help",
    "RUN is a run's PID or its name, as `penstock ps` and `ps --json` tell them, or "
    "the name of its directory in .penstock/runs. The status is 0 if all are gone, 1 "
    "if one is not gone in time, 2 if there is no such run.",
    Operand("runs", "RUN...", tuple, required=True),
    (
        TIMEOUT._replace(
            help="How long to wait for the end; 0 for as long as it takes. "
            "[default: 30s]"
        ),
        Option("now", ("--now",), "Do not give their commands the grace to end."),
        QUIET._replace(help="Say nothing of runs that are gone."),
    ),
)
