"""Meter: what passes through a relay, in memory that the worker sees, too.

So the figures are there whatever became of the relay, and while it runs.
"""

from __future__ import annotations

import mmap
from struct import Struct

from penstock.clock import MonotonicClock

_ENTRY = Struct("=qd?")  # bytes, seconds spent waiting, and whether that goes on
_TEXT_BYTES = 240


class Meter:
    """The figures of one relay: an entry for its single side, one for each of many.

    Written by the relay alone; what the worker reads may be one instant old.
    """

    def __init__(self, edges: int) -> None:
        self._memory = mmap.mmap(-1, _TEXT_BYTES + _ENTRY.size * (edges + 1))
        self._clock = MonotonicClock()
        self._began = 0.0
        self._awaited: tuple[int, ...] = ()

    def moved(self, entry: int, n_bytes: int) -> None:
        """Count bytes; entry 0 is the single side."""
        before, waited, _ = self._read(entry)
        self._write(entry, before + n_bytes, waited)

    def begin(self, *entries: int) -> None:
        """A wait begins, for the other side of these."""
        self._awaited = entries
        for entry in entries:
            self._write(entry, *self._read(entry)[:2], is_waiting=True)
        self._began = self._clock.now()

    def end(self) -> None:
        """The wait is over."""
        seconds = self._clock.now() - self._began
        for entry in self._awaited:
            moved, waited, _ = self._read(entry)
            self._write(entry, moved, waited + seconds)

    def fail(self, reason: str) -> None:
        """Note why the relay gives up."""
        text = reason.encode("utf-8", "replace")[: _TEXT_BYTES - 1]
        self._memory[: len(text)] = text

    @property
    def reason(self) -> str:
        """Why the relay gave up; empty if it said nothing."""
        return self._memory[:_TEXT_BYTES].rstrip(b"\0").decode("utf-8", "replace")

    def moved_bytes(self, entry: int) -> int:
        """How many bytes passed."""
        return self._read(entry)[0]

    def waited(self, entry: int) -> float:
        """How many seconds were spent waiting for that side."""
        return self._read(entry)[1]

    def is_waiting(self, entry: int) -> bool:
        """Whether that side is waited for now."""
        return self._read(entry)[2]

    def _read(self, entry: int) -> tuple[int, float, bool]:
        moved, waited, waits = _ENTRY.unpack_from(self._memory, self._at(entry))
        return int(moved), float(waited), bool(waits)

    def _write(
        self, entry: int, moved: int, waited: float, *, is_waiting: bool = False
    ) -> None:
        _ENTRY.pack_into(self._memory, self._at(entry), moved, waited, is_waiting)

    def _at(self, entry: int) -> int:
        return _TEXT_BYTES + entry * _ENTRY.size
