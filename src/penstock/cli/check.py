"""``penstock check``: say all that is wrong with a definition, run nothing."""

from __future__ import annotations

import json
import sys

from penstock.cli.definition import read_definition
from penstock.cli.lines.check import CheckOptions
from penstock.cli.options import DEFAULT_FILE
from penstock.errors import DefinitionError
from penstock.report.words import plural


def main(given: CheckOptions) -> int:
    """Check the file; 0 if it is right, 2 if not."""
    path = given.file or DEFAULT_FILE
    mistakes: tuple[str, ...] = ()
    text = ""
    try:
        pipeline = read_definition(path, given.settings)
    except DefinitionError as error:
        if not given.json:
            raise
        mistakes = error.mistakes
    else:
        commands = sum(len(job.stages) for job in pipeline.jobs)
        jobs = plural(len(pipeline.jobs), "job")
        text = f"{path}: {jobs}, {plural(commands, 'command')}, no mistakes"
    if given.json:
        text = json.dumps({"file": path, "ok": not mistakes, "mistakes": mistakes})
    if text and not (given.quiet and not given.json):
        sys.stdout.write(text + "\n")
    return 2 if mistakes else 0
