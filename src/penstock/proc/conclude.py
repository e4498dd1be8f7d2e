"""From what was seen of a job to its outcome; and its outputs to their names."""

from __future__ import annotations

from penstock.model.job import Job
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Lost,
    NotStarted,
    Outcome,
    Process,
    StageOutcome,
    TimedOut,
)
from penstock.model.verdict import judge
from penstock.proc.files import Files
from penstock.proc.launch import Running
from penstock.proc.log import LogPump
from penstock.proc.stop import Stop


def conclude(
    job: Job,
    running: list[Running],
    files: Files,
    *,
    stop: Stop | None,
    not_started: tuple[int, NotStarted] | None,
    stragglers: tuple[Process, ...],
    survivors: tuple[Process, ...],
    elapsed: float,
) -> Outcome:
    """Tell how `job` ended; rename its outputs if, and only if, it succeeded."""
    by_position = {stage.position: stage for stage in running}
    endings = tuple(
        _ending(position, by_position.get(position), stop, not_started, job)
        for position in range(len(job.stages))
    )
    good, culprit = judge(job, endings)
    ok = culprit is None and not survivors
    trouble = files.commit() if ok else None
    stages = tuple(
        _stage(job, position, ending, good[position], by_position, files)
        for position, ending in enumerate(endings)
    )
    return Outcome(
        job=job.name,
        ending=endings[-1 if culprit is None else culprit],
        ok=ok and trouble is None,
        stages=stages,
        culprit=culprit,
        elapsed=elapsed,
        stragglers=stragglers,
        survivors=survivors,
        trouble=trouble,
    )


def _ending(
    position: int,
    running: Running | None,
    stop: Stop | None,
    not_started: tuple[int, NotStarted] | None,
    job: Job,
) -> Ending:
    """What happened to one stage."""
    if running is None:
        return _not_started(position, not_started, job)
    if stop is not None and position in stop.overdue:
        limit = (stop.timeout, stop.limit_of)
        return TimedOut(*limit, running.status, running.escalated)
    if stop is not None and position in stop.hit:
        return Cancelled(stop.cause, running.status, running.escalated)
    if running.status is None:
        return Lost("it could not be killed")
    return running.status


def _not_started(
    position: int,
    not_started: tuple[int, NotStarted] | None,
    job: Job,
) -> NotStarted:
    """Why a stage has no process: its own fault, or that of a sibling."""
    if not_started is None:
        return NotStarted(None, "the job was stopped first", "sibling")
    culprit, ending = not_started
    if culprit == position:
        return ending
    name = job.stages[culprit].name
    return NotStarted(None, f"{name} could not be started", "sibling")


def _stage(
    job: Job,
    position: int,
    ending: Ending,
    ok: bool,  # noqa: FBT001 (one of a row of facts)
    by_position: dict[int, Running],
    files: Files,
) -> StageOutcome:
    name = job.stages[position].name
    running = by_position.get(position)
    if running is None:
        return StageOutcome(name, ending, ok)
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
    if pump.error is None and pump.is_open:
        return f"something else still held the pipe open after {drain:g} s"
    return pump.error
