"""``penstock check``: say all that is wrong with a definition, run nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from penstock.cli.definition import all_settings, examine_definition
from penstock.cli.lines.check import CheckOptions
from penstock.cli.options import DEFAULT_FILE
from penstock.cli.printing import say
from penstock.errors import DefinitionError
from penstock.model.job import Pipeline
from penstock.report.plain import visible
from penstock.report.words import plural

_PLACED = re.compile(r"(?P<file>.*?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)")


def main(given: CheckOptions) -> int:
    """Check the file; 0 if it is right, 2 if not."""
    path = given.file or DEFAULT_FILE
    settings = all_settings(given.settings, given.setting_files)
    try:
        pipeline, warnings = examine_definition(path, settings)
    except DefinitionError as error:
        if not given.json:
            raise
        return say(2, out=_as_json(path, error.mistakes, ()))
    warnings = (*warnings, *_empty_families(pipeline))
    if given.json:
        return say(0, out=_as_json(path, (), warnings))
    told = "".join(f"{visible(warning)} (a warning)\n" for warning in warnings)
    return say(0, out="" if given.quiet else _summary(path, pipeline), err=told)


def _summary(path: str, pipeline: Pipeline) -> str:
    commands = sum(len(job.stages) for job in pipeline.jobs)
    counts = [plural(len(pipeline.jobs), "job"), plural(commands, "command")]
    if pipeline.families:
        counts.append(f"{len(pipeline.families)} with a `for`")
    return f"{path}: {', '.join(counts)}, no mistakes\n"


def _empty_families(pipeline: Pipeline) -> Iterator[str]:
    """A warning for each family that has no member now, and waits for no other job."""
    for family in pipeline.families:
        if family.needs:
            continue  # what it is made of may come from those
        try:
            if next(family.members(), None) is None:
                yield f"{family.place}: its `for` finds nothing here"
        except DefinitionError as error:
            yield from error.mistakes


def _as_json(path: str, mistakes: tuple[str, ...], warnings: tuple[str, ...]) -> str:
    """All that is to be told, on one line."""
    told = {
        "file": path,
        "ok": not mistakes,
        "mistakes": [_fields_of(mistake) for mistake in mistakes],
        "warnings": [_fields_of(warning) for warning in warnings],
    }
    return json.dumps(told) + "\n"


def _fields_of(mistake: str) -> dict[str, str | int | None]:
    """The parts of a mistake; line and column are None for what stands nowhere."""
    head, _, shown = mistake.partition("\n")
    found = _PLACED.fullmatch(head)
    if found is None:
        file, _, message = head.partition(": ")
        return {"file": file, "line": None, "column": None, "message": message}
    line, column = int(found["line"]), int(found["column"])
    place: dict[str, str | int | None] = {"file": found["file"], "line": line}
    return {**place, "column": column, "message": found["message"], "shown": shown}
