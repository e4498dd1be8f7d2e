"""One look at all processes of this machine: which belong to which run, and how.

A look is old the moment it is taken. Who acts on it pins each process by a pidfd
first, and asks again (`is_still`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress

from penstock.proc.cgroup import run_of_group
from penstock.proc.descendants import all_processes, has_ended, stat_of
from penstock.proc.marker import PREFIX, RunName
from penstock.proc.name import VARIABLE
from penstock.typed import NamedTuple

_GUARDS = (b"ps-nursery", b"ps-worker")
_TAG = f"/memfd:{PREFIX}"
_MARK = f"{VARIABLE}=".encode()


class Seen(NamedTuple):
    """A process at the time of the look.

    Attributes:
        pid: its number.
        parent: that of its parent.
        session: that of its session.
        started: in clock ticks since the boot; with `pid`, who it is for good.
        is_dead: and not reaped.
        run: the run that it is of, by its environment, as far as we may read that, or
            by its control group.
        guards: the run whose nursery or worker it is.
    """

    pid: int
    parent: int
    session: int
    started: int
    is_dead: bool
    run: RunName | None = None
    guards: RunName | None = None


class Family(NamedTuple):
    """A run, and who belongs to it.

    Attributes:
        run: its name.
        guards: its nursery and its workers.
        members: what its commands are, and have started.
    """

    run: RunName
    guards: tuple[Seen, ...]
    members: tuple[Seen, ...]


class Census(NamedTuple):
    """Everybody who is alive.

    Attributes:
        seen: by PID.
        dead: the runs that were found by their marks, and whose user's process is gone.
        live: those where it is there. In neither: those that we cannot judge.
    """

    seen: Mapping[int, Seen]
    dead: frozenset[RunName]
    live: frozenset[RunName]


def look() -> Census:
    """Look at everybody."""
    found = (look_at(pid) for pid in all_processes())
    seen = {each.pid: each for each in found if each and not each.is_dead}
    names = {n for each in seen.values() for n in (each.run, each.guards) if n}
    known = frozenset(name for name in names if name.is_known())
    live = frozenset(name for name in known if name.is_alive())
    return Census(seen, known - live, live)


def look_at(pid: int) -> Seen | None:
    """Process `pid`; None if it is gone."""
    name, fields = stat_of(pid)
    if not fields:
        return None
    return Seen(
        pid,
        int(fields[1]),
        int(fields[3]),
        int(fields[19]),
        has_ended(fields),
        _run_of(pid) or run_of_group(pid),
        _guarded_by(pid) if name in _GUARDS else None,
    )


def is_still(seen: Seen) -> bool:
    """Whether `seen.pid` still is who was seen; to be asked when a pidfd holds it."""
    now = look_at(seen.pid)
    if now is None or now.started != seen.started:
        return False
    return now.run in {seen.run, None} or seen.run is None


def dead_families(
    census: Census, spared: AbstractSet[int] = frozenset()
) -> list[Family]:
    """What dead runs have left, for each of them; pure.

    To a run belongs what carries its name, what is in a session with such a process
    (its commands are in sessions that it has made, which others cannot join; but not if
    that session is older: with --foreground it is that of the terminal), and what is
    below any of them: so also what has dropped its environment, while something leads
    to it.
    Not what is below a run that is alive, or is of one that we cannot judge.

    Args:
        census: everybody.
        spared: PIDs that shall not be named.
    """
    taken = _living(census) | spared
    families = []
    for name in sorted(census.dead):
        guards = {p for p, each in census.seen.items() if each.guards == name} - taken
        members = _members(census.seen, name, guards, taken | guards)
        taken |= guards | members
        if guards or members:
            families.append(_family(name, census.seen, guards, members))
    return families


def live_families(census: Census) -> list[Family]:
    """The runs that are alive, with the commands that they have started; pure."""
    families = []
    for name in sorted(census.live):
        guards = {pid for pid, each in census.seen.items() if each.guards == name}
        below = {pid for pid, each in census.seen.items() if each.parent in guards}
        if guards:
            families.append(_family(name, census.seen, guards, below - guards))
    return families


def _members(
    seen: Mapping[int, Seen], name: RunName, guards: set[int], taken: AbstractSet[int]
) -> set[int]:
    """Who belongs to `name`, of those that are not taken; see `dead_families`."""
    open_to_us = {
        pid
        for pid, each in seen.items()
        if pid not in taken and each.run in {None, name} and each.guards is None
    }
    found: set[int] = set()
    near = {p for p in open_to_us if seen[p].run or seen[p].parent in guards}
    while near:
        found |= near
        sessions = {seen[pid].session for pid in found} - {0}  # 0: one we do not see
        sessions = {s for s in sessions if s not in seen or _is_later(seen[s], name)}
        near = {
            pid
            for pid in open_to_us - found
            if seen[pid].session in sessions or seen[pid].parent in found
        }
    return found


def _is_later(leader: Seen, name: RunName) -> bool:
    """Whether a session can have been made in a run, by when its leader started."""
    return leader.started >= name.started


def _living(census: Census) -> set[int]:
    """Everybody of a run that is alive: its user's process, and all below that."""
    roots = {name.pid for name in census.live}
    for pid, each in census.seen.items():
        if each.run in census.live or each.guards in census.live:
            roots.add(pid)
    return _below(census.seen, roots)


def _below(seen: Mapping[int, Seen], roots: Iterable[int]) -> set[int]:
    """`roots`, and all that is below them."""
    children: dict[int, list[int]] = {}
    for each in seen.values():
        children.setdefault(each.parent, []).append(each.pid)
    found: set[int] = set()
    queue = list(roots)
    while queue:
        pid = queue.pop()
        if pid not in found:
            found.add(pid)
            queue.extend(children.get(pid, ()))
    return found


def _family(
    name: RunName, seen: Mapping[int, Seen], guards: set[int], members: set[int]
) -> Family:
    return Family(
        name,
        tuple(seen[pid] for pid in sorted(guards)),
        tuple(seen[pid] for pid in sorted(members)),
    )


def ancestors_of(pid: int) -> set[int]:
    """`pid` and those above it."""
    found: set[int] = set()
    while pid > 0 and pid not in found:
        found.add(pid)
        fields = stat_of(pid)[1]
        pid = int(fields[1]) if fields else 0
    return found


def _run_of(pid: int) -> RunName | None:
    """The run that `pid` was started in, by its environment."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            words = environ.read().split(b"\0")
    except OSError:  # it is gone, or not ours to look at
        return None
    for word in words:
        if word.startswith(_MARK):
            return RunName.read(os.fsdecode(word[len(_MARK) :]))
    return None


def _guarded_by(pid: int) -> RunName | None:
    """The run that `pid` is the nursery or a worker of, by the file that it holds."""
    with suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{number}")
                if target.startswith(_TAG):
                    return RunName.read(target.removeprefix(_TAG).partition(" ")[0])
    return None
