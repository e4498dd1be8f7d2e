"""The shelf: outputs that wait for their turn, in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator

from penstock.model.outcome import Kept
from penstock.proc.scratch import unnamed_file
from penstock.typed import NamedTuple

_HELD_BYTES = 1 << 22
_HELD_FILES = 64
_AT_ONCE = 1 << 24


class Piece(NamedTuple):
    """What a job has written to one stream.

    Attributes:
        data: all of it, unless it is in a file.
        descriptor: of that file.
        start, end: where it stands there.
        is_own: the file holds nothing else, and is closed when it was printed.
    """

    data: bytes = b""
    descriptor: int | None = None
    start: int = 0
    end: int = 0
    is_own: bool = False

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data) if self.descriptor is None else self.end - self.start

    @property
    def last(self) -> bytes:
        """The last byte, if there is one."""
        if self.descriptor is None:
            return self.data[-1:]
        return os.pread(self.descriptor, 1, self.end - 1)

    def close(self) -> None:
        """Give up its own file."""
        if self.is_own and self.descriptor is not None:
            os.close(self.descriptor)


NOTHING = Piece()


class Printout(NamedTuple):
    """The output of a job: what its lines begin with, its stdout, and its stderr."""

    tag: bytes
    out: Piece
    err: Piece

    def close(self) -> None:
        """Give up what is its own."""
        self.out.close()
        self.err.close()


def piece_of(kept: Kept) -> Piece:
    """What was kept, with the ends of its file."""
    if kept.descriptor is None:
        return Piece(kept.data) if kept.data else NOTHING
    size = os.fstat(kept.descriptor).st_size
    return Piece(b"", kept.descriptor, 0, size, is_own=True)


class Shelf:
    """Gives outputs back in the order in which they were expected.

    Once they are too much to hold, those that wait share one file without a name.

    Attributes:
        waiting: how many there are whose turn has not come.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._order: deque[str] = deque()
        self._held: dict[str, Printout | None] = {}  # None while it is expected
        self._bytes = self._files = 0
        self._file: int | None = None
        self._end = self._stored = 0  # of the file: its size, and the pieces in it

    def expect(self, name: str) -> None:
        """Note that it is the turn of `name` after all that were noted before."""
        if name not in self._held:
            self._held[name] = None
            self._order.append(name)

    def put(self, name: str, printout: Printout) -> None:
        """Keep the output of `name`.

        Raises:
                OSError: there is no room for it.
        """
        self.waiting += 1
        if self._order[0] != name and self._is_full:
            tag, out, err = printout
            self._held[name] = Printout(tag, self._store(out), self._store(err))
            printout.close()
            return
        self._held[name] = printout
        self._count(printout, 1)

    def turns(self) -> Iterator[tuple[str, Printout]]:
        """The outputs whose turn it is; each to be printed before the next is taken."""
        while self._order and (printout := self._held[self._order[0]]) is not None:
            name = self._order.popleft()
            del self._held[name]
            self.waiting -= 1
            self._count(printout, -1)
            try:
                yield name, printout
            finally:
                printout.close()
            self._clear(printout)

    def rest(self) -> Iterator[tuple[str, Printout]]:
        """What is left, in order, now that nothing more will be put."""
        while self._order:
            if self._held[self._order[0]] is None:
                del self._held[self._order.popleft()]
            yield from self.turns()

    def holds(self, name: str) -> bool:
        """Whether the output of `name` waits for its turn."""
        return self._held.get(name) is not None

    def close(self) -> None:
        """Drop all."""
        for printout in self._held.values():
            if printout is not None:
                printout.close()
        self._held.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def _is_full(self) -> bool:
        return self._bytes > _HELD_BYTES or self._files > _HELD_FILES

    def _count(self, printout: Printout, sign: int) -> None:
        """Count what is held in memory, and the files that are held open."""
        for piece in printout[1:]:
            self._bytes += sign * len(piece.data)
            self._files += sign * piece.is_own

    def _clear(self, printout: Printout) -> None:
        """Forget what was printed; the file is emptied when nothing else is in it."""
        stored = sum(p.descriptor is not None and not p.is_own for p in printout[1:])
        self._stored -= stored
        if stored and not self._stored and self._file is not None:
            os.ftruncate(self._file, 0)
            self._end = 0

    def _store(self, piece: Piece) -> Piece:
        """Copy a piece into the shared file."""
        if not piece.size:
            return NOTHING
        if self._file is None:
            self._file = unnamed_file()
        start = os.lseek(self._file, self._end, os.SEEK_SET)
        self._end += copy(piece, self._file)
        self._stored += 1
        return Piece(b"", self._file, start, self._end)


def copy(piece: Piece, file: int) -> int:
    """Write a piece where `file` stands; how many bytes it was.

    Raises:
        OSError: it cannot be written.
    """
    if piece.descriptor is None:
        data = piece.data
        while data:
            data = data[os.write(file, data) :]
        return len(piece.data)
    at = piece.start
    while at < piece.end:
        count = min(piece.end - at, _AT_ONCE)
        moved = os.sendfile(file, piece.descriptor, at, count)
        if not moved:
            break  # it is shorter than it was
        at += moved
    return at - piece.start
