"""Deadlocks of a graph: every process waits at a pipe of the job, and nothing moves.

Only what is certain counts. A process waits if each of its threads is blocked in the
kernel, reading or writing a pipe whose other end can be nobody's but this job's, or
opening a FIFO, or waiting for its children (wchan and syscall of proc(5)). All must do
so, and none may have been woken in between. Who waits in any other way may be waiting
for the world outside, and there is no deadlock.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from penstock.model.job import Job
from penstock.proc.descendants import children_of, descendants_of, is_zombie
from penstock.proc.files import Files
from penstock.proc.launch import Running
from penstock.proc.stop import Stop, alive

if TYPE_CHECKING:
    from penstock.proc.relay import Relay

_SLOWEST_LOOK = 1.0  # seconds
_LOOKS = 4  # in the time of the limit
_READS, _WRITES, _OPENS = "reads", "writes", "opens"


class Wait(NamedTuple):
    """What one thread is blocked in.

    Attributes:
        how: "reads", "writes", "opens" or "waits", for children.
        pipe: the inode of the pipe; 0 if there is none.
    """

    how: str
    pipe: int = 0


class Stall:
    """Looks whether a job has stalled.

    Attributes:
        next_at: when to look.
    """

    def __init__(
        self,
        job: Job,
        running: Sequence[Running],
        relays: Sequence[Relay],
        files: Files,
        now: float,
    ) -> None:
        self._job = job
        self._running = running
        self._relays = relays
        self._edges = files.edge_of_inode
        self._foreign = _foreign_pipes(files)
        self._limit = job.limits.stall
        self._every = min(_SLOWEST_LOOK, self._limit / _LOOKS)
        self._seen: object = None
        self._since = now
        self.next_at = now + self._every

    def look(self, now: float) -> Stop | None:
        """Look, if it is time; the stop that follows if nothing has moved for long."""
        if now < self.next_at:
            return None
        self.next_at = now + self._every
        waits = self._waits()
        seen = None if waits is None else (waits, self._moved(waits))
        if seen is None or seen != self._seen:
            self._seen, self._since = seen, now
            return None
        if waits is None or now - self._since < self._limit:
            return None
        what = "; ".join(self._told(waits))
        cause = f"deadlock, nothing has moved for {self._limit:g} s: {what}"
        return Stop(cause, alive(self._running))

    def _waits(self) -> dict[int, tuple[Wait, ...]] | None:
        """What every command and all below it wait for; None if one is not waiting."""
        spare = {relay.pid for relay in self._relays}
        direct = [pid for pid in children_of(os.getpid()) if pid not in spare]
        found: dict[int, tuple[Wait, ...]] = {}
        for pid in [*direct, *(pid for pid, _ in descendants_of(direct))]:
            if is_zombie(pid):
                continue
            waits = _waits_of(pid)
            if waits is None or any(wait.pipe in self._foreign for wait in waits):
                return None
            found[pid] = waits
        return found

    def _moved(self, waits: dict[int, tuple[Wait, ...]]) -> list[int]:
        """Numbers that change whenever anything moves."""
        woken = [_times_woken(pid) for pid in waits]
        relayed = [
            relay.meter.moved_bytes(entry)
            for relay in self._relays
            for entry in range(len(relay.plan.edges) + 1)
        ]
        return [*woken, *relayed]

    def _told(self, waits: dict[int, tuple[Wait, ...]]) -> list[str]:
        """Who waits at which edge, in words."""
        told = []
        for running in self._running:
            name = self._job.stages[running.position].name
            pid = running.process.pid
            for below in [pid, *(found for found, _ in descendants_of([pid]))]:
                told += [
                    text
                    for wait in waits.get(below, ())
                    if (text := self._describe(name, wait))
                ]
        for relay in self._relays:
            told += [
                f"{edge} is full"
                for entry, edge in enumerate(relay.plan.edges, start=1)
                if relay.plan.kind == "fan" and relay.meter.is_waiting(entry)
            ]
        return list(dict.fromkeys(told))

    def _describe(self, name: str, wait: Wait) -> str | None:
        edge = self._edges.get(wait.pipe)
        if wait.how == _OPENS:
            return f"{name} opens a FIFO that nobody writes to"
        if edge is None:
            return None  # a pipe of the command's own
        return f"{name} {wait.how} {edge}"


def _waits_of(pid: int) -> tuple[Wait, ...] | None:
    """What each thread of a process waits for; None if one is not waiting, or gone."""
    waits = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            wait = _wait_of(f"/proc/{pid}/task/{task}")
            if wait is None:
                return None
            waits.append(wait)
    except OSError:  # gone, or not ours to look at
        return None
    return tuple(waits)


def _wait_of(task: str) -> Wait | None:
    """What the thread in the directory `task` is blocked in; None if it is not.

    Raises:
        OSError: it is gone.
    """
    with open(f"{task}/wchan") as file:
        where = file.read()
    if where == "do_wait":
        return Wait("waits")
    if where == "wait_for_partner":
        return Wait(_OPENS)
    if "pipe_read" not in where and "pipe_write" not in where:
        return None
    with open(f"{task}/syscall") as file:
        words = file.read().split()  # the number of the call, then its arguments
    if len(words) == 1:
        return None  # "running"
    seen = os.stat(f"{task}/fd/{int(words[1], 16)}")
    return Wait(_READS if "read" in where else _WRITES, seen.st_ino)


def _times_woken(pid: int) -> int:
    """How often a process has been put to sleep, which it was woken from but once."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("voluntary_ctxt_switches:"):
                    return int(line.split()[1])
    except OSError:
        return -1
    return 0


def _foreign_pipes(files: Files) -> frozenset[int]:
    """Pipes whose other ends somebody else may have: they are no wait of this job."""
    found = set()
    for descriptor in (0, 1, 2, *files.handed):
        with suppress(OSError):
            seen = os.fstat(descriptor)
            if stat.S_ISFIFO(seen.st_mode):
                found.add(seen.st_ino)
    return frozenset(found)
