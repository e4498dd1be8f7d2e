"""Spool: a stream that may wait on disk, so that its writer need not wait for it.

The file has no name, and is used as a ring: it never grows beyond the quota, and what
is read leaves room. When it is full, the writer waits, as it does for a full pipe.
"""

from __future__ import annotations

import os
import select

from penstock.proc.meter import Meter
from penstock.proc.scratch import default_place, unnamed_file

_CHUNK = 1 << 18


class _Ring:
    """A file of `quota` bytes, of which those between two offsets count."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._file: int | None = None
        self._written = self._read = 0

    @property
    def room(self) -> int:
        """How much more may be put."""
        return self._quota - (self._written - self._read)

    def put(self, data: bytes) -> None:
        """Append `data`, for which there is room.

        Raises:
            OSError: the disk is full, say.
        """
        if not data:
            return
        if self._file is None:
            self._file = _new_file()
        view = memoryview(data)
        while view:
            at = self._written % self._quota
            done = os.pwrite(self._file, view[: self._quota - at], at)
            self._written += done
            view = view[done:]

    def front(self) -> bytes:
        """Some of what was put first."""
        if self._file is None:
            return b""
        at = self._read % self._quota
        size = min(_CHUNK, self._written - self._read, self._quota - at)
        return os.pread(self._file, size, at)

    def drop(self, size: int) -> None:
        """Forget so much of the front."""
        self._read += size

    def close(self) -> None:
        """Give the space back."""
        if self._file is not None:
            os.close(self._file)


def _new_file() -> int:
    """A file for the ring.

    Raises:
        OSError: it cannot be made; says where, and what decides that.
    """
    try:
        return unnamed_file()
    except OSError as error:
        place = default_place()
        told = " (TMPDIR)" if os.environ.get("TMPDIR") == place else "; try TMPDIR"
        why = f"no file can be made in {place}: {error.strerror}{told}"
        raise OSError(error.errno, why) from None


def spool(source: int, target: int, quota_bytes: int, meter: Meter) -> None:
    """Pass everything on, and keep on disk what cannot be passed on yet.

    Args:
        source: a pipe that nobody else reads.
        target: a pipe that nobody else writes.
        quota_bytes: how much may be kept.
        meter: entry 0 is the source's, entry 1 the target's.

    Raises:
        BrokenPipeError: nobody reads any more.
        OSError: there is no room on the disk.
    """
    os.set_blocking(target, False)
    ring = _Ring(quota_bytes)
    try:
        _pass_on(source, target, ring, meter)
    finally:
        ring.close()


def _pass_on(source: int, target: int, ring: _Ring, meter: Meter) -> None:
    """Move bytes by way of `ring` until the source has ended, and all is written."""
    is_open = True
    while (front := ring.front()) or is_open:
        ready = _wait(source if is_open and ring.room else None, target, front, meter)
        if target in ready and front:
            done = _push(target, front)
            meter.moved(1, done)
            ring.drop(done)
        if source in ready:
            chunk = os.read(source, min(_CHUNK, ring.room))
            meter.moved(0, len(chunk))
            is_open = bool(chunk)
            done = 0 if front else _push(target, chunk)
            meter.moved(1, done)
            ring.put(chunk[done:])


def _wait(source: int | None, target: int, front: bytes, meter: Meter) -> set[int]:
    """Wait for the source, and for room in the target where something is kept.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    poll = select.poll()
    poll.register(target, select.POLLOUT if front else 0)
    if source is not None:
        poll.register(source, select.POLLIN)
    meter.begin(1 if front else 0)
    ready = dict(poll.poll())
    meter.end()
    if ready.get(target, 0) & select.POLLERR:
        raise BrokenPipeError
    return set(ready)


def _push(target: int, data: bytes) -> int:
    """Write what there is room for."""
    try:
        return os.write(target, data) if data else 0
    except BlockingIOError:
        return 0
