"""``penstock exec``: one command with a deadline, and nothing left of it afterwards."""

from __future__ import annotations

import shlex

from penstock.cli.lines.exec import ExecOptions
from penstock.cli.oneshot import Telling, chain_job, run_one
from penstock.executor.nursery import Nursery
from penstock.model.command import Command


def main(given: ExecOptions, nursery: Nursery) -> int:
    """Run the command; its own exit status, 124, 125, 126 or 127.

    A command that exits by itself has said what it had to say: penstock adds nothing,
    so that it can stand before any command in a script.
    """
    command = Command(given.command, shlex.join(given.command))
    job = chain_job(
        given.command[0],
        (command,),
        given,
    )
    if given.isolate:
        nursery.isolate(given.isolate)
    telling = Telling(given.quiet, given.verbose, given.json, exit_codes=False)
    return run_one(job, nursery, telling)
