"""``penstock exec``: one command with a deadline, and nothing left of it afterwards."""

from __future__ import annotations

import os

from penstock.cli.lines.exec import ExecOptions
from penstock.cli.oneshot import Telling, chain_job, run_one
from penstock.errors import UsageError
from penstock.executor.nursery import Nursery
from penstock.model.command import Command
from penstock.model.stream import Inherit

_PLAIN = frozenset(
    "%+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)


def main(given: ExecOptions, nursery: Nursery) -> int:
    """Run the command; its own exit status, 124, 125, 126 or 127.

    A command that exits by itself has said what it had to say: penstock adds nothing,
    so that it can stand before any command in a script.
    """
    _refuse_pidns(given)
    group = os.getpgrp() if given.foreground else None
    command = Command(given.command, join(given.command), group=group)
    job = chain_job(
        given.command[0],
        (command,),
        given,
    )
    if group is not None and given.stdin is None:
        stage = job.stages[0]._replace(stdin=Inherit(0))
        job = job._replace(stages=(stage,))
    if given.isolate:
        nursery.isolate(given.isolate)
    telling = Telling(given.quiet, given.verbose, given.json, exit_codes=False)
    if not given.foreground:
        return run_one(job, nursery, telling)
    from penstock.proc.terminal import Terminal  # noqa: PLC0415 (only if asked for)

    return run_one(job, nursery, telling, Terminal())


def join(words: tuple[str, ...]) -> str:
    """The words as a shell would take them: `shlex.join`, which imports `re` (3 ms)."""
    return " ".join(
        word
        if word and _PLAIN.issuperset(word)
        else "'" + word.replace("'", "'\"'\"'") + "'"
        for word in words
    )


def _refuse_pidns(given: ExecOptions) -> None:
    """Raises: UsageError: the terminal does not know a group of another namespace."""
    if given.foreground and given.isolate == "pidns":
        raise UsageError("--foreground and --isolate pidns cannot be had together")
