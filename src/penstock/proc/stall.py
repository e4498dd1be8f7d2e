"""A job in which nothing moves: a deadlock that is certain, or a limit that has passed.

For a deadlock, only what is certain counts. A process waits if each of its threads is
blocked in the kernel, reading or writing a pipe whose other end can be nobody's but
this job's, or opening a FIFO of the job, or waiting for its children (wchan and syscall
of proc(5)). All must do so, and none may have been woken in between. Who waits in any
other way, or at a FIFO from elsewhere, may be waiting for the world outside, and there
is no deadlock.

Where the user gave a limit, it is enough that nothing moves, whatever is waited for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress

from penstock.model.job import Job
from penstock.model.wiring import Wiring
from penstock.proc.activity import activity_of, is_busy
from penstock.proc.descendants import children_of, descendants_of, is_zombie
from penstock.proc.files import Files
from penstock.proc.launch import Running
from penstock.proc.stop import Stop, at_work
from penstock.proc.waits import (
    OPENS,
    READS,
    WAITS,
    WRITES,
    Wait,
    pipes_held_by,
    place_of,
    waits_of,
)
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.proc.relay import Relay

_SLOWEST_LOOK = 1.0  # seconds
_LOOKS = 4  # in the time of the limit
_NOTES = {
    READS: "waits to read",
    WRITES: "waits to write",
    OPENS: "opens it, and nobody writes to it",
}


class Stall:
    """Looks whether a job has stalled.

    Attributes:
        next_at: when to look.
    """

    def __init__(
        self,
        job: Job,
        wiring: Wiring,
        running: Sequence[Running],
        relays: Sequence[Relay],
        files: Files,
        now: float,
    ) -> None:
        self._job = job
        self._fifos = _edges_by_path(wiring, files)
        self._running = running
        self._relays = relays
        self._logs = files.logs
        self._edges = files.edge_of_inode
        self._foreign = _foreign_pipes(files)
        self._deadlock = _Standstill(job.limits.stall if wiring.is_graph else None)
        self._stall = _Standstill(job.limits.still)
        limits = (job.limits.stall, job.limits.still or job.limits.stall)
        self._every = min(_SLOWEST_LOOK, min(limits) / _LOOKS)
        self.next_at = now + self._every

    def look(self, now: float) -> Stop | None:
        """Look, if it is time; the stop that follows if nothing has moved for long."""
        if now < self.next_at:
            return None
        self.next_at = now + self._every
        if not at_work(self._job, self._running):
            return None  # what was left behind may wait until the linger is over
        if self._deadlock.limit is not None:
            waits = self._waits()
            seen = None if waits is None else (waits, self._moved(waits))
            if self._deadlock.is_over(seen, now) and waits is not None:
                return self._stop(self._deadlock.limit, "deadlock", self._told(waits))
        if self._stall.limit is not None and self._stall.is_over(self._stirred(), now):
            return self._stop(self._stall.limit, "stall", self._told(None))
        return None

    def _stop(
        self, limit: float, limit_of: str, told: Iterator[tuple[str, str]]
    ) -> Stop:
        hit = at_work(self._job, self._running)
        edges = tuple(dict.fromkeys(told))
        return Stop("nothing has moved", hit, hit, limit, limit_of, edges=edges)

    def _waits(self) -> dict[int, tuple[Wait, ...]] | None:
        """What every command and all below it wait for; None if one is not waiting."""
        found: dict[int, tuple[Wait, ...]] = {}
        for pid in self._processes():
            if is_zombie(pid):
                continue
            waits = waits_of(pid)
            if waits is None or not all(map(self._is_ours, waits)):
                return None
            found[pid] = waits
        return found

    def _is_ours(self, wait: Wait) -> bool:
        """Whether it can be ended by nobody but this job."""
        if wait.how == OPENS or wait.path:
            return _tail(wait.path) in self._fifos
        return wait.how == WAITS or wait.pipe not in self._foreign

    def _processes(self) -> list[int]:
        """All that belongs to the commands."""
        spare = {relay.pid for relay in self._relays}
        direct = [pid for pid in children_of(os.getpid()) if pid not in spare]
        return [*direct, *(pid for pid, _ in descendants_of(direct))]

    def _moved(self, waits: dict[int, tuple[Wait, ...]]) -> list[int]:
        """Numbers that change whenever anything moves at a pipe."""
        return [*(_times_woken(pid) for pid in waits), *self._relayed()]

    def _stirred(self) -> object:
        """What changes whenever anything moves at all; None while somebody is busy."""
        pids = self._processes()
        if any(is_busy(pid) for pid in pids):
            return None
        processes = {pid: activity_of(pid) for pid in pids}
        taken = [pump.taken for pump in self._logs.values()]
        return processes, taken, self._relayed()

    def _relayed(self) -> list[int]:
        return [
            relay.meter.moved_bytes(entry)
            for relay in self._relays
            for entry in range(len(relay.plan.edges) + 1)
        ]

    def _told(
        self, certain: dict[int, tuple[Wait, ...]] | None
    ) -> Iterator[tuple[str, str]]:
        """The edges at which somebody waits, and who; some may come twice."""
        for running in self._running:
            if running.status is not None:
                continue
            pid = running.process.pid
            for below in [pid, *(found for found, _ in descendants_of([pid]))]:
                waits = waits_of(below) if certain is None else certain.get(below, ())
                if waits is None:
                    yield from self._held(running.position, below)
                else:
                    yield from self._waited(running.position, waits)
        for relay in self._relays:
            for entry, edge in enumerate(relay.plan.edges, start=1):
                if relay.plan.kind == "fan" and relay.meter.is_waiting(entry):
                    yield edge, "is full"

    def _waited(
        self, position: int, waits: Sequence[Wait]
    ) -> Iterator[tuple[str, str]]:
        """The edges at which a process of a stage is blocked."""
        name = self._job.stages[position].name
        for wait in waits:
            edge = self._edges.get(wait.pipe)
            if wait.how == OPENS or wait.path:
                edge = self._fifos.get(_tail(wait.path)) or wait.path or "a FIFO"
            if edge is not None:  # else it is a pipe of the command's own
                yield edge, f"{name} {_NOTES[wait.how]}"

    def _held(self, position: int, pid: int) -> Iterator[tuple[str, str]]:
        """The edges that a process has, which waits for it is not known what."""
        name, where = self._job.stages[position].name, place_of(pid)
        held = [self._edges[i] for i in pipes_held_by(pid) if i in self._edges]
        for edge in held or [f"no edge, {name}"]:
            yield edge, f"{name} waits in {where}"


class _Standstill:
    """For how long the same has been seen."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self._seen: object = None
        self._since = 0.0

    def is_over(self, seen: object, now: float) -> bool:
        """Whether `seen` has been the same for the limit; never for None."""
        if seen is None or seen != self._seen:
            self._seen, self._since = seen, now
            return False
        return self.limit is not None and now - self._since >= self.limit


def _times_woken(pid: int) -> int:
    """How often a process has been put to sleep, which it was woken from but once."""
    try:
        with open(f"/proc/{pid}/status", "rb") as status:  # a name may be no UTF-8
            for line in status:
                if line.startswith(b"voluntary_ctxt_switches:"):
                    return int(line.split()[1])
    except OSError:
        return -1
    return 0


def _foreign_pipes(files: Files) -> frozenset[int]:
    """Pipes whose other ends somebody else may have: they are no wait of this job.

    The commands have none of them but from us: our own streams, what came with the job,
    the tokens of make, the logs.
    """
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            seen = os.fstat(int(number))
            if stat.S_ISFIFO(seen.st_mode):
                found.add(seen.st_ino)
    return frozenset(found - files.edge_of_inode.keys())


def _edges_by_path(wiring: Wiring, files: Files) -> dict[str, str]:
    """What each FIFO of the job joins, by the tail of its path."""
    if files.fifos is None:
        return {}
    return {_tail(files.fifos.path(fifo)): fifo.edge for fifo in wiring.fifos}


def _tail(path: str) -> str:
    """What no other FIFO has: the random name of its directory, and its own.

    Before that, a path may be spelled in more than one way.
    """
    return "/".join(path.rsplit("/", 2)[-2:])
