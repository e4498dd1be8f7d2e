"""Journal: every event of a run as a line of JSON, for machines and for later.

A record must never cost the run it records: what cannot be written is reported once,
and is not written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from penstock.model.event import Event
from penstock.report.encode import event_to_dict
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def encode_line(event: Event) -> str:
    """`event` as one line of ASCII, newline included."""
    return json.dumps(event_to_dict(event), separators=(",", ":")) + "\n"


class Journal:
    """A `Sink` that appends to a file, one write(2) a line.

    A crash at any instant leaves whole lines. When the disk was full in the middle of
    one, the next one that fits begins on a line of its own.

    Args:
        path: of the file; made if it does not exist.
        on_trouble: is told, once, in words, that the journal is incomplete.
    """

    def __init__(self, path: str, on_trouble: Callable[[str], None]) -> None:
        self._path = path
        self._on_trouble = on_trouble
        self._has_trouble = False
        self._is_torn = False
        self._descriptor: int | None = None
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            self._report(error.strerror)

    def receive(self, event: Event) -> None:
        """Append `event`."""
        if self._descriptor is None:
            return
        line = encode_line(event).encode("ascii")
        if self._is_torn:
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            self._report(error.strerror)
            return
        self._is_torn = written < len(line)
        if self._is_torn:  # on a regular file: the disk is full (write(2))
            self._report("the disk is full")

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _report(self, reason: str | None) -> None:
        if not self._has_trouble:
            self._has_trouble = True
            self._on_trouble(f"{self._path} is incomplete: {reason}")


class JsonLines:
    """A `Sink` that writes lines of JSON to a stream; once it breaks, it is silent.

    Args:
        stream: gets each line at once.
        on_trouble: is told, once, in words, that the stream broke.
    """

    def __init__(self, stream: TextIO, on_trouble: Callable[[str], None]) -> None:
        self._stream = stream
        self._on_trouble = on_trouble
        self._is_broken = False

    def receive(self, event: Event) -> None:
        """Write `event`."""
        if self._is_broken:
            return
        try:
            self._stream.write(encode_line(event))
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self._is_broken = True
            self._on_trouble(f"the JSON output is incomplete: {error}")
