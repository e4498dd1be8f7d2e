"""penstock's own standard output, as long as somebody reads it and may wait for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from penstock.errors import PenstockError
from penstock.model.outcome import SIGNAL_BASE
from penstock.model.verdict import SIGPIPE
from penstock.proc.signals import SignalFlags
from penstock.proc.transfer import Outlet

_CHUNK = 1 << 16


class StdoutClosed(PenstockError):  # noqa: N818 (an event, not a fault)
    """Whoever read our standard output has gone away."""

    status = SIGNAL_BASE + SIGPIPE

    def __init__(self) -> None:
        super().__init__("nobody reads standard output any more")


class Stdout:
    """Where the data of commands goes; bytes are bytes.

    What cannot be written raises once; all that follows is dropped.

    Args:
        stop: tells when the run is to stop. Whoever should read may never do so: what
            waits for him then is dropped, with all that follows.
        lift: called before anything is printed.
        until: the deadline of the run, on the monotonic clock; then it is the same.
        target: the descriptor.

    Attributes:
        is_mid_line: the last byte printed did not end a line.
    """

    def __init__(
        self,
        stop: SignalFlags,
        lift: Callable[[], None] | None = None,
        *,
        until: float | None = None,
        target: int = 1,
    ) -> None:
        self._outlet = Outlet(target, stop, until)
        self._lift = lift
        self._is_open = True
        self.is_mid_line = False

    def write(self, data: bytes) -> None:
        """Print `data`.

        Raises:
            StdoutClosed: nobody reads it any more.
            PenstockError: it cannot be written.
        """
        if data:
            self._put(data[-1:], lambda: self._outlet.write(data))

    def move(self, file: int, start: int, end: int) -> None:
        """Print what stands in a file between two offsets; see `write`."""
        if start < end:
            last = os.pread(file, 1, end - 1)
            self._put(last, lambda: self._outlet.move(file, start, end))

    def _put(self, last: bytes, put: Callable[[], bool]) -> None:
        if not self._is_open:
            return
        if self._lift is not None:
            self._lift()
        self._is_open = False
        try:
            self._is_open = put()
        except BrokenPipeError:
            raise StdoutClosed from None
        except OSError as error:
            why = f"cannot write to standard output: {error.strerror}"
            raise PenstockError(why) from None
        self.is_mid_line = last != b"\n"


class Tagger:
    """Begins each line of a stream with a tag.

    Attributes:
        is_mid_line: the line is not at its end.
    """

    def __init__(self, tag: bytes) -> None:
        self._tag = tag
        self.is_mid_line = False

    def mark(self, data: bytes) -> bytes:
        """The next piece of the stream, with its tags."""
        if not data:
            return b""
        text = data.replace(b"\n", b"\n" + self._tag)
        if data.endswith(b"\n"):
            text = text[: len(text) - len(self._tag)]
        begun, self.is_mid_line = self.is_mid_line, not data.endswith(b"\n")
        return text if begun else self._tag + text


def tagged(tag: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, with `tag` at the beginning of each line."""
    return map(Tagger(tag).mark, chunks)


def chunks_of(file: int, start: int, end: int) -> Iterator[bytes]:
    """What stands in a file between two offsets, or as much of it as there is."""
    at = start
    while at < end:
        chunk = os.pread(file, min(_CHUNK, end - at), at)
        if not chunk:
            return
        at += len(chunk)
        yield chunk
