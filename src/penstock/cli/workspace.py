"""What `run` does next to each job: its logs, its outputs, its turn on stdout."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Sequence
from contextlib import suppress

from penstock.errors import PenstockError
from penstock.model.job import Job, Stage
from penstock.model.outcome import Outcome
from penstock.model.stream import Handed, Inherit, Log, Output
from penstock.proc.signals import SignalFlags

_FILE_CHUNK = 1 << 20
_STDOUT = 1


class StdoutClosed(Exception):  # noqa: N818 (an event, not a fault)
    """Whoever read our standard output has gone away."""


class Workspace:
    """A `Dispatch` that gives each job its place in the run's directory.

    Args:
        run: name of the run; keeps unfinished outputs of two runs apart.
        directory: of the run; None if it could not be made, and nothing is kept.
        grouped: keep what a job writes to stdout, and print it when the job is over,
            so that the outputs of two jobs do not mix.
        stop: tells when the run is to stop: then the printing stops too, for whoever
            should read it may never do so.
    """

    def __init__(
        self, run: str, directory: str | None, *, grouped: bool, stop: SignalFlags
    ) -> None:
        self._run = run
        self._stop = stop
        self._outputs = 0
        self._is_stopped = False
        self._directory = directory
        self._grouped = grouped
        self._spools: dict[str, int] = {}
        self._attempts: dict[str, int] = {}  # of jobs that may have several

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job with its logs named, and its stdout kept where that is grouped."""
        if job.policy.retry.times:
            self._attempts[job.name] = self._attempts.get(job.name, 0) + 1
        stages = tuple(
            self._settle(job, position, stage)
            for position, stage in enumerate(job.stages)
        )
        if not self._grouped or stages[-1].stdout != Inherit(_STDOUT):
            return job._replace(stages=stages), ()
        spool = _open_spool(self._directory)
        self._spools[job.name] = spool
        last = stages[-1]._replace(stdout=Handed(0))
        return job._replace(stages=(*stages[:-1], last)), (spool,)

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """The outcome as it is, once what the job has written is printed.

        Raises:
            StdoutClosed: nobody reads it any more.
            PenstockError: it cannot be written.
        """
        spool = self._spools.pop(job.name, None)
        if spool is not None:
            self._print(spool)
        return outcome

    def close(self) -> None:
        """Drop what was not printed."""
        for spool in self._spools.values():
            os.close(spool)
        self._spools.clear()

    def _print(self, spool: int) -> None:
        """Print what is in `spool`, and close it."""
        try:
            if not self._is_stopped:
                self._is_stopped = not _copy(spool, _STDOUT, self._stop)
        except BrokenPipeError:
            raise StdoutClosed from None
        except OSError as error:
            why = f"cannot write to standard output: {error.strerror}"
            raise PenstockError(why) from None
        finally:
            os.close(spool)

    def _settle(self, job: Job, position: int, stage: Stage) -> Stage:
        """The stage with a log of its own, and an output apart from other runs'."""
        if isinstance(stage.stderr, Log) and self._directory is not None:
            attempt = self._attempts.get(job.name, 1)
            tried = f".attempt-{attempt}" if attempt > 1 else ""
            name = f"{job.name}.{position + 1}{tried}.stderr"
            path = os.path.join(self._directory, name)
            stage = stage._replace(stderr=stage.stderr._replace(path=path))
        if isinstance(stage.stdout, Output):
            self._outputs += 1  # two names may be cut to the same
            partial = f"{stage.stdout.partial}.{self._run}.{self._outputs}"
            stage = stage._replace(stdout=stage.stdout._replace(partial=partial))
        return stage


def _open_spool(directory: str | None) -> int:
    """A file without a name, so that nothing is left of it whatever happens.

    Raises:
        PenstockError: there is nowhere to put it.
    """
    why: str | None = None
    for place in (directory, os.environ.get("TMPDIR"), "/tmp", "/var/tmp"):  # noqa: S108
        if place:
            try:
                return os.open(place, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
            except OSError as error:
                why = error.strerror
    raise PenstockError(f"nowhere to keep what a job prints: {why}; try TMPDIR")


def _copy(source: int, target: int, stop: SignalFlags) -> bool:
    """Copy all of a file to a descriptor; False if the run was to stop before.

    Never waits in write(2), where no signal would reach us: what poll(2) calls ready
    takes PIPE_BUF bytes at once, and a file takes all.
    """
    most = _FILE_CHUNK if stat.S_ISREG(os.fstat(target).st_mode) else select.PIPE_BUF
    poll = select.poll()
    poll.register(target, select.POLLOUT)
    poll.register(stop, select.POLLIN)
    offset = 0
    while chunk := os.pread(source, most, offset):
        ready = [descriptor for descriptor, _ in poll.poll()]
        if stop.fileno() in ready and stop.ask_to_stop():
            return False
        if target not in ready:
            continue
        with suppress(BlockingIOError):  # somebody made it so; poll(2) waits for us
            offset += os.write(target, chunk)
    return True
