"""The three standard descriptors: before anything else is opened, and at the end."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` takes 8 ms
if TYPE_CHECKING:
    from typing import NoReturn

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


def leave(status: int) -> NoReturn:
    """End this process, once it is written what its standard streams still hold.

    By _exit(2): the interpreter takes 5 ms to free one by one what the kernel frees.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as it is where the descriptor was closed
            stream.flush()
    os._exit(status)
