"""``penstock init``: a definition file to begin with, and its schema for editors."""

from __future__ import annotations

import json
import os
import re

from penstock.cli.lines.init import InitOptions
from penstock.cli.options import DEFAULT_FILE
from penstock.cli.printing import say
from penstock.errors import UsageError
from penstock.report.plain import readable, visible
from penstock.spec.json_schema import json_schema
from penstock.spec.quoting import quote

SCHEMA_FILE = "penstock.schema.json"

_STARTER = """\
# yaml-language-server: $schema=SCHEMA
# What is run by `penstock run`; `penstock check` tells what is wrong with it.

vars:                            # penstock run --set top=3
  file: FILE
  top: 5

defaults:                        # for every command
  timeout: 1m
  env: {LC_ALL: C}               # sort by bytes

jobs:
  words:
    pipe:                        # the stdout of each is the stdin of the next
      - cat -- {{file}}          # a value is quoted for the place where it stands
      - tr -cs A-Za-z '\\n'
      - sort
      - uniq -c
      - sort -k 1,1nr -k 2
      - head -n {{top}}
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
    starter = _STARTER.replace("SCHEMA", SCHEMA_FILE).replace("FILE", _scalar(path))
    _write(path, starter)
    schema = os.path.join(os.path.dirname(path), SCHEMA_FILE)
    if not os.path.lexists(schema):
        _write(schema, json.dumps(json_schema(), indent=1) + "\n")
    line = "penstock run" if path == DEFAULT_FILE else f"penstock run {quote(path)}"
    return say(0, err=visible(f"wrote {path} and {schema}; now: {line}\n"))


def _scalar(path: str) -> str:
    """The path as YAML; where that is more than a word, in the quotes of JSON.

    Raises:
        UsageError: it cannot stand in a text.
    """
    if readable(path) != path:
        why = "its name is not UTF-8, and so cannot stand in it"
        raise UsageError(f"cannot write {visible(path)}: {why}")
    is_word = re.fullmatch(r"[\w/][\w./-]*", path, re.ASCII)
    return path if is_word else json.dumps(path, ensure_ascii=False)


def _write(path: str, text: str) -> None:
    """Write it whole, or leave nothing."""
    try:
        with open(path, "x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                os.unlink(path)
                raise
    except FileExistsError:
        raise UsageError(
            f"{path} is there already, and is left alone\nhint: name another file: "
            "penstock init FILE"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
