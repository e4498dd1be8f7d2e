"""Which side of a pipe waits for the other: looked at now and then, while a job runs.

Nothing of ours stands at a plain pipe, and nothing may: a reader more, if only while
FIONREAD is asked, would let a write(2) succeed that nobody ever reads. So the processes
are looked at, which costs them nothing: who is blocked in a read of a pipe finds it
empty, who is blocked in a write finds it full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from penstock.model.outcome import EdgeOutcome
from penstock.proc.descendants import descendants_of
from penstock.proc.launch import Running
from penstock.proc.waits import READS, WRITES, waits_of


class Samples:
    """What was seen of the edges of a job, from one look to the next.

    Args:
        running: the stages.
        edges: the name of each edge, by the inode of its pipe.
        since: when they were started.
    """

    def __init__(
        self, running: Sequence[Running], edges: Mapping[int, str], since: float
    ) -> None:
        self._running = running
        self._edges = edges
        self._looked_at = since
        self._waited: dict[str, dict[str, float]] = {
            READS: defaultdict(float),
            WRITES: defaultdict(float),
        }

    def look(self, now: float) -> None:
        """Count the time since the last look for those that wait now."""
        seconds, self._looked_at = now - self._looked_at, now
        for how, edge in set(self._waiting()):
            self._waited[how][edge] += seconds

    def edges(self) -> tuple[EdgeOutcome, ...]:
        """What is known of each edge; the seconds are an estimate."""
        sources, targets = self._waited[WRITES], self._waited[READS]
        return tuple(
            EdgeOutcome(name, None, sources.get(name, 0.0), targets.get(name, 0.0))
            for name in dict.fromkeys(self._edges.values())
        )

    def _waiting(self) -> Iterator[tuple[str, str]]:
        """How somebody waits, and at which edge."""
        own = [run.process.pid for run in self._running if run.status is None]
        for pid in [*own, *(pid for pid, _ in descendants_of(own))]:
            for wait in waits_of(pid) or ():
                if wait.pipe in self._edges and wait.how in self._waited:
                    yield wait.how, self._edges[wait.pipe]
