"""Blocks: the bytes of a file or a pipe, cut where a record ends, and nowhere else.

As for `Lines`, nothing is read where poll(2) has not said that there is something, and
nothing before it is wanted: what is held is one block, or one record if that is longer.
"""

from __future__ import annotations

import re

from penstock.source.expression import compile_expression
from penstock.source.gate import Gate
from penstock.source.tap import Tap
from penstock.typed import NamedTuple, Protocol

BLOCK_BYTES = 1 << 20
_AT_ONCE = 1 << 20
_MUCH = 1 << 20  # what is not looked through again for each bit that comes


class Border(Protocol):
    """Knows where one record ends and the next one begins."""

    def first(self, data: bytearray, after: int, known: int = 0) -> int:
        """The first border behind `after`; -1 if none is known.

        Args:
            data: all that is there from the beginning of a record.
            after: a position in it.
            known: a border up to there, so that nothing before it is looked at again.
        """
        ...

    def last(self, data: bytearray, most: int) -> int:
        """The last border in the first `most` bytes; -1 if none is known."""
        ...


class PlainBorder(NamedTuple):
    """A record ends with one text and begins with another; one may be empty.

    If both are, every byte is a record.
    """

    end: bytes = b"\n"
    start: bytes = b""

    def first(self, data: bytearray, after: int, known: int = 0) -> int:  # noqa: ARG002 (`after` says enough)
        """See `Border`."""
        at = data.find(self.end + self.start, max(0, after + 1 - len(self.end)))
        return -1 if at < 0 else at + len(self.end)

    def last(self, data: bytearray, most: int) -> int:
        """See `Border`."""
        least = 0 if self.end else 1
        at = data.rfind(self.end + self.start, least, most + len(self.start))
        return -1 if at < 0 else at + len(self.end)


class PatternBorder:
    """The same with regular expressions.

    A match that reaches the end of what is known may go on behind it: it is none yet.
    """

    def __init__(self, end: bytes, start: bytes) -> None:
        whole = b"(?:%s)(?=%s)" % (end, start)
        self._pattern = compile_expression(whole, re.MULTILINE)

    def first(self, data: bytearray, after: int, known: int = 0) -> int:
        """See `Border`."""
        ends = (found.end() for found in self._pattern.finditer(data, known))
        return next((end for end in ends if after < end < len(data)), -1)

    def last(self, data: bytearray, most: int) -> int:
        """See `Border`."""
        ends = (found.end() for found in self._pattern.finditer(data))
        return max((end for end in ends if 0 < end <= most < len(data)), default=-1)


class Blocks:
    """Blocks of whole records.

    Args:
        descriptor: to read; it stays its owner's.
        gate: asked to wake us where there is nothing to read now.
        border: between records.
        size: of a block at the most, in bytes; a longer record is one by itself.
        records: so many in each block instead, whatever their size.
        has_header: the first line belongs to every block, and is put before it.
    """

    def __init__(
        self,
        descriptor: int,
        gate: Gate,
        border: Border | None = None,
        size: int = BLOCK_BYTES,
        records: int | None = None,
        *,
        has_header: bool = False,
    ) -> None:
        self._tap = Tap(descriptor, gate)
        self._border = border or PlainBorder()
        self._size = size
        self._records = records
        self._awaits_header = has_header
        self._header = b""
        self._data = bytearray()
        self._at = self._count = 0  # the border found last, for `records`
        self._seen = 0  # bytes that were looked through in vain
        self._at_end = False

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._at_end and not self._data

    def next(self) -> bytes | None:
        """The next block; None if it is not whole yet, or there is none any more.

        Raises:
            PenstockError: it cannot be read.
        """
        while not self.is_over:
            end = self._end()
            if end and self._awaits_header:
                self._header = self._take(end)
                self._awaits_header = False
                continue
            if end:
                return self._header + self._take(end)
            block = self._tap.read(self._wanted())
            if block is None:
                return None
            self._at_end = not block
            self._data += block
        return None

    def _wanted(self) -> int:
        """How many bytes to read at once: no more than the block lacks."""
        if self._records is None and len(self._data) < self._size:
            return min(_AT_ONCE, self._size - len(self._data))
        return _AT_ONCE

    def _end(self) -> int:
        """Where the present block ends; 0 if that is not known yet."""
        known = len(self._data)
        if not self._at_end and self._seen > _MUCH and known < 2 * self._seen:
            return 0
        if self._awaits_header:
            end = self._data.find(b"\n") + 1
        elif self._records is None:
            end = self._end_by_size()
        else:
            end = self._end_by_count()
        if end:
            return end
        self._seen = known
        return known if self._at_end else 0

    def _end_by_size(self) -> int:
        if len(self._data) < self._size:
            return 0
        if self._at_end and len(self._data) == self._size:
            return self._size
        end = self._border.last(self._data, self._size)
        return end if end > 0 else max(0, self._border.first(self._data, self._size))

    def _end_by_count(self) -> int:
        while self._count < (self._records or 1):
            end = self._border.first(self._data, self._at, self._at)
            if end < 0:
                return 0
            self._at = end
            self._count += 1
        return self._at

    def _take(self, end: int) -> bytes:
        block = bytes(memoryview(self._data)[:end])
        del self._data[:end]
        self._at = self._count = self._seen = 0
        return block
