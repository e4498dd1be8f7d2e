"""``penstock pipe``: one pipeline, typed on the command line."""

from __future__ import annotations

from penstock.cli.lines.pipe import PipeOptions
from penstock.cli.oneshot import Telling, chain_job, run_one
from penstock.executor.nursery import Nursery
from penstock.spec.words import command_from_text


def main(given: PipeOptions, nursery: Nursery) -> int:
    """Run the pipeline; the exit status of the rightmost command that failed."""
    commands = tuple(command_from_text(text) for text in given.commands)
    job = chain_job(
        "pipe",
        commands,
        given,
    )
    if given.isolate:
        nursery.isolate(given.isolate)
    telling = Telling(given.quiet, given.verbose, given.json, exit_codes=True)
    return run_one(job, nursery, telling)
