"""The line of ``penstock reap``."""

from __future__ import annotations

from penstock.cli.lines.shared import GRACE, JSON, QUIET
from penstock.cli.syntax import NO_OPERAND, Option, Subcommand
from penstock.typed import NamedTuple


class ReapOptions(NamedTuple):
    """``penstock reap``; what was not given is as here."""

    grace: float | None = None
    dry_run: bool = False
    quiet: bool = False
    json: bool = False


LINE = Subcommand(
    "reap",
    "penstock.cli.reap",
    ReapOptions,
    "[OPTIONS]",
    "End what runs have left that were killed with all their guards.",
    "penstock reap --dry-run",
    "Only what belongs to a run whose own process is gone; never anything of a run "
    "that is alive, or of somebody else. The status is 0, or 1 if something could "
    "not be ended.",
    NO_OPERAND,
    (
        GRACE,
        Option("dry_run", ("-n", "--dry-run"), "Tell what there is, and end nothing."),
        QUIET._replace(help="Tell only what could not be ended."),
        JSON._replace(help="Tell it in JSON, one thing on each line."),
    ),
)
