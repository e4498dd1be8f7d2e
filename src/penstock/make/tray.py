"""A file in memory on which tokens are brought together, to lie on one page of a pipe.

A token that is moved from pipe to pipe takes a page of its own there; pages are few.
splice(2) from a file puts many bytes on one page. To the file and from it, one call
takes a byte here and puts it there: a kill finds each token in a pipe, or on the tray.

The file ends where the next token goes, and its position is where the first one is: the
kernel keeps both, for all processes that have the tray.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress


class Tray:
    """Takes bytes out of pipes, and puts all that it has into one."""

    def __init__(self) -> None:
        self._file = os.memfd_create("tokens")

    def count(self) -> int:
        """How many bytes are on it."""
        position = os.lseek(self._file, 0, os.SEEK_CUR)
        return max(0, os.fstat(self._file).st_size - position)

    def reserve(self) -> bool:
        """Have it for this process alone, until `release`; False: another has it."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        if os.fstat(self._file).st_size == 0:  # who emptied it was killed before this
            os.lseek(self._file, 0, os.SEEK_SET)
        return True

    def release(self) -> None:
        """Let others have it."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def load(self, pipe: int, most: int) -> int:
        """Take `most` bytes out of `pipe`, or what there is; how many."""
        end = os.fstat(self._file).st_size
        flags = os.SPLICE_F_NONBLOCK
        try:
            return os.splice(pipe, self._file, most, offset_dst=end, flags=flags)
        except OSError:  # there is none; or RLIMIT_FSIZE forbids it
            return 0

    def add(self, tokens: bytes) -> None:
        """Put new ones on it, if RLIMIT_FSIZE allows it."""
        with suppress(OSError):
            os.pwrite(self._file, tokens, os.fstat(self._file).st_size)

    def unload(self, pipe: int) -> bool:
        """Put all into `pipe`; False if there is no room for all."""
        while count := self.count():
            try:
                os.splice(self._file, pipe, count, flags=os.SPLICE_F_NONBLOCK)
            except BlockingIOError:
                return False
        # What is in the pipe has its pages still: it sees nothing of later writes.
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        return True

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
