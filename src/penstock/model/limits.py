"""Limits: how long each wait may last. Every one is finite but the first."""

from __future__ import annotations

from penstock.typed import NamedTuple

GRACE = 5.0
DRAIN = 2.0
LINGER = 1.0
STALL = 10.0


class Limits(NamedTuple):
    """The waits of a stage or of a job, in seconds.

    Attributes:
        timeout: from the start to the first signal; None waits as long as it takes.
        grace: from TERM to KILL, for the whole tree of processes.
        drain: for end-of-file of a log pipe, once every process is gone.
        linger: for what a command left behind to finish by itself (a job's only).
        idle: without a byte of output from the command; None: any time (stages only).
        stall: in which every process of a graph waits for another, before that counts
            as a deadlock (a job's only).
        still: in which nothing in the job moves, whatever it waits for; None: any time
            (a job's only).
    """

    timeout: float | None = None
    grace: float = GRACE
    drain: float = DRAIN
    linger: float = LINGER
    idle: float | None = None
    stall: float = STALL
    still: float | None = None
