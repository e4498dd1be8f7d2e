"""The line of ``penstock schema``."""

from __future__ import annotations

from penstock.cli.syntax import NO_OPERAND, Subcommand
from penstock.typed import NamedTuple


class SchemaOptions(NamedTuple):
    """``penstock schema``, which has no options."""


LINE = Subcommand(
    "schema",
    "penstock.cli.schema",
    SchemaOptions,
    "[OPTIONS]",
    "Print the JSON Schema of definition files, for editors.",
    "penstock schema >penstock.schema.json",
    "An editor with yaml-language-server uses it where the first line of a file says "
    "`# yaml-language-server: $schema=penstock.schema.json`.",
    NO_OPERAND,
    (),
)
