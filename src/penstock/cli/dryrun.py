"""``penstock run --dry-run``: what would be run and why, in order, for a shell."""

from __future__ import annotations

from penstock.cli.printing import say
from penstock.model.job import Pipeline
from penstock.report.shell import shell_script


def print_dry_run(pipeline: Pipeline) -> int:
    """Print it; 0."""
    return say(0, out=shell_script(pipeline))
