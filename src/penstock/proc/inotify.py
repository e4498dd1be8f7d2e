"""inotify(7): hear that somebody opens a file."""

from __future__ import annotations

import ctypes
import os
import struct

_IN_OPEN = 0x20
_EVENT = struct.Struct("iIII")
_BUFFER_BYTES = 4096


class Inotify:
    """Tells when a file that is watched is opened."""

    def __init__(self) -> None:
        """Open it.

        Raises:
            OSError: this user has too many of them, say.
        """
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._checked(
            self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC),
        )

    def fileno(self) -> int:
        """Readable when there is something to take."""
        return self._descriptor

    def watch(self, path: str) -> int:
        """Watch `path` from now on; the number by which it is told of.

        Raises:
            OSError: it cannot be watched.
        """
        encoded = os.fsencode(path)
        return self._checked(
            self._libc.inotify_add_watch(self._descriptor, encoded, _IN_OPEN),
        )

    def take(self) -> set[int]:
        """The numbers of the files that have been opened since the last time."""
        try:
            data = os.read(self._descriptor, _BUFFER_BYTES)
        except BlockingIOError:
            return set()
        opened = set()
        at = 0
        while at < len(data):
            number, _, _, name_bytes = _EVENT.unpack_from(data, at)
            opened.add(int(number))
            at += _EVENT.size + int(name_bytes)
        return opened

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
