"""Starting all stages of a job, or none.

Whatever can fail without starting anything (finding programs, opening files) is done
for every stage first. What fails after that takes back what was started: the caller
kills it. Where the system has no process to spare at the moment, a stage is tried again
for a while; it has not run, so nothing happens twice. That while is short as long as no
stage was started: then the job can wait where it holds nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from math import inf

from penstock.clock import Clock
from penstock.model.job import Job, Stage
from penstock.model.outcome import Exited, NotStarted, Signaled, Usage
from penstock.model.shortage import PASSING
from penstock.model.stream import Direct, Output
from penstock.model.wiring import Wiring
from penstock.proc.files import Files
from penstock.proc.flow import start_relays
from penstock.proc.nice import check_nice, renice
from penstock.proc.spawn import CannotStart, find_program, spawn
from penstock.typed import TYPE_CHECKING

_MOMENT = (0.02, 0.05, 0.1, 0.2)  # seconds from one try to the next
_LONGEST = 0.8
_PAUSES = (*_MOMENT, 0.4, *[_LONGEST] * 12)  # ten in all
_TURNS = 8  # not all give up in the same instant what another one lacks

if TYPE_CHECKING:
    import subprocess

    from penstock.proc.relay import Relay
    from penstock.proc.start import Started


class Running:
    """A started stage: its process, and how that ended once it has.

    Attributes:
        position: of the stage in the job.
        process: which never waits for itself: the reaper does.
        pidfd: readable once the process is dead (pidfd_open(2)); -1 when closed.
        started_at: on the monotonic clock.
        elapsed: seconds it ran; meaningful once `status` is known.
        status: None while it runs.
        usage: None while it runs.
        escalated: it was still alive when KILL was sent.
    """

    __slots__ = (
        "elapsed",
        "escalated",
        "pidfd",
        "position",
        "process",
        "started_at",
        "status",
        "usage",
    )

    def __init__(
        self,
        position: int,
        process: subprocess.Popen[bytes] | Started,
        started_at: float,
    ) -> None:
        self.position = position
        self.process = process
        self.pidfd = -1
        self.started_at = started_at
        self.elapsed = 0.0
        self.status: Exited | Signaled | None = None
        self.usage: Usage | None = None
        self.escalated = False

    def open(self) -> None:
        """Open the pidfd, unless no descriptor is left: then the end is noticed later.

        Not when this is made, so that a failure loses no process.
        """
        try:  # noqa: SIM105 (`suppress` takes longer than this)
            self.pidfd = os.pidfd_open(self.process.pid)
        except OSError:
            pass

    def end(self, status: Exited | Signaled, usage: Usage | None, now: float) -> None:
        """Note how it ended; the process has been reaped."""
        self.status, self.usage = status, usage
        self.elapsed = now - self.started_at
        self.process.returncode = 0  # tells Popen that there is nothing to wait for
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def close(self) -> None:
        """Close the pidfd; may be called twice."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


class StartFailed(Exception):  # noqa: N818 (carries a value; never leaves the worker)
    """A stage could not be started.

    Attributes:
        position: of that stage.
        ending: what happened to it.
    """

    def __init__(self, position: int, ending: NotStarted) -> None:
        super().__init__(ending.reason)
        self.position = position
        self.ending = ending


def launch(  # noqa: PLR0913 (what a start needs)
    job: Job,
    wiring: Wiring,
    files: Files,
    started: list[Running],
    relays: list[Relay],
    *,
    clock: Clock,
    rest: Callable[[float], bool],
) -> None:
    """Start every stage of `job`.

    Args:
        job: what to start.
        wiring: its descriptors.
        files: opens and owns what the streams name.
        started: receives each stage as it starts, so that nothing is lost on failure.
        relays: receives each relay as it starts.
        clock: for the times of the starts.
        rest: lets so many seconds pass; False: the job is to be stopped.

    Raises:
        StartFailed: for the first stage that could not be; `started` has those before.
    """
    position, apart = 0, is_apart(job)
    try:
        if wiring.pipes:
            _open_edges(wiring, files)
        prepared = []
        for position, stage in enumerate(job.stages):
            program = _prepare(job, stage, clock.now())
            prepared.append((program, files.connect(wiring.stages[position], position)))
        if wiring.pipes:
            files.know_pipes(wiring.pipes)
            start_relays(wiring, files, relays, clock)
        for position, stage in enumerate(job.stages):
            plan = wiring.stages[position]
            command = files.named(stage.command, plan) if plan.named else stage.command
            pauses = _pauses(has_begun=bool(started))
            begin = partial(spawn, command, *prepared[position], apart=apart)
            process = _start(begin, pauses, rest)
            running = Running(position, process, clock.now())
            started.append(running)
            running.open()
            if command.nice:
                renice(running.process.pid, command.nice)
            files.release(plan, position)
    except CannotStart as cause:
        raise StartFailed(position, cause.ending) from None
    except OSError as error:  # no descriptor left for a pipe, say
        reason = f"penstock could not prepare it: {error.strerror}"
        ending = NotStarted(error.errno, reason, "system")
        raise StartFailed(position, ending) from None


def is_apart(job: Job) -> bool:
    """Whether each command of `job` is to have a session of its own.

    A worker runs one job at a time, and nothing of that is left when the next one
    begins: so a single command may be in the worker's session, which nobody else is in,
    and spares the kernel what it keeps for each session (sched(7), autogroup). Not if
    it matters what is left; nor where the session is somebody else's (`--foreground`).
    """
    matters = job.leaks != "kill" or job.limits.linger == inf  # or it is a service
    return len(job.stages) > 1 or matters or os.getsid(0) != os.getpid()


def _prepare(job: Job, stage: Stage, now: float) -> str:
    """The program of `stage`, if that may be run as it is to be.

    Raises:
        CannotStart: it may not, or there is none.
    """
    command = stage.command
    # Where much is done before the start, it must not turn out then that there is none.
    surely = len(job.stages) > 1 or isinstance(stage.stdout, Output | Direct)
    program = find_program(command, now, surely=surely)
    if command.nice:
        check_nice(command)
    return program


def _open_edges(wiring: Wiring, files: Files) -> None:
    """Make what is more than a pipe between two commands.

    Raises:
        OSError: that cannot be.
    """
    if wiring.fifos:
        files.make_fifos(wiring.fifos)
    for relay in wiring.relays:
        files.open_pipes(relay.opens)


def _pauses(*, has_begun: bool) -> Sequence[float]:
    """Seconds between the tries to start a stage, in a job of which one may run."""
    return (*_PAUSES, *[_LONGEST] * (os.getpid() % _TURNS)) if has_begun else _MOMENT


def _start(
    begin: Callable[[], subprocess.Popen[bytes]],
    pauses: Sequence[float],
    rest: Callable[[float], bool],
) -> subprocess.Popen[bytes]:
    """Start a command, again and again while there is no room for it.

    Raises:
        CannotStart: as `spawn`; or there was no room in all that time.
    """
    for pause in pauses:
        try:
            return begin()
        except CannotStart as cause:
            if cause.ending.errno not in PASSING or not rest(pause):
                raise
    return begin()
