"""Where outputs wait until they are printed, and how much may wait."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from penstock.cli.stdout import Stdout, Tagger, chunks_of
from penstock.errors import PenstockError
from penstock.proc.scratch import unnamed_file

_IN_MEMORY = 1 << 16  # bytes that one job may have waiting before they go to disk
_SHARE = 2  # of the free space, one part in so many


def open_spool(directory: str | None, *, appends: bool = False) -> int:
    """A file without a name, so that nothing is left of it; see `unnamed_file`.

    Raises:
        PenstockError: there is nowhere to put it.
    """
    try:
        return unnamed_file(_places(directory), appends=appends)
    except OSError as error:
        why = f"nowhere to keep what a job prints: {error.strerror}; try TMPDIR"
        raise PenstockError(why) from None


def usual_limit(directory: str | None) -> int:
    """Half of what is free now where spools are put, in bytes."""
    for place in _places(directory):
        with suppress(OSError):
            space = os.statvfs(place)
            return space.f_bavail * space.f_frsize // _SHARE
    return 0


def _places(directory: str | None) -> list[str]:
    places = (directory, os.environ.get("TMPDIR"), "/tmp", "/var/tmp")  # noqa: S108
    return [place for place in places if place]


def print_spool(spool: int, tag: bytes, stdout: Stdout) -> None:
    """Print all that is in a file; with a tag, every line is whole.

    Raises:
        StdoutClosed: nobody reads it any more.
        PenstockError: it cannot be written.
    """
    size = os.fstat(spool).st_size
    if not tag:
        stdout.move(spool, 0, size)
        return
    tagger = Tagger(tag)
    for chunk in chunks_of(spool, 0, size):
        stdout.write(tagger.mark(chunk))
    if tagger.is_mid_line:
        stdout.write(b"\n")


class Attic:
    """One file for what many jobs have printed that are over, and wait for their turn.

    Args:
        directory: where the file is, if there is need of one.

    Attributes:
        size: of the file, in bytes. It gets smaller only when it is empty.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = directory
        self._file: int | None = None
        self._used = 0
        self.size = 0

    def put(self, chunks: Iterable[bytes]) -> tuple[int, int]:
        """Append `chunks`; where they stand.

        Raises:
            PenstockError: there is nowhere to put them.
            OSError: there is no room for them; nothing was kept.
        """
        if self._file is None:
            self._file = open_spool(self._directory)
        at = self.size
        for chunk in chunks:
            done = 0
            while done < len(chunk):
                done += os.pwrite(self._file, chunk[done:], at + done)
            at += done
        start, self.size = self.size, at
        self._used += at - start
        return start, at

    def show(self, start: int, end: int, stdout: Stdout) -> None:
        """Print what stands there; raises as `Store.show`."""
        if self._file is not None:
            stdout.move(self._file, start, end)

    def drop(self, start: int, end: int) -> None:
        """What stands there is not needed any more."""
        self._used -= end - start
        if not self._used and self._file is not None:
            os.ftruncate(self._file, 0)
            self.size = 0

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Store:
    """What one job has printed, and nobody has seen: in memory, or on disk.

    Args:
        directory: where its own file is, if there is need of one.

    Attributes:
        in_memory: how many bytes are.
        size: how many bytes wait here in all, but for those in an attic.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = directory
        self._held: list[bytes] = []
        self._file: int | None = None
        self._place: tuple[Attic, int, int] | None = None
        self.in_memory = self.size = 0

    def put(self, data: bytes, *, spills: bool) -> None:
        """Keep `data`; in the file, if it `spills` or there is much.

        Raises:
            PenstockError: there is nowhere to put it.
            OSError: there is no room on the disk; it is kept in memory.
        """
        self._held.append(data)
        self.size += len(data)
        self.in_memory += len(data)
        if self._file is None and not spills and self.size <= _IN_MEMORY:
            return
        if self._file is None:
            self._file = open_spool(self._directory)
        while self._held:
            done = os.write(self._file, self._held[0])
            self.in_memory -= done
            self._held[0] = self._held[0][done:]
            if not self._held[0]:
                del self._held[0]

    def move_to(self, attic: Attic) -> None:
        """Put all of it there, and keep nothing; raises as `Attic.put`."""
        start, end = attic.put(self._chunks())
        self.close()
        self._place = attic, start, end

    def show(self, stdout: Stdout) -> None:
        """Print all, and keep nothing.

        Raises:
            StdoutClosed: nobody reads it any more.
            PenstockError: it cannot be written.
        """
        if self._place is not None:
            attic, start, end = self._place
            attic.show(start, end, stdout)
            attic.drop(start, end)
            self._place = None
        if self._file is not None:
            stdout.move(self._file, 0, os.fstat(self._file).st_size)
        for data in self._held:
            stdout.write(data)
        self.close()

    def close(self) -> None:
        """Give the room back."""
        self._held.clear()
        self.in_memory = self.size = 0
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _chunks(self) -> Iterator[bytes]:
        if self._file is not None:
            yield from chunks_of(self._file, 0, os.fstat(self._file).st_size)
        yield from self._held
