"""Ending what dead runs have left; never anybody else.

A process is pinned by a pidfd, then looked at again, then signalled by that pidfd: a
number that has passed to a stranger in between cannot be hit.
"""

from __future__ import annotations

import os
import select
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGTERM

from penstock.clock import LONGEST_WAIT, Clock
from penstock.model.outcome import Process
from penstock.proc.census import (
    Family,
    Seen,
    ancestors_of,
    dead_families,
    is_still,
    look,
)
from penstock.proc.cgroup import all_leaves, remove_group, run_of_name
from penstock.proc.descendants import describe
from penstock.proc.marker import RunName
from penstock.proc.reaper import SWEEP_BUDGET
from penstock.proc.signals import signal_pinned
from penstock.typed import Literal, NamedTuple

_ROUND = 0.1  # seconds

Fate = Literal["left", "ended", "killed", "removed", "survived"]


class Leftover(NamedTuple):
    """Something that a dead run had left.

    Attributes:
        run: its name.
        process: what it was; None for a directory.
        path: of the directory; None for a process.
        fate: what became of it; "left" if nothing was to be done.
    """

    run: str
    process: Process | None
    path: str | None
    fate: Fate


def find_leftovers() -> tuple[Leftover, ...]:
    """What there is now; nothing is touched."""
    processes = [
        Leftover(str(family.run), describe(each.pid), None, "left")
        for family in _families()
        for each in (*family.guards, *family.members)
    ]
    directories = (*_directories(), *_leaves())
    paths = [Leftover(run, None, path, "left") for run, path in directories]
    return (*processes, *paths)


def end_leftovers(grace: float, clock: Clock) -> tuple[Leftover, ...]:
    """End all processes of dead runs, then remove their directories.

    Args:
        grace: seconds from TERM to KILL.
        clock: for the deadlines.

    Returns:
        What was found, and what became of it.
    """
    ending = _Ending(clock)
    ending.let_guards_work()
    ending.end(SIGTERM, grace)
    ending.end(SIGKILL, SWEEP_BUDGET)
    paths = [_remove(run, path, shutil.rmtree) for run, path in _directories()]
    paths += [_remove(run, path, remove_group) for run, path in _leaves()]
    return (*ending.leftovers(), *paths)


class _Ending:
    """The processes found so far, over all looks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: dict[tuple[int, int], tuple[RunName, Process]] = {}
        self._killed: set[tuple[int, int]] = set()
        self._left: set[tuple[int, int]] = set()

    def let_guards_work(self) -> None:
        """Wake nurseries and workers that were stopped: they see that they may end."""
        guards = self._look(guards_only=True)
        self._signal(guards, SIGCONT)
        self._wait(guards, SWEEP_BUDGET)

    def end(self, number: int, budget: float) -> None:
        """Signal all that is left, and what it starts meanwhile, until none is left."""
        deadline = self._clock.now() + budget
        told: set[tuple[int, int]] = set()
        while seen := self._look() or self._look():  # who is in execve(2) has no name
            news = [s for s in seen if number == SIGKILL or _key(s) not in told]
            told.update(map(_key, news))
            self._signal(news, number)
            if number == SIGKILL:
                self._killed.update(map(_key, news))
            else:
                self._signal(news, SIGCONT)  # a stopped one keeps TERM pending
            left = deadline - self._clock.now()
            if left <= 0:
                break
            self._wait(seen, min(left, _ROUND))
        self._left = set(map(_key, seen))

    def leftovers(self) -> list[Leftover]:
        """What was found, and what became of it."""
        return [
            Leftover(str(run), process, None, self._fate(key))
            for key, (run, process) in self._found.items()
        ]

    def _fate(self, key: tuple[int, int]) -> Fate:
        if key in self._left:
            return "survived"
        return "killed" if key in self._killed else "ended"

    def _look(self, *, guards_only: bool = False) -> list[Seen]:
        """Who is left, and what it is."""
        left = []
        for family in _families():
            for each in (
                family.guards if guards_only else family.guards + family.members
            ):
                left.append(each)
                if _key(each) not in self._found:
                    self._found[_key(each)] = family.run, describe(each.pid)
        return left

    def _signal(self, processes: Iterable[Seen], number: int) -> None:
        for each in processes:
            with suppress(OSError):  # it is gone, or no descriptor is left
                pinned = os.pidfd_open(each.pid)
                try:
                    if is_still(each):
                        signal_pinned(pinned, number)
                finally:
                    os.close(pinned)

    def _wait(self, processes: Sequence[Seen], seconds: float) -> None:
        """Wait until all of them are dead, for as long as that."""
        deadline = self._clock.now() + seconds
        for each in processes:
            with suppress(OSError):
                pinned = os.pidfd_open(each.pid)
                try:
                    if is_still(each):
                        _wait_for(pinned, deadline - self._clock.now())
                finally:
                    os.close(pinned)


def _wait_for(pidfd: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.poll(min(max(0.0, seconds), LONGEST_WAIT) * 1000)


def _key(each: Seen) -> tuple[int, int]:
    """Who it is, for good."""
    return each.pid, each.started


def _families() -> list[Family]:
    return dead_families(look(), ancestors_of(os.getpid()))


def _directories() -> list[tuple[str, str]]:
    """The private directories of dead runs, each with its run."""
    found = []
    places = {tempfile.gettempdir(), "/tmp"}  # noqa: S108 (looked at only)
    for place in sorted(map(os.path.realpath, places)):
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                run = run_of_name(entry.name)
                if _is_dead(run) and _is_ours(entry):
                    found.append((str(run), entry.path))
    return sorted(found)


def _is_dead(run: RunName | None) -> bool:
    """Whether a run is known to be dead."""
    return run is not None and run.is_known() and not run.is_alive()


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """A directory, no link to one, and of ours; all are root's to clean up."""
    with suppress(OSError):
        owner = entry.stat(follow_symlinks=False).st_uid
        return entry.is_dir(follow_symlinks=False) and os.geteuid() in (0, owner)
    return False


def _leaves() -> list[tuple[str, str]]:
    """The control groups of dead runs, each with its run."""
    return sorted((str(run), path) for run, path in all_leaves() if _is_dead(run))


def _remove(run: str, path: str, remove: Callable[[str], object]) -> Leftover:
    """Remove a directory with all that is in it; neither way follows a link."""
    with suppress(OSError):
        remove(path)
    return Leftover(run, None, path, "survived" if os.path.lexists(path) else "removed")
