"""Moving what a job printed from its file to where it is read, without a copy here.

Nothing waits in write(2) or splice(2), where no signal would reach us: poll(2) waits
for the reader, and for a descriptor that says stop. Nor is a run that is over, or has
been told to stop, held up for long by a reader who does not read, or reads slowly.
"""

from __future__ import annotations

import errno
import os
import select
import stat

from penstock.clock import LONGEST_WAIT, Clock, MonotonicClock
from penstock.proc.signals import SignalFlags

_AT_ONCE = 1 << 20
_SLICE = 50  # milliseconds
_PATIENCE = 1.0  # seconds, as for what is said on standard error
_REFUSED = (errno.EINVAL, errno.ENOSYS, errno.EBADF, errno.EXDEV, errno.EOPNOTSUPP)


class Outlet:
    """A descriptor that data goes to, in the way that suits it best.

    Args:
        target: to write to; a pipe, a file, or anything else.
        stop: tells once what waits is not to be written any more.
        until: when the run has no time left, on the clock; None if it has no end.
        clock: the monotonic one.
    """

    def __init__(
        self,
        target: int,
        stop: SignalFlags,
        until: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._until = until
        self._clock = clock or MonotonicClock()
        self._target = target
        mode = os.fstat(target).st_mode
        self._is_file = stat.S_ISREG(mode)
        self._is_pipe = stat.S_ISFIFO(mode)
        self._never_waits = self._is_file
        self._reader, self._poll = select.poll(), select.poll()
        self._reader.register(target, select.POLLOUT)
        self._poll.register(target, select.POLLOUT)
        self._poll.register(stop, select.POLLIN)
        self._stop = stop
        self._give_up_at: float | None = None  # since we know that it is to stop

    def write(self, data: bytes) -> bool:
        """Write all of `data`; False if it was stopped before.

        Raises:
            OSError: nobody reads it (EPIPE), or there is no room (ENOSPC).
        """
        # What poll(2) calls ready takes PIPE_BUF bytes at once, and a file takes all.
        most = len(data) if self._is_file else select.PIPE_BUF
        done = 0
        while done < len(data):
            if not self._is_ready():
                return False
            try:
                done += os.write(self._target, data[done : done + most])
            except BlockingIOError:  # somebody made it so; poll(2) waits for us
                continue
        return True

    def move(self, source: int, start: int, end: int) -> bool:
        """Write what is in a file from `start` to `end`; False if it was stopped.

        Raises:
            OSError: as `write`.
        """
        at = start
        while at < end:
            if not self._is_ready():
                return False
            try:
                moved = self._push(source, at, min(end - at, _AT_ONCE))
            except BlockingIOError:
                continue
            except OSError as error:
                if error.errno not in _REFUSED or not (self._is_pipe or self._is_file):
                    raise
                self._is_pipe = self._is_file = False  # it is of some other kind
                continue
            if not moved:
                break  # the file is shorter than it was
            at += moved
        return True

    def _push(self, source: int, at: int, count: int) -> int:
        """Move up to `count` bytes; how many it were."""
        if self._is_pipe:
            flags = os.SPLICE_F_NONBLOCK
            return os.splice(source, self._target, count, at, None, flags)
        if self._is_file:
            return os.sendfile(self._target, source, at, count)
        data = os.pread(source, min(count, select.PIPE_BUF), at)
        return os.write(self._target, data)

    def _is_ready(self) -> bool:
        """Wait until something can be written; False if it is to stop."""
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll(self._patience())]
            if not ready:
                return False
            if self._stop.fileno() in ready and self._stop.ask_to_stop():
                return self._is_ready_soon()
            if self._target in ready:
                return True  # a Ctrl-Z alone has only made us stand still

    def _is_ready_soon(self) -> bool:
        """Wait for the reader, though others wait for us to stop: not for long in all.

        What a job has printed that is over is not to be lost for a reader who reads.
        Once we are told again, it is.
        """
        now = self._clock.now()
        if self._give_up_at is None:
            self._give_up_at = now + _PATIENCE
        while not self._stop.are_several():
            if self._reader.poll(_SLICE):
                return self._never_waits or now < self._give_up_at
            now = self._clock.now()
            if now >= self._give_up_at:
                return False
        return False

    def _patience(self) -> int | None:
        """For how many milliseconds to wait for the reader; None: without a limit."""
        left = None if self._until is None else self._until - self._clock.now()
        if self._stop.is_stopping or (left is not None and left <= 0):
            left = _PATIENCE
        return None if left is None else int(min(left, LONGEST_WAIT) * 1000) + 1
