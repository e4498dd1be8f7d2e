"""A job of one plain command that soon succeeds: its whole life in one function.

Of many short jobs nearly all are so. What else may happen to a job `run` knows: it
takes over as soon as anything else does, from what was started here.
"""

from __future__ import annotations

from select import EPOLLIN

from penstock.clock import Clock
from penstock.model.job import Job
from penstock.model.outcome import Outcome, Usage
from penstock.model.success import LONGEST_NAME, Succeeded
from penstock.model.wiring import Wiring
from penstock.proc.files import Files
from penstock.proc.launch import Running
from penstock.proc.order import Station
from penstock.proc.reaper import read_status, read_usage, reap
from penstock.proc.spawn import CannotStart, find_program, spawn

_SOON = 0.5  # seconds


def is_brief(job: Job, wiring: Wiring) -> bool:
    """Whether `run_briefly` may be tried: nothing has to be looked at meanwhile."""
    if not wiring.is_plain:
        return False
    (stage,) = job.stages
    command, limits = stage.command, stage.limits
    return not (
        limits.idle is not None
        or job.limits.still is not None
        or command.memory is not None
        or command.nice
        or 0 not in command.ok
        or len(job.name) > LONGEST_NAME
    )


def run_briefly(
    job: Job,
    wiring: Wiring,
    files: Files,
    station: Station,
    clock: Clock,
    started_at: float,
) -> Outcome | Succeeded | Running | None:
    """Run `job`, and wait a moment for it to succeed.

    Args:
        job: for which `is_brief` holds.
        wiring: see `run_job`.
        files: for its streams; they stay open.
        station: where to wait. No order is taken: whoever goes on finds it there.
        clock: for the times that it took.
        started_at: when the job was begun, by that clock.

    Returns:
        Its success, if that is all; its only stage, which may have ended, if there is
        more to it; None if it could not be started. It may be tried again, then.
    """
    command, epoll = job.stages[0].command, station.epoll
    try:
        program = find_program(command, started_at, surely=False)
        process = spawn(command, program, files.connect(wiring.stages[0], 0))
    except (CannotStart, OSError):
        return None
    running = Running(0, process, clock.now())
    running.open()
    try:
        epoll.register(running.pidfd, EPOLLIN)
    except (OSError, ValueError):  # there is no pidfd, or no room for it
        return running
    ready = epoll.poll(_patience(job))
    if ready != [(running.pidfd, EPOLLIN)]:
        epoll.unregister(running.pidfd)
        return running
    pid, status, used = reap()
    if pid != process.pid:  # or nobody: somebody traces it
        epoll.unregister(running.pidfd)
        return running
    usage = read_usage(used)
    running.end(read_status(status), usage, clock.now())
    try:
        reap()
    except ChildProcessError:  # there is nothing below us
        if not status:
            return _tell(job, files, running, usage, clock.now() - started_at)
    return running


def _patience(job: Job) -> float:
    """How long to wait, in seconds: not longer than its limits let it run."""
    ours, its = job.limits.timeout, job.stages[0].limits.timeout
    if ours is None and its is None:
        return _SOON
    return min(limit for limit in (_SOON, ours, its) if limit is not None)


def _tell(
    job: Job, files: Files, running: Running, usage: Usage, elapsed: float
) -> Outcome | Succeeded | Running:
    """That it succeeded, with what it printed if that was kept, and could be."""
    ran = running.process.pid, elapsed, running.elapsed, usage
    if not files.keeps:
        return Succeeded(job.name, *ran)
    if files.lacks_room:
        return running
    out, err = kept = files.kept()
    if out.descriptor is None and err.descriptor is None:
        return Succeeded(job.name, *ran, out.data, err.data)
    return Succeeded(job.name, *ran).outcome(job.stages[0].name)._replace(kept=kept)
