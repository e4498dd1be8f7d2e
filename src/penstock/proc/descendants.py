"""Who lives below this process, as /proc tells it.

A list of processes is old the moment it is read: it serves to signal (again and again,
until wait(2) says that none is left) and to name, never to conclude that all are gone.
"""

from __future__ import annotations

import os

from penstock.model.outcome import Process

_COMMAND_SHOWN = 200
_DEAD = (b"Z", b"X")
_THREADS = 17  # of what `stat_of` gives: num_threads (proc_pid_stat(5))


def children_of(pid: int) -> list[int]:
    """PIDs of the direct children of `pid`, zombies too; empty if it is gone.

    From /proc/PID/task/TID/children (proc_pid_tid_children(5), Linux 3.5 with
    CONFIG_PROC_CHILDREN); without that, from the parent field of every process.
    """
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found: list[int] = []
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", "rb") as children:
                found.extend(map(int, children.read().split()))
        except FileNotFoundError:
            if not os.path.exists("/proc/thread-self/children"):
                return [p for p in all_processes() if parent_of(p) == pid]
        except ProcessLookupError:
            continue
    return found


def descendants_of(pids: list[int]) -> list[tuple[int, int]]:
    """Everything below `pids`, each with its parent, parents first."""
    found = []
    queue = list(pids)
    for parent in queue:
        for child in children_of(parent):
            found.append((child, parent))
            queue.append(child)
    return found


def parent_of(pid: int) -> int | None:
    """Parent of `pid`; None if it is gone."""
    _, fields = stat_of(pid)
    return int(fields[1]) if fields else None


def start_time_of(pid: int) -> int | None:
    """When `pid` was started, in clock ticks since the boot; None if it is gone."""
    _, fields = stat_of(pid)
    return int(fields[19]) if fields else None


def is_zombie(pid: int) -> bool:
    """Whether `pid` is dead but not reaped, or altogether gone."""
    _, fields = stat_of(pid)
    return not fields or has_ended(fields)


def has_ended(fields: list[bytes]) -> bool:
    """Whether a process is dead, by what `stat_of` says of it.

    Z is the state of its first thread, which may be gone while others go on.
    """
    return fields[0] in _DEAD and int(fields[_THREADS]) <= 1


def describe(pid: int) -> Process:
    """`pid` with its command line; with its short name where that is empty."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
            words = cmdline.read(4096).rstrip(b"\0").replace(b"\0", b" ")
        if not words:
            with open(f"/proc/{pid}/comm", "rb") as comm:
                words = b"[" + comm.read().rstrip() + b"]"
    except OSError:
        words = b"?"
    return Process(pid, os.fsdecode(words)[:_COMMAND_SHOWN])


def stat_of(pid: int) -> tuple[bytes, list[bytes]]:
    """Name of `pid`, and the fields of /proc/PID/stat from the third (state) on.

    The name may hold anything, ") Z (" too: the last parenthesis ends it. Empty if the
    process is gone.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            head, _, rest = stat.read().rpartition(b")")
    except OSError:
        return b"", []
    return head.partition(b"(")[2], rest.split()


def all_processes() -> list[int]:
    """PIDs of all that /proc shows."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
