"""Records: what stands between separators in a file, a pipe or a terminal.

Read in small blocks, and only when there is something to read: a producer that is slow
holds nobody up, and one that never ends is held back by its own pipe.
"""

from __future__ import annotations

import os
from collections import deque

from penstock.errors import PenstockError
from penstock.source.gate import Gate
from penstock.source.tap import Tap, name_of
from penstock.typed import NamedTuple, Protocol

_BLOCK_BYTES = 1 << 12
_LARGEST_BYTES = 1 << 20  # of a block in the middle of a long record
LONGEST_BYTES = 1 << 28  # of a record: docs/decisions/0113


class Outlook(NamedTuple):
    """What is known of the records that are still to come.

    Attributes:
        known: so many will come.
        is_all: and no others.
    """

    known: int
    is_all: bool


class Source(Protocol):
    """Where records come from, each a tuple of one value or more."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        ...

    @property
    def outlook(self) -> Outlook:
        """How many records are still to come, without reading any."""
        ...

    def next(self) -> tuple[str, ...] | None:
        """The next record; None if there is none now, or none any more.

        Raises:
            PenstockError: it cannot be read.
        """
        ...


class Given:
    """Values that are known from the start, such as those after `:::` (a `Source`)."""

    def __init__(self, values: list[str]) -> None:
        self._values = deque(values)

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return not self._values

    @property
    def outlook(self) -> Outlook:
        """All that are left."""
        return Outlook(len(self._values), is_all=True)

    def next(self) -> tuple[str, ...] | None:
        """The next value."""
        return (self._values.popleft(),) if self._values else None


class Lines:
    """The records of an open file (a `Source`).

    Args:
        descriptor: to read; it stays its owner's.
        gate: asked to wake us where there is nothing to read now.
        separator: what ends a record; the last one may lack it.
        longest: a record that has more bytes than that has no end, as in /dev/zero.
    """

    def __init__(
        self,
        descriptor: int,
        gate: Gate,
        separator: bytes = b"\n",
        longest: int = LONGEST_BYTES,
    ) -> None:
        self._tap = Tap(descriptor, gate)
        self._descriptor = descriptor
        self._separator = separator
        self._longest = longest
        self._found: deque[bytes] = deque()
        self._rest: list[bytes] = []  # no separator in it
        self._held = 0  # bytes of these
        self._tail = b""  # the last of these: a separator may begin in it
        self._block = _BLOCK_BYTES
        self._at_end = False

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._at_end and not self._found

    @property
    def outlook(self) -> Outlook:
        """The lines that were read, and whether the end was."""
        return Outlook(len(self._found), self._at_end)

    def next(self) -> tuple[str, ...] | None:
        """The next record; None if none has come yet, and the gate will tell.

        Raises:
            PenstockError: it cannot be read, or has no end.
        """
        while not self._found:
            if self._at_end:
                return None
            block = self._tap.read(self._block)
            if block is None:
                return None
            is_short = 0 < len(block) < self._block
            self._accept(block)
            if is_short and self._found and self._tap.is_ready:  # perhaps at its end
                block = self._tap.read(self._block)
                if block is not None:  # or another one has read what was there
                    self._accept(block)
        return (os.fsdecode(self._found.popleft()),)

    def _accept(self, block: bytes) -> None:
        """Take what was read apart; nothing was at the end."""
        if not block:
            self._at_end = True
            if self._rest:
                self._found.append(b"".join(self._rest))
            self._rest.clear()
            return
        if self._separator not in (self._tail + block if self._tail else block):
            self._hold(block)
            return
        *found, rest = b"".join((*self._rest, block)).split(self._separator)
        self._found.extend(found)
        self._rest = [rest] if rest else []
        self._held = len(rest)
        self._tail = self._end_of(rest)
        self._block = _BLOCK_BYTES

    def _hold(self, block: bytes) -> None:
        """Keep what ends no record."""
        self._rest.append(block)
        self._held += len(block)
        self._tail = self._end_of(self._tail + block)
        self._block = min(2 * self._block, _LARGEST_BYTES)
        if self._held > self._longest:
            self._rest.clear()
            name, most = name_of(self._descriptor), self._longest >> 20
            raise PenstockError(f"cannot read {name}: a record longer than {most} MiB")

    def _end_of(self, data: bytes) -> bytes:
        """What of it may belong to a separator that goes on in the next block."""
        most = len(self._separator) - 1
        return data[-most:] if most else b""
