"""Output line by line, as it comes: `map --line-buffer`."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence

from penstock.cli.map_output import Printer
from penstock.cli.map_shelf import Piece
from penstock.errors import PenstockError
from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.model.stream import Handed
from penstock.proc.scratch import unnamed_file
from penstock.source.gate import Gate

_AT_ONCE = 1 << 16
_HELD_BYTES = 1 << 20  # of a line that has not ended; more of it goes to a file


class LinePrinter:
    """A `Dispatch`, and an `Inlet`: every job has a pipe for stdout and for stderr.

    Args:
        gate: of the source of the jobs; we stand in for it.
        printer: writes to where lines go.
        tag_of: what each line of a job begins with; asked once.
        is_final: whether a job that ended so is not tried again.
    """

    def __init__(
        self,
        gate: Gate,
        printer: Printer,
        tag_of: Callable[[Job], bytes] | None,
        is_final: Callable[[Outcome], bool],
    ) -> None:
        self._gate = gate
        self._printer = printer
        self._tag_of = tag_of
        self._is_final = is_final
        self._tags: dict[str, bytes] = {}  # of jobs that are not over for good
        self._streams: dict[int, _Stream] = {}  # by the descriptor that is read
        self._epoll = select.epoll()
        self._epoll.register(gate.fileno(), select.EPOLLIN)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._epoll.fileno()

    def take(self) -> bool:
        """Print what lines have come; whether the source has something, too."""
        for descriptor, _ in self._epoll.poll(0):
            stream = self._streams.get(descriptor)
            if stream is not None:
                stream.move()
        return self._gate.take()

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job with its pipes.

        Raises:
            PenstockError: none can be had.
        """
        if self._tag_of is not None and job.name not in self._tags:
            self._tags[job.name] = self._tag_of(job)
        tag = self._tags.get(job.name, b"")
        writers: list[int] = []
        for number in (1, 2):
            stream = _Stream(job.name, number, tag, self._printer)
            self._streams[stream.reader] = stream
            self._epoll.register(stream.reader, select.EPOLLIN)
            writers.append(stream.writer)
        stages = tuple(
            stage._replace(stdout=Handed(0), stderr=Handed(1)) for stage in job.stages
        )
        return job._replace(stages=stages), writers

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """The outcome as it is, once all is printed that the job has written."""
        if self._is_final(outcome):
            self._tags.pop(job.name, None)
        for stream in [s for s in self._streams.values() if s.job == job.name]:
            while stream.move():
                pass
            stream.finish()
            self._drop(stream)
        return outcome

    def close(self) -> None:
        """Drop what was not printed."""
        for stream in [*self._streams.values()]:
            self._drop(stream)
        self._epoll.close()

    def _drop(self, stream: _Stream) -> None:
        del self._streams[stream.reader]
        self._epoll.unregister(stream.reader)
        stream.close()


class _Stream:
    """What a job writes to one stream: a pipe, and the beginning of a line.

    We keep the end to write to, so that there is no end-of-file: a job is over when its
    worker says so, and nothing of it is alive then.
    """

    def __init__(self, job: str, number: int, tag: bytes, printer: Printer) -> None:
        self.job = job
        self._number = number
        self._tag = tag
        self._printer = printer
        self._held: list[bytes] = []
        self._size = 0
        self._file: int | None = None
        try:
            self.reader, self.writer = os.pipe2(os.O_CLOEXEC)
        except OSError as error:
            why = f"no pipe for what a job prints: {error.strerror}; try fewer jobs"
            raise PenstockError(why) from None
        os.set_blocking(self.reader, False)

    def move(self) -> bool:
        """Print the lines that are whole by now; False if nothing had come."""
        try:
            data = os.read(self.reader, _AT_ONCE)
        except BlockingIOError:
            return False
        end = data.rfind(b"\n") + 1
        if end:
            self._hold(data[:end])
            self.finish()
        if data[end:]:
            self._hold(data[end:])
        return True

    def finish(self) -> None:
        """Print what is held, whether it is whole or not."""
        if self._file is not None:
            self._spill()
            size = os.fstat(self._file).st_size
            piece = Piece(b"", self._file, 0, size, is_own=True)
            self._file = None
        else:
            piece = Piece(b"".join(self._held))
            self._held.clear()
        self._size = 0
        try:
            self._printer.put(self.job, self._number, self._tag, piece)
        finally:
            piece.close()

    def close(self) -> None:
        """Close all."""
        os.close(self.reader)
        os.close(self.writer)
        if self._file is not None:
            os.close(self._file)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        if self._size > _HELD_BYTES:
            self._spill()
            self._size = 0

    def _spill(self) -> None:
        """Put what is held into the file."""
        try:
            if self._file is None:
                self._file = unnamed_file()
            for data in self._held:
                at = 0
                while at < len(data):
                    at += os.write(self._file, data[at:])
        except OSError as error:
            why = f"cannot keep what a job printed: {error.strerror}; try TMPDIR"
            raise PenstockError(why) from None
        self._held.clear()
