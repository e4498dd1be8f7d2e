"""How much memory the jobs of a run hold, seen from above: for who looks on."""

from __future__ import annotations

import os
from collections.abc import Mapping

from penstock.proc.descendants import children_of, descendants_of
from penstock.proc.resident import resident


class Held:
    """Finds the workers of a nursery, and adds up what is below each.

    Args:
        nursery: its PID.
    """

    def __init__(self, nursery: int) -> None:
        self._nursery = nursery
        self._sockets: dict[int, frozenset[str]] = {}  # that each worker has open

    def look(self, peers: Mapping[str, int]) -> dict[str, int]:
        """The bytes that each job holds; shared pages count more than once.

        Args:
            peers: for each job, the inode of a socket that only its worker has. A job
                whose worker is not found is left out.
        """
        pids = children_of(self._nursery)
        self._sockets = {pid: self._sockets.get(pid) or _sockets(pid) for pid in pids}
        owners = {name: pid for pid, names in self._sockets.items() for name in names}
        found = {job: owners.get(f"socket:[{peer}]") for job, peer in peers.items()}
        return {job: _below(pid) for job, pid in found.items() if pid is not None}


def _sockets(pid: int) -> frozenset[str]:
    """The sockets that a process has open, as /proc names them."""
    place = f"/proc/{pid}/fd"
    found: set[str] = set()
    try:
        for descriptor in os.listdir(place):
            name = os.readlink(f"{place}/{descriptor}")
            if name.startswith("socket:"):
                found.add(name)
    except OSError:  # it is gone, or somebody else's
        return frozenset()
    return frozenset(found)


def _below(worker: int) -> int:
    """What all processes below a worker hold."""
    return sum(resident(pid) for pid, _ in descendants_of([worker]))
