"""``penstock init``: a definition file to begin with, and its schema for editors."""

from __future__ import annotations

import json
import os

from penstock.cli.lines.init import InitOptions
from penstock.cli.options import DEFAULT_FILE
from penstock.cli.printing import say
from penstock.errors import UsageError
from penstock.spec.json_schema import json_schema

SCHEMA_FILE = "penstock.schema.json"

STARTER = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
# What is run by `penstock run`; `penstock check` tells what is wrong with it.

vars:                            # penstock run --set top=3
  top: 5

defaults:                        # for every command
  timeout: 1m
  env: {{LC_ALL: C}}               # sort by bytes

jobs:
  words:
    pipe:                        # the stdout of each is the stdin of the next
      - cat -- {DEFAULT_FILE}
      - tr -cs A-Za-z '\\n'
      - sort
      - uniq -c
      - sort -k 1,1nr -k 2
      - head -n {{{{top}}}}          # a value is quoted for the place where it stands
    stdout: words.txt            # is there only if the whole job succeeded

  show:
    needs: words
    run: cat words.txt
"""


def main(given: InitOptions) -> int:
    """Write both; 0.

    Raises:
        UsageError: the file is there already, or cannot be written.
    """
    path = given.file or DEFAULT_FILE
    starter = STARTER.replace(f"-- {DEFAULT_FILE}", f"-- {os.path.basename(path)}")
    _write(path, starter)
    schema = os.path.join(os.path.dirname(path), SCHEMA_FILE)
    if not os.path.lexists(schema):
        _write(schema, json.dumps(json_schema(), indent=1) + "\n")
    line = "penstock run" if path == DEFAULT_FILE else f"penstock run {path}"
    return say(0, err=f"wrote {path} and {schema}; now: {line}\n")


def _write(path: str, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path} is there already, and is left alone\nhint: name another file: "
            "penstock init FILE"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
