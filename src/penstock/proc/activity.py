"""What a process has done so far: numbers that change when it does anything."""

from __future__ import annotations

import os

from penstock.proc.descendants import stat_of
from penstock.typed import NamedTuple

_USER_TIME, _CHILD_TIME_END = 11, 15  # utime to cstime, of what `stat_of` gives
_BUSY = (b"R", b"D")  # proc_pid_stat(5)


class Activity(NamedTuple):
    """Of one process, and of the children that it has waited for.

    Attributes:
        ticks: CPU time in clock ticks, 10 ms; what takes less in all is no activity.
        n_bytes: given to write(2) and got by read(2) and their like; 0 where that may
            not be seen.
    """

    ticks: int
    n_bytes: int


def activity_of(pid: int) -> Activity:
    """What `pid` has done; nothing if it is gone."""
    _, fields = stat_of(pid)
    times = fields[_USER_TIME:_CHILD_TIME_END]
    return Activity(sum(map(int, times)), _bytes_of(pid))


def is_busy(pid: int) -> bool:
    """Whether a thread of `pid` runs, could run, or waits for a disk."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False
    return any(_state_of(f"/proc/{pid}/task/{task}/stat") in _BUSY for task in tasks)


def _state_of(path: str) -> bytes:
    try:
        with open(path, "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0]
    except OSError:
        return b"X"


def _bytes_of(pid: int) -> int:
    """The sum of `rchar` and `wchar` of /proc/PID/io (proc_pid_io(5))."""
    try:
        with open(f"/proc/{pid}/io", "rb") as counts:
            numbers = dict(line.split(b":") for line in counts)
    except OSError:
        return 0
    return int(numbers[b"rchar"]) + int(numbers[b"wchar"])
