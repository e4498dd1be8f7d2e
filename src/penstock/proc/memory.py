"""How much memory the commands of a job hold: what the `memory` limit asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.model.job import Job
from penstock.proc.launch import Running
from penstock.proc.resident import resident
from penstock.proc.stop import Stop, at_work

EVERY = 0.1  # seconds from one look to the next

_KIB = 1024


class Memory:
    """Adds up what the processes of each command hold, and keeps the peak.

    Resident pages (/proc/PID/statm) are quick to read but count a page that is shared
    once for each process. So only where they exceed a limit is the proportional share
    (Pss of /proc/PID/smaps_rollup, Linux 4.14) asked for, which takes a thousand times
    as long for a large process.

    Attributes:
        every: seconds from one look to the next.
        peak_bytes: the most that the whole job was seen to hold, shared pages counted
            more than once; None before the first look.
    """

    def __init__(self, job: Job, running: Sequence[Running]) -> None:
        self._job = job
        self._running = running
        self._limits = {
            position: stage.command.memory
            for position, stage in enumerate(job.stages)
            if stage.command.memory is not None
        }
        self.every = EVERY
        self.peak_bytes: int | None = None

    def look(self, trees: Mapping[int, int]) -> Stop | None:
        """Add up; the stop that follows where a command holds too much."""
        held = {pid: resident(pid) for pid in trees}
        self.peak_bytes = max(self.peak_bytes or 0, sum(held.values()))
        for position, limit in self._limits.items():
            own = [pid for pid, owner in trees.items() if owner == position]
            if sum(held[pid] for pid in own) <= limit:
                continue
            share = sum(_share(pid, held[pid]) for pid in own)
            if share > limit:
                return self._stop(position, limit, share)
        return None

    def _stop(self, position: int, limit: int, held: int) -> Stop:
        cause = f"{self._job.stages[position].name} held too much memory"
        hit = at_work(self._job, self._running) | {position}
        return Stop(cause, hit, frozenset((position,)), memory=(limit, held))


def _share(pid: int, resident: int) -> int:
    """The same, with each shared page divided by those who share it, if we may know."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as sizes:
            for line in sizes:
                name, _, number = line.partition(b":")
                if name == b"Pss":
                    return int(number.split()[0]) * _KIB
    except ProcessLookupError:
        return 0
    except OSError:
        pass
    return resident
