"""FIFOs at which nobody can hang: pipes that a command opens by a name.

Opening a FIFO waits for somebody at the other side, who may be dead, or never come. So
we stand at both sides (O_RDWR, which never waits: fifo(7)) until the reader has opened
it, which inotify(7) tells: then we leave, and what remains is a pipe like any other.
Until then the writer finds a reader, and the reader a writer. If the reader's stage
ends without having opened it, we leave, too, and the writer gets SIGPIPE.
"""

from __future__ import annotations

import os
from contextlib import suppress

from penstock.model.wiring import Fifo
from penstock.proc.inotify import Inotify
from penstock.proc.pipes import enlarge
from penstock.proc.scratch import private_directory


class Fifos:
    """The FIFOs of one job, and the directory they are in."""

    def __init__(self) -> None:
        """Make the directory.

        Raises:
            OSError: there cannot be one, or it could not be watched.
        """
        self._held: dict[int, int] = {}  # pipe: descriptor for both sides
        self._watched: dict[int, int] = {}  # number: pipe
        self._fifos: dict[int, Fifo] = {}
        self._inotify = Inotify()
        try:
            self._directory = private_directory()
        except OSError:
            self._inotify.close()
            raise

    def make(self, fifo: Fifo) -> int:
        """Make one; the descriptor to write to it, which the caller owns.

        Raises:
            OSError: it cannot be made.
        """
        path = self.path(fifo)
        os.mkfifo(path, 0o600)
        self._fifos[fifo.pipe] = fifo
        both = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._held[fifo.pipe] = both
        enlarge(both)
        writer = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._watched[self._inotify.watch(path)] = fifo.pipe
        except OSError:
            os.close(writer)
            raise
        return writer

    def path(self, fifo: Fifo) -> str:
        """Where it is: in a directory of its stage."""
        return os.path.join(self._directory, f"{fifo.target}-{fifo.name}")

    def fileno(self) -> int:
        """Readable when one of them may have been opened."""
        return self._inotify.fileno()

    def hear(self) -> None:
        """Leave those that have been opened to who has them now."""
        for number in self._inotify.take():
            self._leave(self._watched[number])

    def forsake(self, target: int) -> list[Fifo]:
        """The stage `target` has ended and opens no more; what it never opened."""
        self.hear()
        fifos = [fifo for fifo in self._fifos.values() if fifo.target == target]
        return [fifo for fifo in fifos if self._leave(fifo.pipe)]

    def forsake_all(self) -> None:
        """Nobody shall wait for anybody any more."""
        for pipe in list(self._held):
            self._leave(pipe)

    def close(self) -> None:
        """Close and remove all."""
        self.forsake_all()
        self._inotify.close()
        for fifo in self._fifos.values():
            with suppress(OSError):
                os.unlink(self.path(fifo))
        with suppress(OSError):
            os.rmdir(self._directory)

    def _leave(self, pipe: int) -> bool:
        """Close both sides of ours; False if that was done before."""
        descriptor = self._held.pop(pipe, None)
        if descriptor is None:
            return False
        os.close(descriptor)
        return True
