"""Merge: several streams into one, record by record, never byte by byte.

A record that is not complete is kept until it is. One that grows beyond `_HELD_BYTES`
is passed on as it comes, and until it has come to its end, nobody else is heard: so a
line may be longer than all memory.
"""

from __future__ import annotations

import os
import select

from penstock.model.link import Framing
from penstock.proc.meter import Meter
from penstock.proc.records import CutShortError, records_of

_CHUNK = 1 << 18
_HELD_BYTES = 1 << 16


class _Source:
    """One stream: what is kept of it, and whether it is in the middle of a record."""

    def __init__(self, descriptor: int, entry: int, framing: Framing) -> None:
        self.descriptor = descriptor
        self.entry = entry
        self.kept = b""
        self.midway = False
        self._records = records_of(framing)

    def take(self, chunk: bytes) -> bytes:
        """What may be written, now that `chunk` has come."""
        data = self.kept + chunk if self.kept else chunk
        end = self._records.whole(data)
        self.midway = self.midway and end == 0
        self.kept = data[end:]
        if not self.midway and len(self.kept) <= _HELD_BYTES:
            return data[:end]
        if self.kept:
            self._records.begun(self.kept)
            self.midway = True
        self.kept = b""
        return data

    def finish(self) -> bytes:
        """What is to be written at its end."""
        return self._records.finish(self.kept, midway=self.midway)


def merge(
    sources: tuple[int, ...],
    target: int,
    framing: Framing,
    meter: Meter,
) -> None:
    """Write the records of all `sources` to `target`, until all have ended.

    Args:
        sources: pipes that nobody else reads.
        target: a pipe that nobody else writes.
        framing: where a record ends.
        meter: entry 0 is the target's.

    Raises:
        CutShortError: a stream ended in the middle of a record.
        BrokenPipeError: nobody reads any more.
    """
    pending = {
        descriptor: _Source(descriptor, entry, framing)
        for entry, descriptor in enumerate(sources, start=1)
    }
    cut_short = False
    while pending:
        for source in _wait(pending, target, meter):
            chunk = os.read(source.descriptor, _CHUNK)
            meter.moved(source.entry, len(chunk))
            if chunk:
                _write(target, source.take(chunk), meter)
                if source.midway:
                    break
                continue
            del pending[source.descriptor]
            try:
                _write(target, source.finish(), meter)
            except CutShortError:
                cut_short = True
    if cut_short:
        raise CutShortError


def _wait(pending: dict[int, _Source], target: int, meter: Meter) -> list[_Source]:
    """The sources that may be read: only the one that is midway, if there is one.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    midway = [source for source in pending.values() if source.midway]
    heard = midway or list(pending.values())
    poll = select.poll()
    poll.register(target, 0)
    for source in heard:
        poll.register(source.descriptor, select.POLLIN)
    meter.begin(*(source.entry for source in heard))
    ready = dict(poll.poll())
    meter.end()
    if ready.pop(target, 0) & select.POLLERR:
        raise BrokenPipeError
    return [pending[descriptor] for descriptor in ready]


def _write(target: int, data: bytes, meter: Meter) -> None:
    if not data:
        return
    view = memoryview(data)
    meter.begin(0)
    while view:
        view = view[os.write(target, view) :]
    meter.end()
    meter.moved(0, len(data))
