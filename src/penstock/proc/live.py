"""The runs that are alive on this machine, and how to end one from outside."""

from __future__ import annotations

import os
import select
from signal import SIGCONT, SIGTERM

from penstock.clock import LONGEST_WAIT, Clock
from penstock.model.outcome import Process
from penstock.proc.census import Seen, live_families, look
from penstock.proc.descendants import describe
from penstock.proc.marker import RunName
from penstock.proc.signals import signal_pinned
from penstock.typed import NamedTuple

_INSIST = 0.2  # seconds after which a further TERM is one more, and not the same


class LiveCommand(NamedTuple):
    """A command of a live run, or what is left of one: a child of a worker.

    Attributes:
        process: what it is.
        age: in seconds.
    """

    process: Process
    age: float


class LiveRun(NamedTuple):
    """A run whose user's process is alive.

    Attributes:
        name: of the run.
        process: the user's process: penstock, or a program that uses the library.
        age: in seconds.
        commands: what runs now, in the order of PIDs.
    """

    name: RunName
    process: Process
    age: float
    commands: tuple[LiveCommand, ...]


def live_runs() -> tuple[LiveRun, ...]:
    """Those of this user; all of them for root."""
    census = look()
    with open("/proc/uptime", "rb") as uptime:
        up = float(uptime.read().split()[0])
    tick = 1 / os.sysconf("SC_CLK_TCK")

    def command(seen: Seen) -> LiveCommand:
        return LiveCommand(describe(seen.pid), max(0.0, up - seen.started * tick))

    return tuple(
        LiveRun(
            family.run,
            describe(family.run.pid),
            max(0.0, up - family.run.started * tick),
            tuple(map(command, family.members)),
        )
        for family in live_families(census)
    )


def stop_run(run: RunName, timeout: float | None, clock: Clock, *, now: bool) -> bool:
    """Ask a run to end, and wait for that; whether it is gone.

    Args:
        run: which.
        timeout: seconds to wait; None for as long as it takes.
        clock: for the deadline.
        now: without the grace for its commands.
    """
    deadline = None if timeout is None else clock.now() + timeout
    try:
        pinned = os.pidfd_open(run.pid)
    except ProcessLookupError:
        return True
    try:
        if not run.is_alive():
            return True
        _ask(pinned)
        poll = select.poll()
        poll.register(pinned, select.POLLIN)
        while True:
            left = None if deadline is None else max(0.0, deadline - clock.now())
            patience = _patience(left, now=now)
            if poll.poll(patience):
                return True
            if left == 0.0:
                return False
            if now:
                _ask(pinned)  # the second one skips the grace
    finally:
        os.close(pinned)


def _ask(pinned: int) -> None:
    """Send TERM; a run that stands still keeps it pending until it goes on."""
    signal_pinned(pinned, SIGTERM)
    signal_pinned(pinned, SIGCONT)


def _patience(left: float | None, *, now: bool) -> float | None:
    """Milliseconds to wait in one go."""
    if now:
        left = _INSIST if left is None else min(left, _INSIST)
    return None if left is None else min(left, LONGEST_WAIT) * 1000
