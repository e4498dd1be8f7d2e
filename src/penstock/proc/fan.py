"""Fan-out: one stream to several readers, each of which gets all of it.

The source's pipe is the only buffer. Each reader is given by tee(2) what lies at the
front of that pipe; what all of them have is then taken out of it. A tee(2) may do less
than it was asked, and cannot be resumed at an offset; but a reader that was given
something is not given more until the front has moved past that, and by then the front
is its offset. So nothing is given twice, nothing is left out, no byte is copied, and
who is fast is ahead of who is slow by the size of two pipes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
import termios

from penstock.proc.meter import Meter
from penstock.proc.tee import tee

_CHUNK = 1 << 20
_NO_TEE = (errno.EINVAL, errno.ENOSYS, errno.EPERM)


class ReaderLostError(Exception):
    """A reader is gone whose end is the end of all."""


class Readers:
    """Who is there to read, and how far ahead of the front each of them is."""

    def __init__(self, descriptors: tuple[int, ...], stops: tuple[bool, ...]) -> None:
        self.ahead = dict.fromkeys(descriptors, 0)
        self._entry = {d: n for n, d in enumerate(descriptors, start=1)}
        self._stops = dict(zip(descriptors, stops, strict=True))

    def entry(self, descriptor: int) -> int:
        """Its number in the meter."""
        return self._entry[descriptor]

    def drop(self, descriptor: int) -> None:
        """Do without one that is gone.

        Raises:
            ReaderLostError: the others shall get no more, either.
        """
        del self.ahead[descriptor]
        os.close(descriptor)
        if self._stops[descriptor]:
            raise ReaderLostError

    def wait(self, full: list[int], meter: Meter) -> None:
        """Wait until one of `full` has room, or any is gone; drop who is."""
        poll = select.poll()
        for reader in self.ahead:
            poll.register(reader, select.POLLOUT if reader in full else 0)
        meter.begin(*map(self.entry, full))
        ready = poll.poll()
        meter.end()
        self._drop_lost(ready)

    def wait_for(self, source: int, meter: Meter) -> None:
        """Wait for the source to say something; drop who is gone meanwhile."""
        poll = select.poll()
        poll.register(source, select.POLLIN)
        for reader in self.ahead:
            poll.register(reader, 0)
        meter.begin(0)
        ready = poll.poll()
        meter.end()
        self._drop_lost(ready)

    def _drop_lost(self, ready: list[tuple[int, int]]) -> None:
        for descriptor, seen in ready:
            if seen & select.POLLERR and descriptor in self.ahead:
                self.drop(descriptor)


def fan_out(
    source: int,
    targets: tuple[int, ...],
    stops: tuple[bool, ...],
    meter: Meter,
) -> None:
    """Give all that comes out of one pipe to others, until its end, or nobody reads.

    Args:
        source: a pipe that nobody else reads.
        targets: pipes that nobody else writes.
        stops: for each, whether its end shall be the end of all.
        meter: entry 0 is the source's.
    """
    readers = Readers(targets, stops)
    try:
        _by_reference(source, readers, meter)
    except ReaderLostError:
        return
    except OSError as error:
        if error.errno not in _NO_TEE:
            raise
        by_copy(source, readers, meter)


def _by_reference(source: int, readers: Readers, meter: Meter) -> None:
    """Pass pages on, by tee(2)."""
    with open(os.devnull, "wb", buffering=0) as null:
        while readers.ahead and _step(source, null.fileno(), readers, meter):
            continue


def _step(source: int, null: int, readers: Readers, meter: Meter) -> bool:
    """Give what there is, and take away what all have; False at the end."""
    ahead = readers.ahead
    hungry = [reader for reader in ahead if not ahead[reader]]
    if not _give(source, hungry, readers, meter) or not ahead:
        return False
    common = min(ahead.values())
    if common:
        # A signal that stops us may cut it short (SIGSTOP, for a Ctrl-Z).
        taken = os.splice(source, null, common)
        meter.moved(0, taken)
        for reader in ahead:
            ahead[reader] -= taken
    elif _is_empty(source):
        readers.wait_for(source, meter)
    else:
        readers.wait([reader for reader in hungry if reader in ahead], meter)
    return True


def _give(source: int, hungry: list[int], readers: Readers, meter: Meter) -> bool:
    """Give the front of the source to whoever has nothing of it; False at its end."""
    for reader in hungry:
        try:
            given = tee(source, reader)
        except BlockingIOError:
            continue
        except BrokenPipeError:
            readers.drop(reader)
            continue
        if not given:
            return False
        readers.ahead[reader] = given
        meter.moved(readers.entry(reader), given)
    return True


def _is_empty(pipe: int) -> bool:
    """Whether nothing is in a pipe now (FIONREAD, pipe(7))."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0")
    return struct.unpack("i", answer) == (0,)


def by_copy(source: int, readers: Readers, meter: Meter) -> None:
    """Pass copies on, for want of tee(2): a chunk is kept until everyone has it."""
    for reader in readers.ahead:
        os.set_blocking(reader, False)
    try:
        while readers.ahead:
            readers.wait_for(source, meter)
            chunk = os.read(source, _CHUNK) if readers.ahead else b""
            if not chunk:
                return
            meter.moved(0, len(chunk))
            _copy(memoryview(chunk), readers, meter)
    except ReaderLostError:
        return


def _copy(chunk: memoryview, readers: Readers, meter: Meter) -> None:
    """Write `chunk` to every reader."""
    ahead = readers.ahead  # here: how much of the chunk each has
    for reader in ahead:
        ahead[reader] = 0
    while behind := [reader for reader, done in ahead.items() if done < len(chunk)]:
        for reader in behind:
            try:
                done = os.write(reader, chunk[ahead[reader] :])
            except BlockingIOError:
                continue
            except BrokenPipeError:
                readers.drop(reader)
                continue
            ahead[reader] += done
            meter.moved(readers.entry(reader), done)
        full = [r for r in behind if r in ahead and ahead[r] < len(chunk)]
        if full:
            readers.wait(full, meter)
