"""Room: the slots and counted resources of a run, and who may have them next.

Ready jobs are started in order, and a job that fits goes before one that does not. So
that many small ones do not starve a large one for ever, the first that does not fit is
waited for: of whatever it was once found to lack, nobody else gets any until it starts.
What it does not lack, the others may take. Since every job that has something gives it
back at its end, its turn comes.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable

from penstock.errors import UsageError
from penstock.model.job import Job
from penstock.typed import Generic, NamedTuple, TypeVar

_SLOTS = ""  # no resource has this name

Demand = tuple[tuple[str, int], ...]
"""How many of what a job takes; nothing twice, and none of which it takes nothing."""

Waiting = TypeVar("Waiting")


class Room:
    """What there is, and what of it is free.

    Args:
        slots: at least 1.
        resources: names, and how many there are of each.

    Raises:
        UsageError: there is no slot.
    """

    def __init__(self, slots: int, resources: Iterable[tuple[str, int]] = ()) -> None:
        if slots < 1:
            raise UsageError(f"{slots} slots: at least 1 is needed")
        self._capacity = {_SLOTS: slots, **dict(resources)}
        self._free = dict(self._capacity)
        self._fewer = 0

    def narrow(self, by: int) -> None:
        """Let there be so many slots fewer; what was taken is left.

        At least one remains, and who takes more than there are has all to himself.
        """
        self._fewer = min(by, self._capacity[_SLOTS] - 1)

    def demand(self, job: Job) -> Demand:
        """What `job` takes while it runs; a service takes nothing.

        Raises:
            UsageError: there will never be as much.
        """
        policy = job.policy
        if policy.service is not None:
            return ()
        slots = min(policy.slots, self._capacity[_SLOTS])
        if not policy.resources:
            return ((_SLOTS, slots),)
        taken = Counter[str]()
        for name, amount in policy.resources:
            if name not in self._capacity:
                raise UsageError(f"job {job.name} takes {name}, a resource that is not")
            taken[name] += amount
        for name, amount in taken.items():
            most = self._capacity[name]
            if amount > most:
                why = f"{amount} of {name}, and there are only {most}"
                raise UsageError(f"job {job.name} takes {why}")
        wanted = sorted((name, amount) for name, amount in taken.items() if amount)
        return ((_SLOTS, slots), *wanted)

    def lacks(self, demand: Demand) -> list[str]:
        """The names of what there is too little of now."""
        return [name for name, amount in demand if self._left(name) < amount]

    def _left(self, name: str) -> int:
        free = self._free[name]
        if name == _SLOTS and free < self._capacity[name]:
            return free - self._fewer
        return free

    def take(self, demand: Demand) -> None:
        """Let somebody have it."""
        for name, amount in demand:
            self._free[name] -= amount

    def give_back(self, demand: Demand) -> None:
        """Have it back."""
        for name, amount in demand:
            self._free[name] += amount


class _Entry(NamedTuple, Generic[Waiting]):
    position: int
    number: int
    waiting: Waiting


class Queue(Generic[Waiting]):
    """What waits for room, by position.

    There are as many heaps as different demands, which are few, so that a thousand jobs
    that wait for one thing are not looked at one by one.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._heaps: dict[Demand, list[_Entry[Waiting]]] = {}
        self._number = 0
        self._patient: Demand | None = None  # of the one that is waited for
        self._held: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._heaps)

    def push(self, position: int, demand: Demand, waiting: Waiting) -> None:
        """Let it wait."""
        self._number += 1
        heap = self._heaps.setdefault(demand, [])
        heapq.heappush(heap, _Entry(position, self._number, waiting))

    def pop(self) -> Waiting | None:
        """The next one that may start now; the room that it takes is taken."""
        for demand in self._order():
            lacking = self._room.lacks(demand)
            if lacking and self._patient in (None, demand):
                self._patient = demand
                self._held.update(lacking)
            elif not lacking and self._is_free(demand):
                return self._take(demand)
        return None

    def drop(self, unwanted: Callable[[Waiting], bool]) -> list[Waiting]:
        """Let the `unwanted` wait no longer; they are returned."""
        dropped = []
        for demand, heap in list(self._heaps.items()):
            kept: list[_Entry[Waiting]] = []
            for entry in heap:
                if unwanted(entry.waiting):
                    dropped.append(entry.waiting)
                else:
                    kept.append(entry)
            heapq.heapify(kept)
            self._heaps[demand] = kept
            self._tidy(demand)
        return dropped

    def _is_free(self, demand: Demand) -> bool:
        """Whether none of it is held for another."""
        if demand == self._patient:
            return True
        return self._held.isdisjoint(name for name, _ in demand)

    def _order(self) -> list[Demand]:
        """The demands: of the one that is waited for first, then by position."""
        if len(self._heaps) == 1:
            return list(self._heaps)
        return sorted(
            self._heaps,
            key=lambda demand: (demand != self._patient, self._heaps[demand][0][:2]),
        )

    def _take(self, demand: Demand) -> Waiting:
        self._room.take(demand)
        entry = heapq.heappop(self._heaps[demand])
        if demand == self._patient:
            self._wait_for_nobody()
        self._tidy(demand)
        return entry.waiting

    def _tidy(self, demand: Demand) -> None:
        if not self._heaps[demand]:
            del self._heaps[demand]
            if demand == self._patient:
                self._wait_for_nobody()

    def _wait_for_nobody(self) -> None:
        self._patient = None
        self._held.clear()
