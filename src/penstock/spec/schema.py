"""Schema: every key that a definition file may have, in one table.

`shape` checks a file by this table, so that what is documented, what is checked and
what is generated from it cannot differ. A key that is planned is in the table too:
it is refused by name, never ignored and never taken for a spelling mistake.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Where = Literal["file", "defaults", "job", "stage"]
"""A mapping of the definition: its top, `defaults`, a job, a command of a `pipe`."""

Kind = Literal[
    "command",  # text for a shell
    "text",  # one piece of text
    "texts",  # a list of texts
    "duration",
    "codes",  # one exit code, or a list
    "env",  # names and texts
    "names",  # one job name, or a list
    "variables",  # names and texts, or nothing
    "defaults",
    "jobs",
    "stages",  # a list of commands
    "later",  # planned
]


class Field(NamedTuple):
    """One key.

    Attributes:
        name: as it is written.
        kind: what its value must be.
        doc: one line for the user.
        where: the mappings it may stand in.
    """

    name: str
    kind: Kind
    doc: str
    where: tuple[Where, ...]


_COMMAND: tuple[Where, ...] = ("job", "stage")
_ANY: tuple[Where, ...] = ("defaults", "job", "stage")

FIELDS = (
    Field("vars", "variables", "variables and their values", ("file",)),
    Field("defaults", "defaults", "options for every command", ("file",)),
    Field("jobs", "jobs", "the jobs, by name", ("file",)),
    Field("run", "command", "a command, as for sh", _COMMAND),
    Field("argv", "texts", "a command as a list, never seen by a shell", _COMMAND),
    Field("pipe", "stages", "commands, each one's stdout to the next", ("job",)),
    Field("needs", "names", "jobs that must have succeeded first", ("job",)),
    Field("timeout", "duration", "how long it may run", _ANY),
    Field("grace", "duration", "how long from TERM to KILL", _ANY),
    Field("env", "env", "environment variables", _ANY),
    Field("cwd", "text", "directory to run in", _ANY),
    Field("ok", "codes", "exit codes that mean success", _ANY),
    Field("stdin", "text", "file that the first command reads", _COMMAND),
    Field("stdout", "text", "file that appears when the job succeeded", _COMMAND),
    Field("stderr", "text", "file for diagnostics", _COMMAND),
    Field("include", "later", "other definition files", ("file",)),
    Field("for", "later", "one job for each value", ("job",)),
    Field("stages", "later", "named commands, joined freely", ("job",)),
    Field("retries", "later", "how often to try again", ("defaults", "job")),
    Field("backoff", "later", "the wait before a retry", ("defaults", "job")),
    Field("inputs", "later", "files it reads", ("job",)),
    Field("outputs", "later", "files it makes", ("job",)),
    Field("when", "later", "whether to run it at all", ("job",)),
    Field("slots", "later", "how many slots it takes", ("defaults", "job")),
    Field("resources", "later", "counted things that it takes", ("defaults", "job")),
    Field("service", "later", "runs while others need it", ("job",)),
    Field("leftovers", "later", "what to do with what it leaves", ("defaults", "job")),
    Field("python", "later", "a Python function as a command", _COMMAND),
    Field("signal", "later", "the first signal, instead of TERM", _ANY),
    Field("nice", "later", "its priority", _ANY),
    Field("memory", "later", "how much memory it may use", _ANY),
    Field("from", "later", "the commands whose output it reads", ("stage",)),
)

TITLES: dict[Where, str] = {
    "file": "at the top of the file",
    "defaults": "in `defaults`",
    "job": "in a job",
    "stage": "in a command of a `pipe`",
}

COMMANDS = ("run", "argv", "pipe")
"""A job has exactly one of these; a command of a pipe, one of the first two."""

_BY_NAME = {field.name: field for field in FIELDS}


def field_named(name: str) -> Field | None:
    """The field of that name, wherever it may stand."""
    return _BY_NAME.get(name)


def names_in(where: Where) -> tuple[str, ...]:
    """The keys that may stand there today."""
    return tuple(f.name for f in FIELDS if where in f.where and f.kind != "later")
