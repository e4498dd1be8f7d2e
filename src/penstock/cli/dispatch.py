"""From the words of the line to the subcommand that does it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO

from penstock.cli.fast import parse_fast
from penstock.cli.options import Answer
from penstock.cli.printing import say
from penstock.cli.syntax import Subcommand
from penstock.typed import TYPE_CHECKING, NamedTuple

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
    subcommand, options = given
    if not subcommand.runs:
        with redirect_stdout(StringIO()) as out:
            status: int = import_module(subcommand.module).main(options)
        return say(status, out.getvalue())
    if nursery is not None:
        return _start(subcommand, options, nursery)
    from penstock.executor.nursery import fork_nursery  # noqa: PLC0415 (only if used)

    nursery = fork_nursery(foreground="--foreground" in argv)
    try:
        return _start(subcommand, options, nursery)
    finally:
        nursery.close()


def _read(argv: Sequence[str]) -> tuple[Subcommand, NamedTuple] | Answer:
    given = parse_fast(argv)
    if given is not None:
        return given
    from penstock.cli.app import parse  # noqa: PLC0415 (takes longer than all the rest)

    return parse(argv)


def _start(subcommand: Subcommand, options: NamedTuple, nursery: Nursery) -> int:
    status: int = import_module(subcommand.module).main(options, nursery)
    return status
