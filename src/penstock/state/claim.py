"""Claim: the right of one run to write its files, which no other run has meanwhile.

Each run has a file in one directory, with the names of what it writes in it, and holds
a lock on that file (flock(2)). Whoever claims something looks into the files that are
locked; a file that is not is that of a dead run, and is removed, after what that run
has left beside its outputs: nothing has to be cleaned up after a crash. The directory
is locked itself while one looks.

The lock goes along with each job to its worker. So, if penstock is killed, it lasts
until the worker has ended the job, and nobody writes what is still being written.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import select
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress

from penstock.clock import Clock
from penstock.state.claimant import Claimant, decode, refusal
from penstock.state.partial import remove_partials
from penstock.state.stop import Stop

_SUFFIX = ".claim"
_PATIENCE = 5.0  # seconds, for a dead run to end, and for others to look
_NAP = 10  # milliseconds


class Claim:
    """The claim of this run; it grows, and ends when it is closed.

    Args:
        directory: of the files; must exist.
        claimant: this run, which has claimed nothing yet.
        clock: for the patience with others.
        stop: ends the waiting for others.

    Raises:
        OSError: the files cannot be made or locked.
    """

    def __init__(
        self, directory: str, claimant: Claimant, clock: Clock, stop: Stop
    ) -> None:
        self._claimant = claimant
        self._own: set[str] = set()
        self._clock = clock
        self._stop = stop
        self._poll = select.poll()
        self._poll.register(stop, select.POLLIN)
        self._path = os.path.join(directory, claimant.run + _SUFFIX)
        self._others: tuple[Claimant, ...] = ()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        with ExitStack() as undo:
            self._directory = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
            undo.callback(os.close, self._directory)
            self._lock()
            self.descriptor = os.open(self._path, flags, 0o644)
            undo.callback(os.close, self.descriptor)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._unlock()
            undo.pop_all()

    def claim(self, paths: Iterable[str]) -> None:
        """Claim more files and directories; `paths` are real.

        Raises:
            PenstockError: another run has one of them, or one above or below.
            OSError: the claim cannot be written.
        """
        wanted = [path for path in dict.fromkeys(paths) if path not in self._own]
        if not wanted:
            return
        deadline = self._clock.now() + _PATIENCE
        while (conflict := self._try(wanted)) is not None:
            other, taken = conflict
            if not other.is_dying or not self._may_wait(deadline):
                raise refusal(other, taken)

    def is_free(self, run: str, paths: Iterable[str]) -> bool:
        """Whether a run is dead, and no other one has claimed any of `paths` since.

        As of the last time that we claimed something.
        """
        wanted = [*paths]
        return not any(
            run == other.run or _meeting(other.outputs, wanted)
            for other in self._others
        )

    def close(self) -> None:
        """Give up the claim; may be called twice."""
        if self._directory < 0:
            return
        with suppress(OSError):
            os.unlink(self._path)
        os.close(self.descriptor)
        os.close(self._directory)
        self._directory = -1

    def _try(self, wanted: list[str]) -> tuple[Claimant, list[str]] | None:
        """Claim all, or say who has which of them."""
        self._lock()
        try:
            self._others = tuple(self._look())
            for other in self._others:
                taken = _meeting(other.outputs, wanted)
                if taken:
                    return other, taken
            self._write(wanted)
            self._own.update(wanted)
        finally:
            self._unlock()
        return None

    def _look(self) -> list[Claimant]:
        """The other runs that are not dead; what is left of those that are goes."""
        directory = os.path.dirname(self._path)
        found = []
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if name.endswith(_SUFFIX) and path != self._path:
                claimant = _read_if_locked(path)
                if claimant is not None:
                    found.append(claimant)
        return found

    def _write(self, outputs: Iterable[str]) -> None:
        """Add outputs to the file, a line for each, after a line about this run."""
        about = () if self._own else (self._claimant._asdict(),)
        lines = [json.dumps(value) + "\n" for value in (*about, *outputs)]
        data = "".join(lines).encode("ascii")
        if os.write(self.descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)

    def _lock(self) -> None:
        """Let nobody else look; those who do take no longer than a moment."""
        deadline = self._clock.now() + _PATIENCE
        while True:
            try:
                fcntl.flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not self._may_wait(deadline):
                    raise
            else:
                return

    def _unlock(self) -> None:
        fcntl.flock(self._directory, fcntl.LOCK_UN)

    def _may_wait(self, deadline: float) -> bool:
        """Wait a moment, if there is time and nobody wants us to stop."""
        self._poll.poll(_NAP)
        return self._clock.now() < deadline and not self._stop.ask_to_stop()


def _meeting(claimed: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Those of `claimed` that are one of `wanted`, or above or below one; sorted."""
    exactly = {*wanted}
    above = {directory for path in exactly for directory in _above(path)}
    return sorted(
        path
        for path in claimed
        if path in exactly or path in above or not exactly.isdisjoint(_above(path))
    )


def _above(path: str) -> Iterator[str]:
    """All directories that a path is in."""
    while (directory := os.path.dirname(path)) != path:
        yield directory
        path = directory


def _read_if_locked(path: str) -> Claimant | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    else:
        with suppress(OSError):
            _clean_up_after(_read(descriptor))
            os.unlink(path)
        return None
    finally:
        os.close(descriptor)


def _clean_up_after(dead: Claimant | None) -> None:
    """Remove the partials of a run whose lock nobody holds.

    If it is alive for all that, the file is a copy, and names what it writes elsewhere.
    """
    if dead is not None and not dead.is_alive:
        remove_partials(dead.run, dead.outputs)


def _read(descriptor: int) -> Claimant | None:
    with open(descriptor, "rb", closefd=False) as file:
        return decode(file.read())
