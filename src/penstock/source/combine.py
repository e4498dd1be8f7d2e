"""Several sources as one: every combination, or side by side; and several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, product
from math import prod

from penstock.source.records import Outlook, Source

Record = tuple[str, ...]


class Zipped:
    """Sources that are read side by side, until the shortest is over (a `Source`).

    As `:::+` of GNU parallel.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._held: list[Record | None] = [None] * len(sources)  # for the next record

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        parts = zip(self._held, self._sources, strict=True)
        return any(held is None and source.is_over for held, source in parts)

    @property
    def outlook(self) -> Outlook:
        """As many as the source has of which the fewest are known."""
        parts = zip(self._held, self._sources, strict=True)
        looks = [(held is not None, source.outlook) for held, source in parts]
        least = min(held + look.known for held, look in looks)
        ends = (held + look.known == least and look.is_all for held, look in looks)
        return Outlook(least, any(ends))

    def next(self) -> Record | None:
        """The next values, one of each source."""
        if self.is_over:
            return None
        for position, source in enumerate(self._sources):
            if self._held[position] is None:
                self._held[position] = source.next()
        held = [record for record in self._held if record is not None]
        if len(held) < len(self._held):
            return None
        self._held = [None] * len(held)
        return tuple(chain.from_iterable(held))


class Linked:
    """Sources that are read side by side; the short ones begin again (a `Source`).

    As `--link` of GNU parallel: as many records as the longest has. What may have to
    begin again is remembered; the last one that is left is not.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._seen: list[list[Record]] = [[] for _ in sources]
        self._counts = [0] * len(sources)  # what was read of each
        self._at = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        over = [
            count
            for count, source in zip(self._counts, self._sources, strict=True)
            if source.is_over
        ]
        if len(over) == len(self._sources) and self._at >= max(over):
            return True
        return 0 in over

    @property
    def outlook(self) -> Outlook:
        """As many as the longest source has."""
        if self.is_over:
            return Outlook(0, is_all=True)
        looks = [source.outlook for source in self._sources]
        totals = [
            count + look.known for count, look in zip(self._counts, looks, strict=True)
        ]
        is_all = all(look.is_all for look in looks)
        total = max(totals) if all(totals) else 0
        return Outlook(max(0, total - self._at), is_all)

    def next(self) -> Record | None:
        """The next values, one of each source."""
        for position, source in enumerate(self._sources):
            if self._counts[position] <= self._at and not source.is_over:
                record = source.next()
                if record is not None:
                    self._remember(position, record)
                elif not source.is_over:
                    return None
        if self.is_over:
            return None
        at, self._at = self._at, self._at + 1
        return tuple(chain.from_iterable(seen[at % len(seen)] for seen in self._seen))

    def _remember(self, position: int, record: Record) -> None:
        """Take in a record; if the source is the only one left, instead of the last."""
        sources = self._sources
        if all(p == position or each.is_over for p, each in enumerate(sources)):
            self._seen[position].clear()
        self._seen[position].append(record)
        self._counts[position] += 1


class Product:
    """Every combination of the records of several sources (a `Source`).

    The first one is read as it comes, and may be endless; the others are read to their
    end before, and remembered.
    """

    def __init__(self, first: Source, others: Sequence[Source]) -> None:
        self._first = first
        self._others = [(source, list[Record]()) for source in others]
        self._record: Record = ()  # of the first
        self._rests: Iterator[tuple[Record, ...]] = iter(())  # what it goes with
        self._left = 0  # of them
        self._all: int | None = None  # how many there are; None: not known

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._all == 0 or (self._first.is_over and not self._left)

    @property
    def outlook(self) -> Outlook:
        """The product of what is known of each source."""
        first = self._first.outlook
        looks = [source.outlook for source, _ in self._others]
        each = prod(
            len(found) + look.known
            for (_, found), look in zip(self._others, looks, strict=True)
        )
        is_all = all(look.is_all for look in looks) and (first.is_all or not each)
        return Outlook(self._left + first.known * each, is_all)

    def next(self) -> Record | None:
        """The next combination; the last source changes fastest."""
        if self._all is None:
            if not all(_drain(source, found) for source, found in self._others):
                return None
            self._all = prod(len(found) for _, found in self._others)
        if not self._left:
            record = self._first.next()
            if record is None or not self._all:
                return None
            self._record, self._left = record, self._all
            self._rests = product(*(found for _, found in self._others))
        self._left -= 1
        return (*self._record, *chain.from_iterable(next(self._rests)))


def _drain(source: Source, found: list[Record]) -> bool:
    """Read all of `source`; False if there is more to come."""
    while (record := source.next()) is not None:
        found.append(record)
    return source.is_over


class Changed:
    """Records of another source, each one changed, or left out (a `Source`).

    Args:
        source: of what is changed.
        change: None for what is left out.
        keeps_all: none is ever left out.
    """

    def __init__(
        self,
        source: Source,
        change: Callable[[Record], Record | None],
        *,
        keeps_all: bool = False,
    ) -> None:
        self._source = source
        self._change = change
        self._keeps_all = keeps_all

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more; perhaps one `next` late."""
        return self._source.is_over

    @property
    def outlook(self) -> Outlook:
        """As that of the other source, if nothing is left out."""
        look = self._source.outlook
        return look if self._keeps_all else Outlook(0, look.is_all and not look.known)

    def next(self) -> Record | None:
        """The next record that is not left out."""
        while (record := self._source.next()) is not None:
            changed = self._change(record)
            if changed is not None:
                return changed
        return None
