"""Collecting the dead: the one place that waits for children.

A worker owns every wait of its process: each command and each orphan that it has
adopted is reaped here and nowhere else. (A wait elsewhere would make `Popen` report 0
for a command that failed.)
"""

from __future__ import annotations

import os
import resource
import select
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial

from penstock.clock import Clock
from penstock.model.outcome import Exited, Process, Signaled, Usage
from penstock.model.success import EXITED
from penstock.proc.descendants import children_of, descendants_of, describe, is_zombie
from penstock.proc.signals import SIGKILL, signal_tree

# Seconds of KILL, then survivors are reported: with all else, five after the grace.
SWEEP_BUDGET = 4.5

MOST_WATCHED = 16  # children by pidfd at once: there may be more than descriptors

_KIB = 1024
_ROUND = 0.05

_own_peak = 0
_killers: list[Callable[[], None]] = []


# Collect one dead child, without waiting. Returns its PID, its wait status and what it
# used, as wait4(2) tells them; the PID is 0 if all that are left live. Raises
# ChildProcessError where there is no child at all: everything below is gone.
reap = partial(os.wait4, -1, os.WNOHANG)


def stopped_children() -> Iterator[tuple[int, int]]:
    """The children stopped since this was asked last, each with its signal."""
    with suppress(ChildProcessError):
        while told := os.waitid(os.P_ALL, 0, os.WSTOPPED | os.WNOHANG):
            yield told.si_pid, told.si_status


def read_usage(used: resource.struct_rusage) -> Usage:
    """What wait4(2) says was used."""
    peak = used.ru_maxrss * _KIB
    return Usage(
        used.ru_utime,
        used.ru_stime,
        peak if _is_its_own(peak) else None,
        used.ru_nvcsw,
        used.ru_nivcsw,
    )


def _is_its_own(peak: int) -> bool:
    """Whether a peak of memory is larger than ours, which a child begins with.

    Ours only grows, so that it need be asked for only where it might matter.
    """
    global _own_peak  # noqa: PLW0603 (a fact about this process)
    if peak > _own_peak:
        _own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return peak > _own_peak


def read_status(status: int) -> Exited | Signaled:
    """What a wait status says (wait(2))."""
    if not status:
        return EXITED
    if os.WIFSIGNALED(status):
        return Signaled(os.WTERMSIG(status), os.WCOREDUMP(status))
    return Exited(os.WEXITSTATUS(status))


def wait_child(timeout: float, spare: Collection[int] = ()) -> None:
    """Return when one of the first direct children dies, or after `timeout` seconds."""
    pidfds: list[int] = []
    poll = select.poll()
    try:
        for pid in children_of(os.getpid()):
            if len(pidfds) == MOST_WATCHED:
                break
            if pid not in spare:
                with suppress(OSError):  # it is gone; or no descriptor is left
                    pidfds.append(os.pidfd_open(pid))
                    poll.register(pidfds[-1], select.POLLIN)
        poll.poll(max(0.0, timeout) * 1000)
    finally:
        for pidfd in pidfds:
            os.close(pidfd)


def sweep(
    *,
    collect: Callable[[], bool],
    budget: float,
    clock: Clock,
    spare: Callable[[], Collection[int]] = tuple,
) -> tuple[Process, ...]:
    """KILL everything below this process, again and again, until nothing is left.

    Args:
        collect: reaps what is dead; True once nothing (but `spare`) is left.
        budget: seconds after which to give up.
        clock: for the budget.
        spare: asked each time, after looking who is there: direct children to leave
            alone, with all that is below them.

    Returns:
        What is still alive: none, but where the kernel lets nobody kill it.
    """
    deadline = clock.now() + budget
    while not collect():
        if clock.now() >= deadline:
            return living(spare())
        for kill in _killers:
            with suppress(OSError):
                kill()
        signal_tree(SIGKILL, spare)
        wait_child(_ROUND, spare())
    return ()


def sweep_by(kill: Callable[[], None]) -> None:
    """Let `kill` help each sweep of this process: it ends all below at once.

    Only for a process that never sweeps with anything to spare.
    """
    _killers.append(kill)


def living(spare: Collection[int] = ()) -> tuple[Process, ...]:
    """Everything alive below this process, but `spare` and what is below that."""
    direct = [pid for pid in children_of(os.getpid()) if pid not in spare]
    everything = [*direct, *(pid for pid, _ in descendants_of(direct))]
    return tuple(describe(pid) for pid in everything if not is_zombie(pid))


def sweep_orphans(
    spare: Collection[int],
    *,
    budget: float,
    clock: Clock,
) -> tuple[Process, ...]:
    """End everything below this process but `spare`; see `sweep`.

    Only for a process that waits for none of its children elsewhere.
    """

    def collect() -> bool:
        try:
            while reap()[0]:
                continue
        except ChildProcessError:
            return True
        return set(children_of(os.getpid())) <= set(spare)

    return sweep(collect=collect, budget=budget, clock=clock, spare=lambda: spare)
