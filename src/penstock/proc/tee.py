"""tee(2): what is in one pipe into another, without taking it out of the first."""

from __future__ import annotations

import ctypes
import os

_SPLICE_F_NONBLOCK = 2
_MOST_BYTES = 1 << 30

_libc = ctypes.CDLL(None, use_errno=True)


def tee(source: int, target: int) -> int:
    """Duplicate as much as there is, and room for it, from the front of a pipe.

    No byte is copied: both pipes then refer to the same pages.

    Returns:
        How many bytes; 0 at end-of-file.

    Raises:
        BlockingIOError: there is nothing to duplicate now, or no room.
        BrokenPipeError: nobody can read the target any more.
        OSError: it cannot be done here at all (EINVAL, ENOSYS).
    """
    done = int(
        _libc.tee(
            source,
            target,
            ctypes.c_size_t(_MOST_BYTES),
            _SPLICE_F_NONBLOCK,
        ),
    )
    if done < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return done
