"""The line of ``penstock map``."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.cli.lines.map_command import COMMAND_OPTIONS
from penstock.cli.lines.map_output import OUTPUT_OPTIONS
from penstock.cli.lines.map_stdin import STDIN_OPTIONS, read_amount
from penstock.cli.lines.shared import (
    GRACE,
    ISOLATE,
    JOBS,
    JOBSERVER,
    JSON,
    LINGER,
    QUIET,
    TIMEOUT,
    VERBOSE,
)
from penstock.cli.options import (
    Jobs,
    Share,
    read_count,
    read_delimiter,
    read_duration,
    read_halt,
    read_header,
    read_jobs,
    read_path,
    read_paths,
    read_text,
    read_timeout_or_share,
)
from penstock.cli.syntax import Operand, Option, Subcommand
from penstock.plan.halt import Halt
from penstock.typed import NamedTuple

_SIGNS = {
    ":::": (False, False),
    ":::+": (False, True),
    "::::": (True, False),
    "::::+": (True, True),
}


class Given(NamedTuple):
    """What stands after a `:::`.

    Attributes:
        words: values, or the names of files to read them from.
        files: they are names of files.
        linked: go side by side with the source before, and are not combined with it.
    """

    words: tuple[str, ...]
    files: bool
    linked: bool


class Words(NamedTuple):
    """The words of the line: what to run, and what for."""

    command: tuple[str, ...] = ()
    given: tuple[Given, ...] = ()


class MapOptions(NamedTuple):
    """``penstock map``; what was not given is as here."""

    operands: Words = Words()
    jobs: Jobs | None = None
    jobserver: str | None = None
    arg_files: tuple[str, ...] = ()
    null: bool = False
    delimiter: bytes = b"\n"
    colsep: str | None = None
    csv: bool = False
    header: str | None = None
    max_args: int | None = None
    many: bool = False
    joined: bool = False
    link: bool = False
    no_empty: bool = False
    replace: str | None = None
    quote: bool = False
    shell: tuple[str, ...] | None = None
    pipe: bool = False
    block: int | None = None
    recend: str | None = None
    recstart: str | None = None
    regexp: bool = False
    stdin: bool = False
    keep_order: bool = False
    group: bool = False
    ungroup: bool = False
    line_buffer: bool = False
    tag: bool = False
    tagstring: str | None = None
    results: str | None = None
    bar: bool = False
    progress: bool = False
    timeout: float | Share | None = None
    grace: float | None = None
    linger: float | None = None
    retries: int = 1
    halt: Halt | None = None
    delay: float = 0.0
    max_load: Jobs | None = None
    min_memory: int | None = None
    isolate: str | None = None
    joblog: str | None = None
    resume: bool = False
    resume_failed: bool = False
    max_chars: int | None = None
    preview: bool = False
    quiet: bool = False
    verbose: bool = False
    json: bool = False


def read_words(words: Sequence[str]) -> Words:
    """The command, up to the first `:::`, and what stands after each of them."""
    command: list[str] = []
    given: list[Given] = []
    values: list[str] | None = None
    for word in words:
        if word in _SIGNS:
            files, linked = _SIGNS[word]
            if linked and not given:
                raise ValueError(f"`{word}` goes with a source before it; use `:::`")
            values = []
            given.append(Given((), files, linked))
        elif values is None:
            command.append(word)
        else:
            values.append(word)
            given[-1] = given[-1]._replace(words=tuple(values))
    if any(each.files and not each.words for each in given):
        raise ValueError("`::::` stands before the names of files; there is none")
    return Words(tuple(command), tuple(given))


LINE = Subcommand(
    "map",
    "penstock.cli.map",
    MapOptions,
    "[OPTIONS] [COMMAND]... [::: VALUE...]",
    "Run a command for each line of input, or for each value, several at once.",
    "penstock map -j2 'echo {} has {.}' ::: a.txt b.txt",
    "Values are the lines of standard input, or what stands after `:::`; the names "
    "after `::::` are files with values. In COMMAND, {} is the value, {.} without "
    "extension, {/} its base name, {//} its directory, {/.} base name without "
    "extension, {1} {2} one of several, {#} the number of the job, {%} of its slot; "
    "without any of them, the value comes last. Words are joined as for sh; if the "
    "first word has blanks in it, each word is a command of a pipeline. Without "
    "COMMAND, each value is one. A COMMAND that names PENSTOCK_SEQ or PENSTOCK_SLOT "
    "finds the numbers of its job and slot in its environment.",
    Operand("operands", "COMMAND... ::: VALUE...", read_words),
    (
        JOBS,
        JOBSERVER,
        Option(
            "arg_files",
            ("-a", "--arg-file"),
            "Read values from this file; - is standard input. Can be repeated.",
            read_paths,
            "FILE",
            repeats=True,
        ),
        Option("null", ("-0", "--null"), "Values end with a NUL, not with a newline."),
        Option(
            "delimiter",
            ("-d", "--delimiter"),
            r"Values end with this text; \n, \t, \r, \0, \xHH and \\ are understood.",
            read_delimiter,
            "TEXT",
        ),
        Option(
            "colsep",
            ("-C", "--colsep"),
            "Cut each value at this regular expression into {1}, {2}, ...",
            read_text,
            "REGEX",
        ),
        Option(
            "csv",
            ("--csv",),
            "Values are CSV, into {1}, {2}, ...: fields in quotes may hold commas and "
            "newlines. Separated by commas, or by --colsep, one character.",
        ),
        Option(
            "header",
            ("-H", "--header"),
            "With `:`, the first value of each source is the name of its column, or of "
            "several: {name} stands for one.",
            read_header,
            ":",
        ),
        Option(
            "link",
            ("--link",),
            "Take sources side by side, instead of all combinations.",
        ),
        Option(
            "no_empty",
            ("-r", "--no-run-if-empty"),
            "Leave out values that are empty.",
        ),
        *COMMAND_OPTIONS,
        *STDIN_OPTIONS,
        *OUTPUT_OPTIONS,
        TIMEOUT._replace(
            help="When to end a job: 5, 500ms, 1h30m; or 200%, twice the median of the "
            "jobs that have succeeded, once there are three. [default: never]",
            read=read_timeout_or_share,
        ),
        GRACE,
        LINGER,
        Option(
            "retries",
            ("--retries",),
            "Run a job that fails again, up to so many times in all.",
            read_count,
            "NUMBER",
        ),
        Option(
            "halt",
            ("--halt",),
            "Stop early: `soon` lets jobs end that run, `now` ends them; after so many "
            "(fail=1, success=3, done=10) or such a part of all (fail=20%).",
            read_halt,
            "WHEN,WHAT",
        ),
        Option(
            "delay",
            ("--delay",),
            "How long to wait between two starts.",
            read_duration,
            "DURATION",
        ),
        Option(
            "max_load",
            ("--max-load", "--load"),
            "Start no job while so many tasks run on the machine: 4, or 100% of CPUs.",
            read_jobs,
            "N",
        ),
        Option(
            "min_memory",
            ("--min-memory", "--memfree"),
            "Start no job while less memory than that is available: 1GiB; or 1G.",
            read_amount,
            "SIZE",
        ),
        ISOLATE,
        Option(
            "joblog",
            ("--joblog",),
            "Write a line for each job that has ended, as GNU parallel does.",
            read_path,
            "FILE",
        ),
        Option(
            "resume",
            ("--resume",),
            "Leave out the jobs that are in the job log.",
        ),
        Option(
            "resume_failed",
            ("--resume-failed", "--retry-failed"),
            "Leave out the jobs that have succeeded by the job log.",
        ),
        Option("preview", ("--dry-run", "--dryrun"), "Print the commands only."),
        QUIET,
        VERBOSE,
        JSON,
    ),
    stops=True,
    runs=True,
)
