"""Schema: every key that a definition file may have, in one table.

`shape` checks a file by this table, `json_schema` tells it to editors, and the table
of keys in docs/definition.md is made of it: what is documented, what is checked and
what is generated cannot differ.
"""

from __future__ import annotations

from penstock.model.job import Leaks, Rule
from penstock.model.link import Buffer, Framing, OnClose
from penstock.model.policy import CAUSES
from penstock.typed import Literal, NamedTuple, get_args

Where = Literal[
    "file",
    "defaults",
    "job",
    "hook",
    "stage",
    "named",
    "retries",
    "service",
    "notify",
    "source",
]
"""A mapping of the definition: its top, `defaults`, a job, a job of `setup`, `teardown`
or `notify`, a command of a `pipe`, one of `stages`, and what some keys hold."""

Kind = Literal[
    "command",
    "text",
    "texts",
    "duration",
    "codes",
    "env",
    "names",
    "variables",
    "size",
    "signal",
    "niceness",
    "count",
    "counts",
    "choice",
    "choices",
    "function",
    "files",
    "defaults",
    "jobs",
    "stages",
    "graph",
    "for",
    "retries",
    "service",
    "hook",
    "notify",
]

KINDS: dict[Kind, str] = {
    "command": "a command, as for sh",
    "text": "a text",
    "texts": "a list of texts",
    "duration": "a time: `500ms`, `10s`, `1h30m`",
    "codes": "an exit code, or a list",
    "env": "names and texts",
    "names": "a name, or a list",
    "variables": "names and texts, or nothing",
    "size": "a size: `64KiB`, `2GiB`",
    "signal": "`INT`, `SIGUSR1`, `RTMIN+3`, a number",
    "niceness": "a number, -20 to 19",
    "count": "a number",
    "counts": "names and numbers",
    "choice": "one of",
    "choices": "one or a list of",
    "function": "`package.module:function`",
    "files": "a path, or a list",
    "defaults": "keys",
    "jobs": "names and jobs",
    "stages": "a list of commands",
    "graph": "names and commands",
    "for": "names, each with a list, `{glob: ...}` or `{lines: ...}`",
    "retries": "a number, or keys",
    "service": "`true`, or keys",
    "hook": "a command, or the keys of a job",
    "notify": "keys",
}
"""How the value of a key is written, in words."""


class Field(NamedTuple):
    """One key.

    Attributes:
        name: as it is written.
        kind: what its value must be.
        doc: one line for the user.
        where: the mappings it may stand in.
        choices: the words that it may be, if these are all.
    """

    name: str
    kind: Kind
    doc: str
    where: tuple[Where, ...]
    choices: tuple[str, ...] = ()


_FILE: tuple[Where, ...] = ("file",)
_JOB: tuple[Where, ...] = ("job",)
_JOBS: tuple[Where, ...] = ("job", "hook")
_ONE: tuple[Where, ...] = ("job", "hook", "stage", "named")
_ANY: tuple[Where, ...] = ("defaults", "job", "hook", "stage", "named")
_NAMED: tuple[Where, ...] = ("named",)

LEAKS: tuple[str, ...] = get_args(Leaks)
RULES: tuple[str, ...] = get_args(Rule)
FRAMINGS: tuple[str, ...] = get_args(Framing)
BUFFERS: tuple[str, ...] = get_args(Buffer)
ON_CLOSE: tuple[str, ...] = get_args(OnClose)

FIELDS = (
    Field("include", "files", "definition files that belong to this one", _FILE),
    Field("vars", "variables", "variables and their values", _FILE),
    Field("defaults", "defaults", "options for every job and command", _FILE),
    Field(
        "resources",
        "counts",
        "counted things: here all, in a job its part",
        (
            "file",
            "job",
        ),
    ),
    Field("setup", "hook", "runs before all jobs; none is run if it fails", _FILE),
    Field("teardown", "hook", "runs after all jobs, however they ended", _FILE),
    Field("notify", "notify", "commands that hear how the run ended", _FILE),
    Field("jobs", "jobs", "the jobs, by name", _FILE),
    Field("run", "command", "what to run", _ONE),
    Field("argv", "texts", "what to run, never seen by a shell", _ONE),
    Field("python", "function", "a function that reads stdin, writes stdout", _ONE),
    Field("pipe", "stages", "what to run, each one's stdout to the next", _JOBS),
    Field("stages", "graph", "what to run, as named commands joined freely", _JOBS),
    Field("from", "names", "the stages whose output it reads", _NAMED),
    Field("coproc", "text", "the stage that it talks with, both ways", _NAMED),
    Field("merge", "choice", "where a record of several ends", _NAMED, FRAMINGS),
    Field("buffer", "choice", "what holds bytes it has not read", _NAMED, BUFFERS),
    Field("quota", "size", "how much the disk may hold", _NAMED),
    Field("on_close", "choice", "what it means when it ends early", _NAMED, ON_CLOSE),
    Field("rule", "choice", "which stages decide if it succeeded", _JOBS, RULES),
    Field("stall", "duration", "how long nothing in it may move", _JOBS),
    Field("for", "for", "makes one job for each value, or each combination", _JOB),
    Field("needs", "names", "jobs that must have succeeded first", _JOB),
    Field("when", "command", "the job is passed over unless this succeeds", _JOB),
    Field("inputs", "files", "what it reads; `*` is a pattern", _JOB),
    Field("outputs", "files", "what it makes; with these it is not run in vain", _JOB),
    Field("retries", "retries", "how often to try again", ("defaults", "job")),
    Field("slots", "count", "how many slots it takes", _JOB),
    Field("service", "service", "it runs while others need it", _JOB),
    Field(
        "leftovers",
        "choice",
        "what becomes of processes that it leaves",
        (
            "defaults",
            "job",
            "hook",
        ),
        LEAKS,
    ),
    Field("timeout", "duration", "how long it may run", _ANY),
    Field("idle", "duration", "how long it may be without output", _ANY),
    Field("grace", "duration", "how long from the first signal to KILL", _ANY),
    Field("signal", "signal", "the first signal, if not TERM", _ANY),
    Field("nice", "niceness", "added to its niceness", _ANY),
    Field("memory", "size", "what it and all that it starts may hold", _ANY),
    Field("env", "env", "environment variables", _ANY),
    Field("cwd", "text", "directory to run in", _ANY),
    Field("ok", "codes", "exit codes that mean success", _ANY),
    Field("stdin", "text", "file that the first command reads", _ONE),
    Field("stdout", "text", "file that appears when the job succeeded", _ONE),
    Field("append", "text", "file that stdout is added to", _ONE),
    Field("stderr", "text", "file for diagnostics", _ONE),
    Field("times", "count", "how often, after the first try", ("retries",)),
    Field("backoff", "duration", "the wait before; doubled each time", ("retries",)),
    Field("on", "choices", "the causes that are worth it", ("retries",), CAUSES),
    Field("ready", "command", "succeeds once it can be used", ("service",)),
    Field("within", "duration", "how long it may take to be ready", ("service",)),
    Field("on_success", "hook", "run when all is well", ("notify",)),
    Field("on_failure", "hook", "run when something failed", ("notify",)),
    Field("always", "hook", "run in any case, after these", ("notify",)),
    Field("glob", "text", "the files that match a pattern, sorted", ("source",)),
    Field("lines", "text", "the lines of a file that are not empty", ("source",)),
)

TITLES: dict[Where, str] = {
    "file": "at the top of the file",
    "defaults": "in `defaults`",
    "job": "in a job",
    "hook": "in `setup`, `teardown` or `notify`",
    "stage": "in a command of a `pipe`",
    "named": "in one of `stages`",
    "retries": "in `retries`",
    "service": "in `service`",
    "notify": "in `notify`",
    "source": "in the values of a `for`",
}

PROGRAMS = ("run", "argv", "python")
"""A command has exactly one of these."""

COMMANDS = (*PROGRAMS, "pipe", "stages")
"""A job has exactly one of these."""

_BY_NAME = {field.name: field for field in FIELDS}
_PLACES: tuple[Where, ...] = get_args(Where)
_NAMES = {
    where: tuple(field.name for field in FIELDS if where in field.where)
    for where in _PLACES
}


def field_named(name: str) -> Field | None:
    """The field of that name, wherever it may stand."""
    return _BY_NAME.get(name)


def names_in(where: Where) -> tuple[str, ...]:
    """The keys that may stand there."""
    return _NAMES[where]
