"""The line of ``penstock run``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from penstock.cli.lines.shared import (
    DEADLINE,
    DRY_RUN,
    FRESH,
    GRACE,
    ISOLATE,
    JOBS,
    JOBSERVER,
    JSON,
    KEEP_GOING,
    LEAKS,
    LINGER,
    QUIET,
    RESUME,
    SET,
    SET_FILE,
    TIMEOUT,
    VERBOSE,
    split_target,
)
from penstock.cli.options import (
    DEFAULT_FILE,
    NO_SETTINGS,
    Jobs,
    read_output,
    read_progress,
    read_size,
)
from penstock.cli.syntax import Operand, Option, Subcommand
from penstock.model.job import Leaks
from penstock.typed import NamedTuple


class RunOptions(NamedTuple):
    """``penstock run``; what was not given is as here."""

    operands: tuple[str, ...] = ()
    jobs: Jobs | None = None
    timeout: float | None = None
    grace: float | None = None
    linger: float | None = None
    deadline: float | None = None
    leaks: Leaks | None = None
    keep_going: bool = False
    jobserver: str | None = None
    isolate: str | None = None
    settings: Mapping[str, str] = NO_SETTINGS
    setting_files: Mapping[str, str] = NO_SETTINGS
    dry_run: bool = False
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    fresh: bool = False
    resume: bool = False
    output: str | None = None
    tag: bool = False
    spool_limit: int | None = None
    progress: str = "auto"

    def target(self, exists: Callable[[str], bool]) -> tuple[str, tuple[str, ...]]:
        """The definition file, and the jobs that are wanted of it (none: all).

        Args:
            exists: whether there is a file of that name.
        """
        return split_target(self.operands, exists)


LINE = Subcommand(
    "run",
    "penstock.cli.run",
    RunOptions,
    "[OPTIONS] [FILE] [JOB]...",
    "Run the jobs of a definition file, or some of them.",
    "echo 'jobs: {hello: {run: echo hello}}' | penstock run /dev/stdin",
    f"FILE is {DEFAULT_FILE}, unless the first word contains a /, ends in .yaml or "
    ".yml, or is the name of a file. Each JOB is run with all that it needs; if "
    "none is named, all are.",
    Operand("operands", "FILE JOB...", tuple),
    (
        JOBS,
        TIMEOUT._replace(
            help="When to end a job without a timeout of its own: 5, 500ms, 1h30m. "
            "[default: never]"
        ),
        DEADLINE,
        GRACE,
        LINGER,
        LEAKS._replace(
            help="For jobs that do not say: what becomes of processes that they leave "
            "behind: kill, warn, fail, allow. [default: kill]"
        ),
        KEEP_GOING,
        JOBSERVER,
        ISOLATE,
        FRESH,
        RESUME,
        SET,
        SET_FILE,
        DRY_RUN,
        Option(
            "output",
            ("--output",),
            "What jobs print: group, each job's whole when it is over; line, whole "
            "lines as they come; live, the oldest job's as it comes, the others' when "
            "it is their turn; quiet, that of failed jobs only. "
            "[default: group, or straight if one job runs at a time]",
            read_output,
            "MODE",
        ),
        Option("tag", ("--tag",), "Begin each line that a job prints with its name."),
        Option(
            "spool_limit",
            ("--spool-limit",),
            "How much of what jobs print may wait to be printed; a job that prints "
            "more is ended, and has failed: 500MiB. [default: half of what is free]",
            read_size,
            "SIZE",
        ),
        Option(
            "progress",
            ("--progress",),
            "Draw on the terminal what runs: auto, never, or always: also under make, "
            "NO_COLOR, --quiet, or where jobs print straight to it. [default: auto]",
            read_progress,
            "WHEN",
        ),
        QUIET._replace(help="Tell failures only."),
        VERBOSE,
        JSON,
    ),
    runs=True,
)
