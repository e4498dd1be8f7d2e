"""The three standard descriptors, before anything else is opened."""

from __future__ import annotations

import os

# Opened the wrong way round: what was closed shall go on to fail with EBADF, instead
# of reading as empty, or swallowing what is written.
_CONTRARY = (os.O_WRONLY, os.O_RDONLY, os.O_RDONLY)


def occupy_stdio() -> None:
    """Fill those of descriptors 0, 1 and 2 that are closed.

    A program may be started with any of them closed (``<&-``). The next descriptor
    that is opened gets that number, and if that is a socket of ours, whatever is
    printed goes into it, and commands inherit it.
    """
    for number, flags in enumerate(_CONTRARY):
        try:
            os.fstat(number)
        except OSError:
            # open(2) gives the lowest free number: this one, for those below are taken.
            os.open(os.devnull, flags)
            os.set_inheritable(number, True)  # noqa: FBT003 (its only parameter)
