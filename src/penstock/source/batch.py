"""Batches: as many records for one job as it is to have, or as fit into its command."""

from __future__ import annotations

from collections.abc import Callable

from penstock.source.combine import Record
from penstock.source.records import Outlook, Source

Batch = tuple[Record, ...]


class Batches:
    """Records in batches: one for each job.

    Args:
        source: of the records.
        most: how many at once.
        room: how much may be in a batch of more than one, as `cost` counts it.
        cost: of a record.
        spread: over how many batches the last records go, if there is room left.
    """

    def __init__(
        self,
        source: Source,
        most: int = 1,
        room: int | None = None,
        cost: Callable[[Record], int] | None = None,
        spread: int = 1,
    ) -> None:
        self._source = source
        self._most = most
        self._room = room
        self._cost = cost or (lambda _: 0)
        self._spread = spread
        self._last: list[Batch] = []  # reversed
        self._batch: list[Record] = []
        self._filled = 0
        self._next: Record | None = None  # did not fit

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        held = self._batch or self._last or self._next is not None
        return self._source.is_over and not held

    @property
    def outlook(self) -> Outlook:
        """How many batches are still to come."""
        if self._room is not None:
            return Outlook(len(self._last), self.is_over)
        look = self._source.outlook
        full, rest = divmod(len(self._batch) + look.known, self._most)
        if look.is_all and rest:
            full += 1
        return Outlook(len(self._last) + full, look.is_all)

    def next(self) -> Batch | None:
        """The next batch; None if it is not full yet, or there is none any more."""
        if self._most == 1:
            record = self._source.next()
            return None if record is None else (record,)
        if self._last:
            return self._last.pop()
        if self._next is not None:
            self._add(self._next)
            self._next = None
        while len(self._batch) < self._most:
            record = self._source.next()
            if record is None:
                if not self._source.is_over or not self._batch:
                    return None
                self._last = _share(self._take(), self._spread)
                return self._last.pop()
            if not self._add(record):
                self._next = record
                break
        return self._take()

    def _add(self, record: Record) -> bool:
        """Add a record to the batch, if there is room for it."""
        if self._room is not None:
            cost = self._cost(record)
            if self._batch and self._filled + cost > self._room:
                return False
            self._filled += cost
        self._batch.append(record)
        return True

    def _take(self) -> Batch:
        batch = tuple(self._batch)
        self._batch.clear()
        self._filled = 0
        return batch


def _share(batch: Batch, number: int) -> list[Batch]:
    """The records in so many batches, or fewer; the last batch first."""
    size = -(-len(batch) // number)
    return [batch[at : at + size] for at in range(0, len(batch), size)][::-1]
