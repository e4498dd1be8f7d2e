"""A recipe that did not simply end well: how it ends, and what is said of it."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Mapping
from contextlib import suppress

from penstock.cli.answer import CANCELLED, EXITED, SIGNALED
from penstock.cli.printing import tell
from penstock.clock import MonotonicClock
from penstock.make.place import MAKEFILES, find_recipe, makefiles_of
from penstock.make.shell_line import ShellLine
from penstock.model.command import Command
from penstock.model.job import Job, Stage, chain
from penstock.model.limits import GRACE, LINGER, Limits
from penstock.model.outcome import (
    Cancelled,
    Exited,
    NotStarted,
    Outcome,
    Signaled,
    TimedOut,
)
from penstock.model.signals import signal_name
from penstock.model.stream import Inherit
from penstock.model.success import in_full
from penstock.proc.launch import Running
from penstock.proc.lean import LeanJob
from penstock.proc.order import Abandon, Cancel, Order, Suspend
from penstock.proc.pair import GO_ON, STAND_STILL
from penstock.proc.reaper import SWEEP_BUDGET, read_status, sweep_orphans
from penstock.proc.run import resume_job
from penstock.report.failure import leftovers
from penstock.report.plain import visible
from penstock.report.words import describe_ending

_SHOWN = 60


def finish(
    line: ShellLine, stages: tuple[str, ...], lean: LeanJob, lifeline: int, maker: int
) -> bytes:
    """Run to its end what `lean` has started, and say what there is to say of it.

    Args:
        line: what was asked for.
        stages: the texts of the recipe's commands.
        lean: the job so far.
        lifeline: see `work_apart`.
        maker: PID of make, whose Makefile the recipe stands in.

    Returns:
        The answer for the process above.
    """
    job = _job(line, stages)
    station = _Above(lifeline)
    clock = MonotonicClock()
    refusal = None
    if lean.refusal is not None:
        why = f"{line.shell}: {lean.refusal.strerror}"
        refusal = NotStarted(lean.refusal.errno, why, "command")
    told = resume_job(job, _running(lean), refusal, station, clock)
    outcome = in_full(told, job)
    if not station.is_deserted:
        _tell(job, outcome, line, maker)
    return _answer(outcome)


def clean_up(strangers: frozenset[int]) -> None:
    """Our worker was killed: end what it has left, and say so.

    Args:
        strangers: children of this process that are not ours to end.
    """
    left = sweep_orphans(strangers, budget=SWEEP_BUDGET, clock=MonotonicClock())
    tell("penstock-sh: its worker was killed: nobody knows how the recipe ended\n")
    for process in left:
        tell(f"penstock-sh: could not be ended: {process.pid} ({process.command})\n")


def _job(line: ShellLine, stages: tuple[str, ...]) -> Job:
    limits = Limits(
        timeout=line.timeout or None,
        grace=GRACE if line.grace is None else line.grace,
        linger=LINGER if line.linger is None else line.linger,
    )
    texts = [" ".join(text.replace("\\\n", " ").split()) for text in stages]
    if line.recipe is None:
        texts = [" ".join((line.shell, *line.flags, *line.rest))]
    made = tuple(
        Stage(
            text,
            Command((line.shell, "-c", text), text),
            stdin=Inherit(0),
            stderr=Inherit(2),
            limits=limits._replace(timeout=None),
        )
        for text in texts
    )
    return Job("recipe", made, chain(len(made)), limits=limits)


def _running(lean: LeanJob) -> list[Running]:
    """What runs and ran, as `resume_job` knows it."""
    found = []
    for position, started in enumerate(lean.started):
        running = Running(position, started, lean.started_at)
        if started.status is None:
            running.open()
        else:
            running.end(read_status(started.status), None, lean.started_at)
        found.append(running)
    return found


class _Above:
    """The `Station` of a recipe: the process above, which hears the signals."""

    def __init__(self, lifeline: int) -> None:
        self.epoll = select.epoll()
        self.epoll.register(lifeline, select.EPOLLIN)
        self.is_deserted = False
        self._lifeline = lifeline
        self._signals = 0

    def order(self, descriptor: int) -> Order | None:
        """What to make of a byte on the lifeline, or of its end; see `work_apart`."""
        if descriptor != self._lifeline or self.is_deserted:
            return None
        signal = os.read(self._lifeline, 1)
        if not signal:
            self.is_deserted = True
            self.epoll.unregister(self._lifeline)
            return Abandon("penstock-sh was killed")
        if signal[0] in (STAND_STILL, GO_ON):
            return Suspend(signal[0] == STAND_STILL)
        self._signals += 1
        cause = f"interrupted by {signal_name(signal[0])}"
        return Cancel(cause, now=self._signals > 1)


def _answer(outcome: Outcome) -> bytes:
    if outcome.survivors:
        return EXITED + bytes((outcome.status,))
    match outcome.ending:
        case Cancelled():
            return CANCELLED + b"\0"
        case Signaled(signal) if len(outcome.stages) == 1:
            return SIGNALED + bytes((signal,))
        case _:
            return EXITED + bytes((outcome.status,))


def _tell(job: Job, outcome: Outcome, line: ShellLine, maker: int) -> None:
    texts = [*_failures(job, outcome), *(text for _, text in leftovers(outcome))]
    if texts:
        place = line.at or _find(line.recipe, maker, os.environ) or "penstock-sh"
        tell("".join(f"{visible(place)}: {visible(text)}\n" for text in texts))


def _failures(job: Job, outcome: Outcome) -> Iterator[str]:
    """What the recipe's own commands cannot have said, and make does not know."""
    if outcome.culprit is None:
        return
    stage, result = job.stages[outcome.culprit], outcome.stages[outcome.culprit]
    name = stage.name if len(stage.name) <= _SHOWN else stage.name[:_SHOWN] + "..."
    match result.ending:
        case TimedOut(timeout, _, status, escalated):
            ending = TimedOut(timeout, "command", status, escalated)
            yield f"{describe_ending(ending, job.limits.grace)}: {name}"
        case NotStarted() as ending:
            yield f"{describe_ending(ending, job.limits.grace)}: {name}"
        case Exited() | Signaled() if outcome.culprit + 1 < len(job.stages):
            position = f"command {outcome.culprit + 1} of {len(job.stages)}"
            yield f"{position} {describe_ending(result.ending, 0)}: {name}"


def _find(recipe: str | None, maker: int, environ: Mapping[str, str]) -> str | None:
    """``Makefile:12``, if this is under make and the recipe is found there."""
    if recipe is None or "MAKELEVEL" not in environ:
        return None
    with suppress(OSError):
        with open(f"/proc/{maker}/cmdline", "rb") as cmdline:
            argv = os.fsdecode(cmdline.read()).split("\0")
        default = [name for name in MAKEFILES if os.path.isfile(name)][:1]
        for path in makefiles_of(argv) or default:
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    line = find_recipe(file.read(), recipe)
                if line is not None:
                    return f"{path}:{line}"
    return None
