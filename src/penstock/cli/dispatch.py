"""From the words of the line to the subcommand that does it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

from penstock.cli.fast import parse_fast
from penstock.cli.options import (
    Answer,
    CheckOptions,
    ExecOptions,
    Options,
    PipeOptions,
    RunOptions,
)
from penstock.cli.printing import say

if TYPE_CHECKING:
    from penstock.executor.nursery import Nursery


def dispatch(argv: Sequence[str], nursery: Nursery | None) -> int:
    """Do what the line says; the exit status.

    Args:
        argv: without the name of the program.
        nursery: if one was forked already; the caller closes it.
    """
    given = _read(argv)
    if isinstance(given, Answer):
        return say(*given)
    if isinstance(given, CheckOptions):
        return _check(given)
    if nursery is not None:
        return _start(given, nursery)
    from penstock.executor.nursery import fork_nursery  # noqa: PLC0415 (only if used)

    nursery = fork_nursery()
    try:
        return _start(given, nursery)
    finally:
        nursery.close()


def _read(argv: Sequence[str]) -> Options | Answer:
    given = parse_fast(argv)
    if given is not None:
        return given
    from penstock.cli.app import parse  # noqa: PLC0415 (takes longer than all the rest)

    return parse(argv)


def _start(given: ExecOptions | PipeOptions | RunOptions, nursery: Nursery) -> int:
    if isinstance(given, ExecOptions):
        from penstock.cli.exec import main as execute  # noqa: PLC0415 (only if used)

        return execute(given, nursery)
    if isinstance(given, PipeOptions):
        from penstock.cli.pipe import main as pipe  # noqa: PLC0415 (only if used)

        return pipe(given, nursery)
    from penstock.cli.run import main as run  # noqa: PLC0415 (only if used)

    return run(given, nursery)


def _check(given: CheckOptions) -> int:
    from penstock.cli.check import main as check  # noqa: PLC0415 (only if used)

    with redirect_stdout(StringIO()) as out:
        status = check(given)
    return say(status, out.getvalue())
