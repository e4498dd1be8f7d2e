"""Tap: reads what is there, and never waits for more."""

from __future__ import annotations

import os
import select
import stat

from penstock.errors import PenstockError
from penstock.source.gate import Gate


class Tap:
    """A descriptor that is read only where poll(2) says that something is there.

    Args:
        descriptor: to read; it stays its owner's.
        gate: asked to wake us where there is nothing to read now.
    """

    def __init__(self, descriptor: int, gate: Gate) -> None:
        self._descriptor = descriptor
        self._gate = gate
        self._poll: select.poll | None = None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a file is always ready
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)

    @property
    def is_ready(self) -> bool:
        """Whether something is there, or the end."""
        return self._poll is None or bool(self._poll.poll(0))

    def read(self, most: int) -> bytes | None:
        """So many bytes at the most; empty at the end, None if none are there now.

        Raises:
            PenstockError: it cannot be read.
        """
        if self.is_ready:
            try:
                return os.read(self._descriptor, most)
            except BlockingIOError:  # another one has read what was there
                pass
            except OSError as error:
                name = name_of(self._descriptor)
                raise PenstockError(f"cannot read {name}: {error.strerror}") from None
        self._gate.ask(self._descriptor)
        return None


def name_of(descriptor: int) -> str:
    """What a user knows a descriptor by that is read."""
    if descriptor == 0:
        return "standard input"
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return f"descriptor {descriptor}"
