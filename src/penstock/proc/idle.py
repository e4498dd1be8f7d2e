"""How long the commands of a job have said nothing: what the `idle` limit asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.model.job import Job
from penstock.proc.descendants import is_zombie
from penstock.proc.files import Files
from penstock.proc.launch import Running
from penstock.proc.stop import Stop, at_work
from penstock.proc.trees import NOBODY

_LOOKS = 8  # in the time of the limit
_EVERY_LEAST = 0.02
_EVERY_MOST = 1.0
_TALKS = -1  # what a process counts as whose output nobody may see


class Silence:
    """Notices output by what the kernel counts as written by each process.

    That is `wchar` of /proc/PID/io (proc_pid_io(5)): bytes given to write(2), wherever
    they went, so that it works for a pipe, a file and a terminal alike, and nothing
    stands between the command and its reader. What was spliced is not in it, but what
    came through a log pipe we have seen ourselves.

    A byte is noticed when we look the next time; so the limit passes late, by an eighth
    at the most, and never early. A process that we may not look at counts as talking.

    Attributes:
        every: seconds from one look to the next.
    """

    def __init__(
        self, job: Job, running: Sequence[Running], files: Files, now: float
    ) -> None:
        self._job = job  # some stage of it has a limit
        self._running = running
        self._files = files
        self._limits = {
            position: stage.limits.idle
            for position, stage in enumerate(job.stages)
            if stage.limits.idle is not None
        }
        self._heard_at = dict.fromkeys(self._limits, now)
        self._written: dict[int, int] = {}
        self._pumped: dict[int, int] = {}
        least = min(self._limits.values()) / _LOOKS
        self.every = min(max(least, _EVERY_LEAST), _EVERY_MOST)

    def look(self, trees: Mapping[int, int], now: float) -> Stop | None:
        """Notice what was written; the stop that follows from too long a silence."""
        for position in self._talking(trees):
            self._heard_at[position] = now
        late = [
            position
            for position, limit in self._limits.items()
            if now >= self._heard_at[position] + limit
        ]
        hit = at_work(self._job, self._running)
        overdue = hit.intersection(late, trees.values())
        if not overdue:
            return None
        first = min(overdue)
        cause = f"{self._job.stages[first].name} said nothing for too long"
        return Stop(cause, hit, frozenset((first,)), self._limits[first], "idle")

    def _talking(self, trees: Mapping[int, int]) -> set[int]:
        """The stages that have written since the last look, or may have."""
        written = {pid: _written_by(pid) for pid in trees}
        talking: set[int] = set()
        for pid, amount in written.items():
            if amount == _TALKS or amount > self._written.get(pid, 0):
                owner = trees[pid]
                talking.update(self._limits if owner == NOBODY else (owner,))
        for position, pump in self._files.logs.items():
            if pump.taken > self._pumped.get(position, 0):
                self._pumped[position] = pump.taken
                talking.add(position)
        self._written = written
        return talking & self._limits.keys()


def _written_by(pid: int) -> int:
    """Bytes written by `pid` and by the children that it has waited for."""
    try:
        with open(f"/proc/{pid}/io", "rb") as counts:
            for line in counts:
                name, _, number = line.partition(b":")
                if name == b"wchar":
                    return int(number)
    except OSError:
        pass
    return 0 if is_zombie(pid) else _TALKS
