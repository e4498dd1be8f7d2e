"""What `exec` and `pipe` share: one job, its streams, and how its end is told."""

from __future__ import annotations

import os
from collections.abc import Sequence

from penstock.cli.local import Party, run_locally
from penstock.executor.nursery import Nursery
from penstock.model.command import Command
from penstock.model.event import Event, JobEnded, Sink
from penstock.model.job import Job, Pipeline, Stage, chain
from penstock.model.limits import GRACE, LINGER, Limits
from penstock.model.outcome import TROUBLE, Cancelled, Exited, Outcome, Signaled
from penstock.model.stream import Inherit, Input, Null, Stdin
from penstock.proc.signals import SignalFlags, die_by
from penstock.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.cli.lines.exec import ExecOptions
    from penstock.cli.lines.pipe import PipeOptions
    from penstock.engine import RunResult
    from penstock.proc.terminal import Terminal


_KEYS = (2, 3)  # INT and QUIT
# Who had the terminal and ended by its key: those around us are to end as well.
_BY_KEY = {128 + number: number for number in _KEYS}


class Telling(NamedTuple):
    """How much is said about the job, on standard error.

    Attributes:
        quiet: nothing but what could not be ended.
        verbose: every stage, with its time and memory.
        json: events, one a line, in place of words.
        exit_codes: also that a command exited with a code other than 0.
    """

    quiet: bool
    verbose: bool
    json: bool
    exit_codes: bool


def chain_job(
    name: str, commands: tuple[Command, ...], given: ExecOptions | PipeOptions
) -> Job:
    """A job of `commands`, each one's output the next one's input.

    Args:
        name: of the job.
        commands: at least one.
        given: limits that each of them has, and what the first one reads.
    """
    limits = Limits(
        timeout=given.timeout,
        grace=GRACE if given.grace is None else given.grace,
        linger=LINGER if given.linger is None else given.linger,
        idle=given.idle,
    )
    stages = tuple(
        Stage(
            name=os.path.basename(command.typed.split()[0]),
            command=_treat(command, given),
            stdin=Null() if position else _choose_stdin(given.stdin),
            stderr=Inherit(2),
            limits=limits,
        )
        for position, command in enumerate(commands)
    )
    links, limits = chain(len(stages)), limits._replace(timeout=None, idle=None)
    return Job(name, stages, links, limits=limits, leaks=given.leaks)


def _treat(command: Command, given: ExecOptions | PipeOptions) -> Command:
    """The command, to be treated as was asked for."""
    number = command.signal if given.signal is None else given.signal
    return command._replace(signal=number, nice=given.nice, memory=given.memory)


def run_one(
    job: Job, nursery: Nursery, telling: Telling, terminal: Terminal | None = None
) -> int:
    """Run `job`, tell how it ended, and return its exit status.

    Does not return if a signal ended it: that is then the end of penstock too.

    Args:
        job: what to run.
        nursery: forks its worker.
        telling: how much is said.
        terminal: that the command has as long as it runs; taken back then.
    """
    last = _LastOutcome()
    sinks = [last, *_sinks(telling)]
    result = _run(job, nursery, sinks, terminal)
    outcome = last.outcome
    if outcome is None:  # interrupted before it was started
        status = result.status
    else:
        status = outcome.status
        if terminal is not None and status in _BY_KEY:
            die_by(_BY_KEY[status])
        if len(sinks) == 1:
            _tell(job, outcome, telling)
    number = result.tally.signal
    if terminal is not None and number in _KEYS and _needed_no_key(outcome):
        return status  # the key was for the command, which had ended before we looked
    if number is not None and result.status != TROUBLE:
        die_by(number)
        return result.status  # as PID 1 we cannot: the kernel shields it
    return status


def _needed_no_key(outcome: Outcome | None) -> bool:
    """Whether a job ended by itself, and left nothing that we were then told to end."""
    return (
        outcome is not None
        and isinstance(outcome.ending, (Exited, Signaled))
        and not (outcome.stragglers or outcome.survivors)
    )


def _run(
    job: Job, nursery: Nursery, sinks: Sequence[Sink], terminal: Terminal | None
) -> RunResult:
    try:
        with _flags_for(terminal) as flags:
            party = Party(flags, sinks)
            return run_locally(Pipeline((job,)), nursery, party, name=job.name)
    finally:
        if terminal is not None:
            terminal.take_back()


def _flags_for(terminal: Terminal | None) -> SignalFlags:
    """The signals for us, which are fewer while a command has the terminal."""
    if terminal is None:
        return SignalFlags()
    from penstock.proc.terminal import ForegroundFlags  # noqa: PLC0415 (only if used)

    return ForegroundFlags()


class _LastOutcome:
    """A `Sink` that keeps the outcome of the only job."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None

    def receive(self, event: Event) -> None:
        """Keep what is to be kept."""
        if isinstance(event, JobEnded):
            self.outcome = event.outcome


def _choose_stdin(path: str | None) -> Stdin:
    """What the first command reads: the file given, or what was put into penstock.

    A terminal is not passed on unless asked for by "-": a command in a session of its
    own would take what the user types from under the shell.
    """
    if path == "-":
        return Inherit(0)
    if path is not None:
        return Input(path)
    return Null() if os.isatty(0) else Inherit(0)


def _sinks(telling: Telling) -> list[Sink]:
    """The reports that are wanted from the start; imported only then."""
    if telling.json:
        from penstock.cli.streams import stderr, warn  # noqa: PLC0415
        from penstock.report.journal import JsonLines  # noqa: PLC0415

        return [JsonLines(stderr(), warn)]
    if telling.verbose:
        from penstock.cli.streams import colour, stderr  # noqa: PLC0415
        from penstock.report.console import Console  # noqa: PLC0415

        return [Console(stderr(), verbosity="verbose", colour=colour())]
    return []


def _tell(job: Job, outcome: Outcome, telling: Telling) -> None:
    """Say what the command itself cannot have said, if there is anything."""
    by_itself = isinstance(outcome.ending, (Exited, Cancelled))
    by_itself = by_itself and outcome.culprit is not None
    failed = not outcome.ok and (telling.exit_codes or not by_itself)
    noisy = failed or outcome.trouble or outcome.stragglers
    warned = job.leaks == "warn" and outcome.stragglers
    if not outcome.survivors and not warned and (telling.quiet or not noisy):
        return
    from penstock.cli.printing import tell  # noqa: PLC0415 (only now)
    from penstock.report.failure import format_failure, leftovers  # noqa: PLC0415

    if failed or outcome.trouble:
        tell(f"penstock: {format_failure(job, outcome, os.environ.get('PATH'))}")
        return
    for _, text in leftovers(outcome):
        tell(f"penstock: {text}\n")
