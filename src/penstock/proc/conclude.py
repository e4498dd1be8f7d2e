"""From what was seen of a job to its outcome; and its outputs to their names."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.model.job import Job
from penstock.model.outcome import (
    NOTHING_KEPT,
    Cancelled,
    EdgeOutcome,
    Ending,
    Kept,
    Lost,
    NotStarted,
    Outcome,
    OutOfMemory,
    Process,
    StageOutcome,
    TimedOut,
)
from penstock.model.success import EXITED, LONGEST_NAME, Succeeded
from penstock.model.verdict import judge
from penstock.proc.files import Files
from penstock.proc.flow import edge_outcomes, relay_outcome
from penstock.proc.holders import in_words
from penstock.proc.launch import Running
from penstock.proc.log import LogPump
from penstock.proc.stop import Stop
from penstock.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from penstock.proc.brood import Brood
    from penstock.proc.gauge import Gauge


class Seen(Protocol):
    """What was seen of a job, when all of it is over."""

    @property
    def running(self) -> Sequence[Running]:
        """The stages that were started: all of them, or the first few."""
        ...

    @property
    def stopped(self) -> Stop | None:
        """Why it was ended from outside, if it was."""
        ...

    @property
    def not_started(self) -> tuple[int, NotStarted] | None:
        """The position of the stage that could not be started, and why."""
        ...

    @property
    def stragglers(self) -> tuple[Process, ...]:
        """See `Outcome`."""
        ...

    @property
    def survivors(self) -> tuple[Process, ...]:
        """See `Outcome`."""
        ...

    @property
    def spared(self) -> tuple[Process, ...]:
        """See `Outcome`."""
        ...

    @property
    def brood(self) -> Brood:
        """The relays that were started, and what they have spoiled."""
        ...

    @property
    def gauge(self) -> Gauge | None:
        """What looked at the job now and then, if anything did."""
        ...

    def elapsed(self) -> float:
        """See `Outcome`."""
        ...

    def sampled(self) -> Sequence[EdgeOutcome]:
        """What was seen of edges at which nobody counts."""
        ...


def conclude(job: Job, files: Files, seen: Seen) -> Outcome | Succeeded:
    """Tell how `job` ended; rename its outputs if, and only if, it succeeded."""
    trouble = seen.brood.spoiled
    kept = NOTHING_KEPT
    if files.keeps:
        trouble = trouble or files.lacks_room
        kept = files.kept()
    if trouble is None:
        success = _success(job, files, seen, kept)
        trouble = files.commit() if success is not None and files.pending else None
        if success is not None and trouble is None:
            return success
    positions = range(len(job.stages))
    endings = tuple([_ending(job, position, seen) for position in positions])
    good, culprit = judge(job, endings)
    leaked = job.leaks == "fail" and bool(seen.stragglers)
    ok = culprit is None and not seen.survivors and not leaked
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
        seen.elapsed(),
        seen.stragglers,
        seen.survivors,
        trouble,
        seen.spared,
        seen.gauge.peak_bytes if seen.gauge is not None else None,
        kept=kept,
    )
    notes = seen.stopped.edges if seen.stopped is not None else ()
    if not (seen.brood.relays or files.unopened or notes or seen.sampled()):
        return outcome
    return outcome._replace(
        relays=tuple(map(relay_outcome, seen.brood.relays)),
        edges=edge_outcomes(seen.sampled(), seen.brood.relays, files.unopened, notes),
    )


def _success(
    job: Job, files: Files, seen: Seen, kept: tuple[Kept, Kept]
) -> Succeeded | None:
    """The success of a job of which there is no more to tell; None if there is."""
    if len(job.stages) != 1 or len(seen.running) != 1 or seen.stopped is not None:
        return None
    out, err = kept
    (running,) = seen.running
    if (
        running.status != EXITED
        or running.usage is None
        or 0 not in job.stages[0].command.ok
        or seen.stragglers
        or seen.survivors
        or seen.spared
        or seen.brood.relays
        or seen.gauge is not None
        or (files.logs and files.has_remarks)
        or out.descriptor is not None
        or err.descriptor is not None
        or len(job.name) > LONGEST_NAME
    ):
        return None
    ran = running.process.pid, seen.elapsed(), running.elapsed, running.usage
    return Succeeded(job.name, *ran, out.data, err.data)


def _ending(job: Job, position: int, seen: Seen) -> Ending:
    """What happened to one stage."""
    if position >= len(seen.running):
        return _not_started(job, position, seen)
    running, stop = seen.running[position], seen.stopped
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
