"""Several sources as one: every combination, or side by side; and several at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, product
from math import prod

from penstock.source.records import Outlook, Source

Record = tuple[str, ...]


class Linked:
    """Sources that are read side by side; the short ones begin again (a `Source`).

    As `--link` and `:::+` of GNU parallel: as many records as the longest has.
    """

    def __init__(self, sources: Sequence[Source], *, shortest: bool = False) -> None:
        self._sources = sources
        self._seen: list[list[Record]] = [[] for _ in sources]
        self._shortest = shortest
        self._at = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        over = [
            source.is_over and self._at >= len(seen)
            for source, seen in zip(self._sources, self._seen, strict=True)
        ]
        none = any(
            source.is_over and not seen
            for source, seen in zip(self._sources, self._seen, strict=True)
        )
        return none or (any(over) if self._shortest else all(over))

    @property
    def outlook(self) -> Outlook:
        """As many as the longest source has, or the shortest."""
        if self.is_over:
            return Outlook(0, is_all=True)
        looks = [source.outlook for source in self._sources]
        totals = [
            len(seen) + look.known for seen, look in zip(self._seen, looks, strict=True)
        ]
        is_all = all(look.is_all for look in looks)
        if self._shortest or not all(totals):
            return Outlook(max(0, min(totals) - self._at), is_all)
        return Outlook(max(0, max(totals) - self._at), is_all)

    def next(self) -> Record | None:
        """The next values, one of each source."""
        for source, seen in zip(self._sources, self._seen, strict=True):
            if len(seen) <= self._at and not source.is_over:
                record = source.next()
                if record is not None:
                    seen.append(record)
                elif not source.is_over:
                    return None
        if self.is_over:
            return None
        at, self._at = self._at, self._at + 1
        return tuple(chain.from_iterable(seen[at % len(seen)] for seen in self._seen))


class Product:
    """Every combination of the records of several sources (a `Source`).

    The first one is read as it comes, and may be endless; the others are read to their
    end before, and remembered.
    """

    def __init__(self, first: Source, others: Sequence[Source]) -> None:
        self._first = first
        self._others = [(source, list[Record]()) for source in others]
        self._left: list[Record] = []  # of the present record of the first; reversed
        self._all: list[Record] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        none = self._all is not None and not self._all
        return none or (self._first.is_over and not self._left)

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
        return Outlook(len(self._left) + first.known * each, is_all)

    def next(self) -> Record | None:
        """The next combination; the last source changes fastest."""
        if self._all is None:
            if not all(_drain(source, found) for source, found in self._others):
                return None
            lists = [found for _, found in self._others]
            self._all = [tuple(chain.from_iterable(each)) for each in product(*lists)]
        if not self._left:
            record = self._first.next()
            if record is None:
                return None
            self._left = [record + rest for rest in reversed(self._all)]
        return self._left.pop() if self._left else None


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
