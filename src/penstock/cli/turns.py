"""The outputs of jobs one after the other: that of the oldest one as it comes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from penstock.cli.outputs import Terms
from penstock.cli.spools import Attic, Store
from penstock.cli.streamed import Pipe
from penstock.errors import PenstockError

_IN_MEMORY = 1 << 22  # bytes of all jobs
_FILES = 32  # of jobs that are over


class Turns:
    """Prints what the oldest job that runs prints; the others wait (`Press`).

    Services run as long as others need them, so it is their turn after all others.
    """

    def __init__(self, terms: Terms) -> None:
        self._stdout = terms.stdout
        self._directory = terms.directory
        self._order: dict[Pipe, Store] = {}  # the oldest first
        self._attic = Attic(self._directory)
        self._in_memory = self._kept = self._over = 0

    @property
    def waiting(self) -> int:
        """What all those have printed whose turn it is not."""
        return self._kept + self._attic.size

    def begin(self, pipe: Pipe) -> None:
        """Its turn comes after all that have begun before."""
        self._order[pipe] = Store(self._directory)

    def put(self, pipe: Pipe, data: bytes) -> None:
        """Print it if it has its turn."""
        if self._first() is pipe:
            self._stdout.write(data)
        else:
            store, spills = self._order[pipe], self._in_memory > _IN_MEMORY
            self._count(store, partial(store.put, data, spills=spills))

    def end(self, pipe: Pipe) -> None:
        """Give the turn to the next, if the job had it."""
        if pipe.tagger is not None and pipe.tagger.is_mid_line:
            with suppress(OSError):
                self.put(pipe, b"\n")
        self._over += 1
        while (first := self._first()) is not None:
            store = self._order[first]
            self._count(store, partial(store.show, self._stdout))
            if not first.is_over:
                break
            self._over -= 1
            del self._order[first]
        if pipe in self._order:
            self._put_away(self._order[pipe])

    def close(self) -> None:
        """Drop what waits."""
        for store in self._order.values():
            store.close()
        self._order.clear()
        self._attic.close()

    def _put_away(self, store: Store) -> None:
        """Take no more memory, and no more descriptors, for jobs that are over."""
        if self._in_memory > _IN_MEMORY or self._over > _FILES:
            with suppress(OSError, PenstockError):  # it stays where it is
                self._count(store, partial(store.move_to, self._attic))

    def _count(self, store: Store, act: Callable[[], None]) -> None:
        """Do something with a store, and count what it takes."""
        in_memory, kept = store.in_memory, store.size
        try:
            act()
        finally:
            self._in_memory += store.in_memory - in_memory
            self._kept += store.size - kept

    def _first(self) -> Pipe | None:
        """Whose turn it is."""
        first: Pipe | None = None
        for pipe in self._order:
            if pipe.job.policy.service is None:
                return pipe
            first = first or pipe
        return first
