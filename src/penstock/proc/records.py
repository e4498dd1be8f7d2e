"""Records: where one ends in a stream of bytes. Pure."""

from __future__ import annotations

from struct import Struct

from penstock.model.link import Framing
from penstock.typed import Protocol

_HEAD = Struct(">I")


class CutShortError(Exception):
    """A stream ended within a record that nothing can complete."""


class Records(Protocol):
    """What is known of the records of one stream, from its beginning on."""

    def whole(self, data: bytes) -> int:
        """How much of `data`, which comes next, completes records."""
        ...

    def begun(self, data: bytes) -> None:
        """`data`, which comes next and completes nothing, has been passed on."""
        ...

    def finish(self, data: bytes, *, midway: bool) -> bytes:
        """What to write at the end of the stream, to complete its last record.

        Args:
            data: comes next, and is all.
            midway: a part of the record has been passed on.

        Raises:
            CutShortError: that cannot be.
        """
        ...


class Delimited:
    """Records that end with a certain byte; a last one without it is given it."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter

    def whole(self, data: bytes) -> int:
        """Up to the last delimiter."""
        return data.rfind(self._delimiter) + 1

    def begun(self, data: bytes) -> None:
        """There is nothing to remember."""

    def finish(self, data: bytes, *, midway: bool) -> bytes:
        """What is there, with a delimiter behind it."""
        return data + self._delimiter if data or midway else b""


class Prefixed:
    """Records that begin with their length, without these four bytes."""

    def __init__(self) -> None:
        self._left = 0  # of a record that was begun

    def whole(self, data: bytes) -> int:
        """Up to the end of the last record that is all there."""
        if self._left > len(data):
            return 0
        at, self._left = self._left, 0
        while len(data) >= at + _HEAD.size:
            end = at + _HEAD.size + _HEAD.unpack_from(data, at)[0]
            if end > len(data):
                break
            at = end
        return at

    def begun(self, data: bytes) -> None:
        """Remember how much is to come."""
        if not self._left:
            self._left = _HEAD.size + int(_HEAD.unpack_from(data)[0])
        self._left -= len(data)

    def finish(self, data: bytes, *, midway: bool) -> bytes:
        """Nothing, if the stream ended with a record."""
        if data or midway:
            raise CutShortError
        return b""


def records_of(framing: Framing) -> Records:
    """What is known of the records of a stream that has not begun."""
    match framing:
        case "lines":
            return Delimited(b"\n")
        case "nul":
            return Delimited(b"\0")
        case "length":
            return Prefixed()
