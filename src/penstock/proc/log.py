"""The worker's side of a stage's stderr: read it, keep it, never hold it up."""

from __future__ import annotations

import os

from penstock.model.outcome import Process
from penstock.model.stream import Log
from penstock.proc.holders import holders_of

_CHUNK = 1 << 16
# O_NONBLOCK: a log that is a FIFO, without a reader or full, must not hold us up.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK


class LogPump:
    """Takes what comes out of a pipe, writes it to a file and remembers the end.

    A disk that is full, or a file that cannot be made, costs the log and nothing else:
    the reading goes on, so that the command neither blocks nor sees an error.
    """

    def __init__(self, log: Log) -> None:
        self.error: str | None = None
        self.is_open = True
        self.taken = 0  # bytes
        self.holders: tuple[Process, ...] | None = None  # who, once asked for
        self._log = log
        self._file: int | None = None
        self._tail = bytearray()
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)  # ours alone: the command holds the other

    def pump(self) -> None:
        """Take one helping of what is there; notice end-of-file."""
        try:
            chunk = os.read(self.reader, _CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self.taken += len(chunk)
            self._keep(chunk)
        else:
            self.is_open = False

    def find_holders(self) -> None:
        """Find out who keeps end-of-file from coming."""
        self.holders = holders_of(self.reader)

    def drop_writer(self) -> None:
        """Close our copy of the command's end, so that end-of-file can come."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Close whatever is open; may be called twice."""
        self.drop_writer()
        if self.reader >= 0:
            os.close(self.reader)
            self.reader = -1
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def tail(self) -> bytes:
        """The last bytes seen, at most `Log.tail_bytes`."""
        return bytes(self._tail)

    def _keep(self, chunk: bytes) -> None:
        self._tail += chunk
        del self._tail[: max(0, len(self._tail) - self._log.tail_bytes)]
        if self._log.path is None or self.error is not None:
            return
        try:
            if self._file is None:  # only now: most commands have nothing to say
                self._file = os.open(self._log.path, _FLAGS, 0o666)
            written = 0
            while written < len(chunk):
                written += os.write(self._file, chunk[written:])
        except OSError as error:
            self.error = f"{self._log.path}: {error.strerror}"
        except ValueError as error:  # a NUL in the path
            self.error = f"{self._log.path!r}: {error}"
