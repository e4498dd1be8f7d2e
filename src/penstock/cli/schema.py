"""``penstock schema``: what a definition file may hold, for editors."""

from __future__ import annotations

import json

from penstock.cli.lines.schema import SchemaOptions
from penstock.cli.printing import say
from penstock.spec.json_schema import json_schema


def main(given: SchemaOptions) -> int:  # noqa: ARG001 (every subcommand has its options)
    """Print it; 0."""
    return say(0, out=json.dumps(json_schema(), indent=1) + "\n")
