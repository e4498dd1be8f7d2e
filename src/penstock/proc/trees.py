"""Which process belongs to which command of a job, as far as /proc can tell."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from penstock.proc.descendants import children_of, descendants_of
from penstock.proc.launch import Running

NOBODY = -1


def trees_of(
    running: Sequence[Running], relaying: Collection[int], before: Mapping[int, int]
) -> dict[int, int]:
    """Every process of the commands, with the position of the stage that started it.

    An orphan has no parent to tell whose it is; then it is that of its session, or it
    was seen under its parent before. A daemon that was quicker than both is `NOBODY`'s,
    unless the job has only one stage.

    Args:
        running: the stages that were started.
        relaying: the processes of relays: they are ours, and no command's.
        before: what this said the last time.
    """
    leaders = {each.process.pid: each.position for each in running}
    known = {**before, **leaders}
    found: dict[int, int] = {}
    for pid in children_of(os.getpid()):
        if pid in relaying:
            continue
        found[pid] = _owner(pid, known, leaders, alone=len(running) == 1)
    for pid, parent in descendants_of(list(found)):
        found[pid] = found.get(parent, NOBODY)
    return found


def _owner(
    pid: int, known: Mapping[int, int], leaders: Mapping[int, int], *, alone: bool
) -> int:
    """The stage that a direct child of ours belongs to."""
    if pid in known:
        return known[pid]
    if alone:
        return next(iter(leaders.values()))
    try:
        return leaders.get(os.getsid(pid), NOBODY)
    except ProcessLookupError:
        return NOBODY
