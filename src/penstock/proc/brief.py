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
from penstock.proc.launch import Running, is_apart
from penstock.proc.order import Order, Station
from penstock.proc.reaper import read_status, read_usage, reap
from penstock.proc.spawn import CannotStart, find_program, spawn
from penstock.typed import NamedTuple

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


class Unfinished(NamedTuple):
    """A job of which there is more to see to.

    Attributes:
        stage: its only one, which may have ended; None: it could not be started. It may
            be tried again, then.
        orders: that came meanwhile.
    """

    stage: Running | None
    orders: tuple[Order, ...] = ()


def run_briefly(
    job: Job,
    wiring: Wiring,
    files: Files,
    station: Station,
    clock: Clock,
    started_at: float,
) -> Outcome | Succeeded | Unfinished:
    """Run `job`, and wait a moment for it to succeed.

    Args:
        job: for which `is_brief` holds.
        wiring: see `run_job`.
        files: for its streams; they stay open.
        station: where to wait, and to be told that there are more jobs.
        clock: for the times that it took.
        started_at: when the job was begun, by that clock.

    Returns:
        Its success, if that is all.
    """
    command, epoll = job.stages[0].command, station.epoll
    try:
        program = find_program(command, started_at, surely=False)
        streams = files.connect(wiring.stages[0], 0)
        process = spawn(command, program, streams, apart=is_apart(job))
    except (CannotStart, OSError):
        return Unfinished(None)
    running = Running(0, process, clock.now())
    running.open()
    try:
        epoll.register(running.pidfd, EPOLLIN)
    except (OSError, ValueError):  # there is no pidfd, or no room for it
        return Unfinished(running)
    orders = _await(running.pidfd, station, clock, running.started_at + _patience(job))
    if orders:
        epoll.unregister(running.pidfd)
        return Unfinished(running, orders)
    pid, status, used = reap()
    if pid != process.pid:  # or nobody: time is up, or somebody traces it
        epoll.unregister(running.pidfd)
        return Unfinished(running)
    usage = read_usage(used)
    running.end(read_status(status), usage, clock.now())
    try:
        reap()
    except ChildProcessError:  # there is nothing below us
        if not status:
            return _tell(job, files, running, usage, clock.now() - started_at)
    return Unfinished(running)


def _await(
    pidfd: int, station: Station, clock: Clock, deadline: float
) -> tuple[Order, ...]:
    """Wait for the end of a process; or for an order, or the deadline."""
    patience = deadline - clock.now()
    while True:
        ready = station.epoll.poll(max(0.0, patience))
        if ready == [(pidfd, EPOLLIN)]:
            return ()
        others = [each for each, _ in ready if each != pidfd]
        told = [station.order(each) for each in others]
        orders = tuple(order for order in told if order is not None)
        patience = deadline - clock.now()
        if orders or len(others) < len(ready) or not ready or patience <= 0:
            return orders


def _patience(job: Job) -> float:
    """How long to wait, in seconds: not longer than its limits let it run."""
    ours, its = job.limits.timeout, job.stages[0].limits.timeout
    if ours is None and its is None:
        return _SOON
    return min(limit for limit in (_SOON, ours, its) if limit is not None)


def _tell(
    job: Job, files: Files, running: Running, usage: Usage, elapsed: float
) -> Outcome | Succeeded | Unfinished:
    """That it succeeded, with what it printed if that was kept, and could be."""
    ran = running.process.pid, elapsed, running.elapsed, usage
    if not files.keeps:
        return Succeeded(job.name, *ran)
    if files.lacks_room:
        return Unfinished(running)
    out, err = kept = files.kept()
    if out.descriptor is None and err.descriptor is None:
        return Succeeded(job.name, *ran, out.data, err.data)
    return Succeeded(job.name, *ran).outcome(job.stages[0].name)._replace(kept=kept)
