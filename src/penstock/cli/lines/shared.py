"""The options that mean the same wherever they are understood."""

from __future__ import annotations

from collections.abc import Callable

from penstock.cli.options import (
    DEFAULT_FILE,
    read_duration,
    read_isolation,
    read_jobs,
    read_jobserver,
    read_leaks,
    read_niceness,
    read_path,
    read_settings,
    read_signal,
    read_size,
    read_timeout,
)
from penstock.cli.syntax import Option
from penstock.model.limits import GRACE as GRACE_SECONDS
from penstock.model.limits import LINGER as LINGER_SECONDS
from penstock.spec.duration import format_duration

JOBS = Option(
    "jobs",
    ("-j", "-P", "--jobs"),
    "How many jobs at once: 4, or 50% of the CPUs, or +1: one more than CPUs. "
    "[default: 100%]",
    read_jobs,
    "N",
)
JOBSERVER = Option(
    "jobserver",
    ("--jobserver",),
    "Let commands that are make, ninja, cargo or penstock share the jobs of -j: fifo "
    "(make 4.4, ninja 1.13), pipe (any make); off: not even that of a make around us. "
    "[default: that of a make around us]",
    read_jobserver,
    "STYLE",
)
TIMEOUT = Option(
    "timeout",
    ("-t", "--timeout"),
    "When to end it, with all that it has started: 5, 500ms, 1h30m; 0 for never. "
    "[default: never]",
    read_timeout,
    "DURATION",
)
GRACE = Option(
    "grace",
    ("-g", "--grace"),
    "From SIGTERM to SIGKILL, when something has to be ended. "
    f"[default: {format_duration(GRACE_SECONDS)}]",
    read_duration,
    "DURATION",
)
LINGER = Option(
    "linger",
    ("--linger",),
    "How long what a command has left behind may go on, to end by itself. "
    f"[default: {format_duration(LINGER_SECONDS)}]",
    read_duration,
    "DURATION",
)
DEADLINE = Option(
    "deadline",
    ("--deadline",),
    "When to end the whole run, with all that runs then; 0 for never. [default: never]",
    read_timeout,
    "DURATION",
)
IDLE = Option(
    "idle",
    ("--idle",),
    "End it when none of its processes has written a byte for so long. "
    "0 for never. [default: never]",
    read_timeout,
    "DURATION",
)
SIGNAL = Option(
    "signal",
    ("-s", "--signal"),
    "What to send first, when it has to be ended: INT, SIGUSR1, 2. [default: TERM]",
    read_signal,
    "SIGNAL",
)
NICE = Option(
    "nice",
    ("--nice",),
    "How much to give way to others, 0 to 19; below 0 needs privileges.",
    read_niceness,
    "NICENESS",
)
MEMORY = Option(
    "memory",
    ("--memory",),
    "End it when it holds more memory than that, with all that it has started: 512MiB.",
    read_size,
    "SIZE",
)
LEAKS = Option(
    "leaks",
    ("--leaks",),
    "What becomes of processes that a command leaves behind: kill them; kill and warn, "
    "though --quiet; kill and fail; or allow them to go on. [default: kill]",
    read_leaks,
    "kill|warn|fail|allow",
)
STDIN = Option(
    "stdin",
    ("--stdin",),
    "What the command reads; - is penstock's own input. "
    "[default: that, unless it is a terminal]",
    read_path,
    "FILE",
)
ISOLATE = Option(
    "isolate",
    ("--isolate",),
    "What else keeps commands from surviving: pidns, a PID namespace for each worker, "
    "out of which nothing gets, whoever is killed; cgroup, a control group, by which "
    "`penstock reap` finds all and fork bombs die by one stroke. [default: none]",
    read_isolation,
    "LAYER",
)
KEEP_GOING = Option(
    "keep_going",
    ("-k", "--keep-going"),
    "After a failure, still run the jobs that do not need what failed.",
)
FRESH = Option("fresh", ("--fresh",), "Run the jobs that are up to date as well.")
RESUME = Option(
    "resume",
    ("--resume",),
    "Go on where the last run ended: without the jobs that succeeded in it and have "
    "not changed since.",
)
SET = Option(
    "settings",
    ("-s", "--set"),
    "Give a variable of the file another value; can be repeated.",
    read_settings,
    "NAME=VALUE",
    repeats=True,
)
DRY_RUN = Option(
    "dry_run",
    ("-n", "--dry-run"),
    "Print what would be run, in order and as lines for a shell, and run nothing.",
)
SET_FILE = Option(
    "setting_files",
    ("--set-file",),
    "Give a variable the content of a file, without the newline at its end; can be "
    "repeated.",
    read_settings,
    "NAME=FILE",
    repeats=True,
)
QUIET = Option("quiet", ("-q", "--quiet"), "Do not tell how it ended.")
VERBOSE = Option(
    "verbose", ("-v", "--verbose"), "Tell every start and end, with time and memory."
)
JSON = Option("json", ("--json",), "Tell all in JSON, one event on each line.")

FOREGROUND = Option(
    "foreground",
    ("--foreground",),
    "Give it the terminal: it may ask for a password, or be an editor or a shell; "
    "Ctrl-C and Ctrl-Z are for it.",
)

FOR_ONE_JOB = (
    *(TIMEOUT, IDLE, GRACE, SIGNAL, LINGER, LEAKS, NICE, MEMORY),
    *(STDIN, ISOLATE, QUIET, VERBOSE, JSON),
)


def split_target(
    operands: tuple[str, ...], exists: Callable[[str], bool]
) -> tuple[str, tuple[str, ...]]:
    """``FILE JOB...``: the definition file, and the jobs that are wanted of it.

    Args:
        operands: as typed; the first one may be a job as well.
        exists: whether there is a file of that name.
    """
    if operands and _names_file(operands[0], exists):
        return operands[0], operands[1:]
    return DEFAULT_FILE, operands


def _names_file(operand: str, exists: Callable[[str], bool]) -> bool:
    """Whether the first operand is the file, and no job of it."""
    return (
        "/" in operand or operand.endswith((".yaml", ".yml")) or bool(exists(operand))
    )
