"""Halt: when a run of many jobs ends before all is done."""

from __future__ import annotations

from penstock.typed import NamedTuple

LEAST_ENDED = 3  # jobs, before a share of them says anything


class Halt(NamedTuple):
    """When to stop before all is done.

    Attributes:
        now: end the jobs that run; otherwise only start no more.
        on: what is counted: "fail", "success" or "done".
        number: so many of them; 0 if `share` counts.
        share: so large a part of all jobs, as in GNU parallel. While it is not known
            how many there are, failures count as a part of those that have ended, of
            three at least.
    """

    now: bool
    on: str
    number: int = 1
    share: float = 0.0

    def is_reached(self, ok: int, failed: int, total: int | None = None) -> bool:
        """Whether it is time, after so many jobs; `total`: of so many, if known."""
        counted = {"success": ok, "fail": failed, "done": ok + failed}[self.on]
        if self.number:
            return counted >= self.number
        if total is not None:
            return counted >= self.share * total
        ended = ok + failed if self.on == "fail" else 0
        return ended >= LEAST_ENDED and counted >= self.share * ended
