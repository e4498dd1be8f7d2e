"""From what was seen of a job to its outcome; and its outputs to their names."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.model.job import Job
from penstock.model.outcome import (
    Cancelled,
    EdgeOutcome,
    Ending,
    Lost,
    NotStarted,
    Outcome,
    OutOfMemory,
    Process,
    StageOutcome,
    TimedOut,
)
from penstock.model.verdict import judge
from penstock.proc.files import Files
from penstock.proc.flow import edge_outcomes, relay_outcome
from penstock.proc.holders import in_words
from penstock.proc.launch import Running
from penstock.proc.log import LogPump
from penstock.proc.stop import Stop
from penstock.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.proc.relay import Relay


class Seen(NamedTuple):
    """What was seen of a job.

    Attributes:
        running: the stages that were started: all of them, or the first few.
        stop: why it was ended from outside, if it was.
        not_started: the position of the stage that could not be started, and why.
        stragglers: see `Outcome`.
        survivors: see `Outcome`.
        spared: see `Outcome`.
        elapsed: see `Outcome`.
        peak_bytes: see `Outcome`.
        relays: that were started.
        spoiled: why bytes are missing, if a relay failed.
        sampled: what was seen of edges at which nobody counts.
    """

    running: Sequence[Running]
    stop: Stop | None
    not_started: tuple[int, NotStarted] | None
    stragglers: tuple[Process, ...]
    survivors: tuple[Process, ...]
    spared: tuple[Process, ...]
    elapsed: float
    peak_bytes: int | None
    relays: Sequence[Relay]
    spoiled: str | None
    sampled: Sequence[EdgeOutcome]


def conclude(job: Job, files: Files, seen: Seen) -> Outcome:
    """Tell how `job` ended; rename its outputs if, and only if, it succeeded."""
    positions = range(len(job.stages))
    endings = tuple([_ending(job, position, seen) for position in positions])
    good, culprit = judge(job, endings)
    leaked = job.leaks == "fail" and bool(seen.stragglers)
    ok = culprit is None and not seen.survivors and not leaked
    trouble = seen.spoiled or files.lacks_room
    if ok and trouble is None:
        trouble = files.commit()
    outcome = Outcome(
        job.name,
        endings[-1 if culprit is None else culprit],
        ok and trouble is None,
        tuple(
            [
                _stage(job, position, endings[position], good[position], files, seen)
                for position in positions
            ],
        ),
        culprit,
        seen.elapsed,
        seen.stragglers,
        seen.survivors,
        trouble,
        seen.spared,
        seen.peak_bytes,
        kept=files.kept(),
    )
    notes = seen.stop.edges if seen.stop is not None else ()
    if not (seen.relays or files.unopened or notes or seen.sampled):
        return outcome
    return outcome._replace(
        relays=tuple(map(relay_outcome, seen.relays)),
        edges=edge_outcomes(seen.sampled, seen.relays, files.unopened, notes),
    )


def _ending(job: Job, position: int, seen: Seen) -> Ending:
    """What happened to one stage."""
    if position >= len(seen.running):
        return _not_started(job, position, seen)
    running, stop = seen.running[position], seen.stop
    if stop is not None and position in stop.overdue:
        if stop.memory is not None:
            return OutOfMemory(*stop.memory, running.status)
        limit = (stop.timeout, stop.limit_of)
        return TimedOut(*limit, running.status, running.escalated)
    if stop is not None and position in stop.hit:
        return Cancelled(stop.cause, running.status, running.escalated)
    if running.status is None:
        return Lost("it could not be killed")
    return running.status


def _not_started(job: Job, position: int, seen: Seen) -> NotStarted:
    """Why a stage has no process: its own fault, or that of a sibling."""
    if seen.not_started is None:
        return NotStarted(None, "the job was stopped first", "sibling")
    culprit, ending = seen.not_started
    if culprit == position:
        return ending
    name = job.stages[culprit].name
    return NotStarted(None, f"{name} could not be started", "sibling")


def _stage(
    job: Job,
    position: int,
    ending: Ending,
    ok: bool,  # noqa: FBT001 (one of a row of facts)
    files: Files,
    seen: Seen,
) -> StageOutcome:
    name = job.stages[position].name
    if position >= len(seen.running):
        return StageOutcome(name, ending, ok)
    running = seen.running[position]
    pump = files.logs.get(position)
    return StageOutcome(
        name,
        ending,
        ok,
        running.process.pid,
        running.elapsed,
        running.usage,
        pump.tail if pump else b"",
        _log_error(pump, job.limits.drain) if pump else None,
    )


def _log_error(pump: LogPump, drain: float) -> str | None:
    if pump.error is None and pump.holders is not None:
        return f"still held open after {drain:g} s by {in_words(pump.holders)}"
    return pump.error
