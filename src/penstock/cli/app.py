"""The slow reader: help, errors, completion, and every unusual line, by Typer.

Typer is built from the same table that the fast reader uses, and only sorts the words
of a line. Plain help: Rich would take 60 ms more, and there is no colour to turn off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from inspect import Parameter, Signature
from io import StringIO
from typing import Annotated

import typer
from typer.core import TyperCommand
from typer.main import get_command

from penstock._version import __version__
from penstock.cli.options import Answer
from penstock.cli.syntax import (
    NO_OPERAND,
    Operand,
    Option,
    Subcommand,
    WrongValueError,
    build,
)
from penstock.cli.table import subcommands
from penstock.typed import NamedTuple

_HELP = """
\b
penstock exec -t 5 -- sleep 60

Runs shell pipelines that always end, leave nothing behind, and tell the truth about
what happened.
"""

_STATUS = """
\b
Exit status:
  0        all succeeded
  1        some job failed; exec and pipe pass on the command's own status
  2        the command line or the definition is wrong; nothing was started
  124      timed out
  125      penstock itself failed, or something could not be ended
  126 127  a command cannot be executed, or was not found
  128+N    a command was killed by signal N
"""


_Keep = Callable[[tuple[Subcommand, NamedTuple]], None]


def parse(argv: Sequence[str]) -> tuple[Subcommand, NamedTuple] | Answer:
    """What the line asks for; else help, or what is wrong with it.

    Args:
        argv: without the name of the program.
    """
    asked: list[tuple[Subcommand, NamedTuple]] = []
    command = get_command(_build_app(asked.append))
    out, err = StringIO(), StringIO()
    try:
        # Left to itself, it prints on standard output when standard error is closed.
        with redirect_stdout(out), redirect_stderr(err):
            status = command.main([*argv], prog_name="penstock")
    except SystemExit as leaving:  # it always leaves so
        status = leaving.code
    if asked:
        return asked[0]
    status = status if isinstance(status, int) else 0
    return Answer(status, out.getvalue(), err.getvalue())


def _build_app(keep: _Keep) -> typer.Typer:
    """The program as Typer sees it: each subcommand gives `keep` what was asked for."""
    app = typer.Typer(
        help=_HELP,
        epilog=_STATUS,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_top)
    for subcommand in subcommands():
        app.command(
            subcommand.name,
            cls=_command_class(subcommand.usage),
            help=f"\b\n{subcommand.example}\n\n{subcommand.summary}\n\n{subcommand.help}",
            short_help=subcommand.summary,
            context_settings={"allow_interspersed_args": not subcommand.stops},
        )(_reader(subcommand, keep))
    return app


def _show_version(value: bool) -> None:  # noqa: FBT001 (how Typer calls it)
    if value:
        typer.echo(f"penstock {__version__}")
        raise typer.Exit


def _top(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Tell the version."
        ),
    ] = False,
) -> None:
    """Options without a subcommand; Typer has acted on them already."""


def _command_class(usage: str) -> type[TyperCommand]:
    """A command that tells its own usage; Typer's knows no ``[FILE] [JOB]...``."""

    class Command(TyperCommand):
        def collect_usage_pieces(self, ctx: object) -> list[str]:  # noqa: ARG002 (its)
            return [usage]

    return Command


def _reader(subcommand: Subcommand, keep: _Keep) -> Callable[[], None]:
    """A function such as Typer wants, with a parameter for each option and operand."""

    def read(**words: object) -> None:
        try:
            keep((subcommand, build(subcommand, _given(words))))
        except WrongValueError as error:
            raise typer.BadParameter(error.reason, param_hint=error.names) from None

    parameters = [_option_parameter(option) for option in subcommand.options]
    if subcommand.operand != NO_OPERAND:
        parameters.insert(0, _operand_parameter(subcommand.operand))
    read.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # PEP 362
    return read


def _given(words: Mapping[str, object]) -> dict[str, list[str]]:
    """What Typer has found, as `build` takes it: without what was not given."""
    given: dict[str, list[str]] = {}
    for field, value in words.items():
        if value is True:
            given[field] = [field]
        elif isinstance(value, str):
            given[field] = [value]
        elif isinstance(value, (list, tuple)) and value:
            given[field] = [*value]
    return given


def _option_parameter(option: Option) -> Parameter:
    if option.metavar is None:
        default = typer.Option(False, *option.names, help=option.help)  # noqa: FBT003
        return _parameter(option.field, bool, default)
    default = typer.Option(
        None,
        *option.names,
        help=option.help,
        metavar=option.metavar,
    )
    return _parameter(option.field, _annotation(repeats=option.repeats), default)


def _operand_parameter(operand: Operand) -> Parameter:
    default = typer.Argument(
        ... if operand.required else None,
        metavar=operand.metavar,
        hidden=True,  # it is told of in words
    )
    return _parameter(operand.field, _annotation(repeats=operand.repeats), default)


def _annotation(*, repeats: bool) -> object:
    return list[str] | None if repeats else str | None


def _parameter(name: str, annotation: object, default: object) -> Parameter:
    return Parameter(
        name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )
