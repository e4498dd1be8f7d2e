"""The command line in one table: every subcommand, and every option that it takes.

Two readers use it, so that they cannot differ: `fast` for the lines that stand in
Makefiles, Typer (`app`) for help, errors and everything unusual. A reader only sorts
the words of a line; what they mean is said here, and carried out by `syntax.build`.

Part of the hot path, so it imports nothing that takes time.
"""

from __future__ import annotations

from penstock.cli.options import (
    DEFAULT_FILE,
    CheckOptions,
    ExecOptions,
    PipeOptions,
    RunOptions,
    read_commands,
    read_duration,
    read_jobs,
    read_path,
    read_settings,
    read_timeout,
)
from penstock.cli.syntax import Operand, Option, Subcommand
from penstock.model.limits import GRACE, LINGER
from penstock.spec.duration import format_duration

_JOBS = Option(
    "jobs",
    ("-j", "--jobs"),
    "How many jobs at once: 4, or 50% of the CPUs, or +1: one more than CPUs. "
    "[default: 100%]",
    read_jobs,
    "N",
)
_TIMEOUT = Option(
    "timeout",
    ("-t", "--timeout"),
    "When to end it, with all that it has started: 5, 500ms, 1h30m; 0 for never. "
    "[default: never]",
    read_timeout,
    "DURATION",
)
_GRACE = Option(
    "grace",
    ("-g", "--grace"),
    "From SIGTERM to SIGKILL, when something has to be ended. "
    f"[default: {format_duration(GRACE)}]",
    read_duration,
    "DURATION",
)
_LINGER = Option(
    "linger",
    ("--linger",),
    "How long what a command has left behind may go on, to end by itself. "
    f"[default: {format_duration(LINGER)}]",
    read_duration,
    "DURATION",
)
_STDIN = Option(
    "stdin",
    ("--stdin",),
    "What the command reads; - is penstock's own input. "
    "[default: that, unless it is a terminal]",
    read_path,
    "FILE",
)
_KEEP_GOING = Option(
    "keep_going",
    ("-k", "--keep-going"),
    "After a failure, still run the jobs that do not need what failed.",
)
_SET = Option(
    "settings",
    ("-s", "--set"),
    "Give a variable of the file another value; can be repeated.",
    read_settings,
    "NAME=VALUE",
    repeats=True,
)
_QUIET = Option("quiet", ("-q", "--quiet"), "Do not tell how it ended.")
_VERBOSE = Option(
    "verbose", ("-v", "--verbose"), "Tell every start and end, with time and memory."
)
_JSON = Option("json", ("--json",), "Tell all in JSON, one event on each line.")

_FOR_ONE_JOB = (_TIMEOUT, _GRACE, _LINGER, _STDIN, _QUIET, _VERBOSE, _JSON)

SUBCOMMANDS = (
    Subcommand(
        "run",
        RunOptions,
        "[OPTIONS] [FILE] [JOB]...",
        "Run the jobs of a definition file, or some of them.",
        "echo 'jobs: {hello: {run: echo hello}}' | penstock run /dev/stdin",
        f"FILE is {DEFAULT_FILE}, unless the first word contains a /, ends in .yaml or "
        ".yml, or is the name of a file. Each JOB is run with all that it needs; if "
        "none is named, all are.",
        Operand("operands", "FILE JOB...", tuple),
        (
            _JOBS,
            _TIMEOUT._replace(
                help="When to end a job without a timeout of its own: 5, 500ms, 1h30m. "
                "[default: never]"
            ),
            _GRACE,
            _LINGER,
            _KEEP_GOING,
            _SET,
            _QUIET._replace(help="Tell failures only."),
            _VERBOSE,
            _JSON,
        ),
        runs=True,
    ),
    Subcommand(
        "pipe",
        PipeOptions,
        "[OPTIONS] COMMAND...",
        "Run one pipeline, given as one text for each command.",
        "penstock pipe 'seq 1000' 'grep 7' 'tail -n 3'",
        "Each COMMAND is a text as for sh. The status is that of the rightmost one "
        "that failed; to end by SIGPIPE because the next one ended well is no failure.",
        Operand("commands", "COMMAND...", read_commands, required=True),
        _FOR_ONE_JOB,
        runs=True,
    ),
    Subcommand(
        "exec",
        ExecOptions,
        "[OPTIONS] [--] CMD [ARG]...",
        "Run one command with a deadline, as timeout(1) does, and leave nothing of it.",
        "penstock exec -t 5 -- sleep 60",
        "The status is that of the command; 124 if it timed out, 125 if penstock "
        "failed, 126 or 127 if the command cannot be run or is not found.",
        Operand("command", "CMD [ARG]...", tuple, required=True),
        _FOR_ONE_JOB,
        stops=True,
        runs=True,
    ),
    Subcommand(
        "check",
        CheckOptions,
        "[OPTIONS] [FILE]",
        "Tell everything that is wrong with a definition file, and run nothing.",
        "echo 'jobs: {hello: {rum: echo hello}}' | penstock check /dev/stdin",
        f"FILE is {DEFAULT_FILE} unless it is named.",
        Operand("file", "FILE", read_path, repeats=False),
        (
            _SET,
            _QUIET._replace(help="Tell mistakes only."),
            _JSON._replace(help="Tell it in JSON, on standard output."),
        ),
    ),
)


def find(name: str) -> Subcommand | None:
    """The subcommand of that name."""
    return next((each for each in SUBCOMMANDS if each.name == name), None)
