"""The name of a run, put together; `marker` reads it.

Apart, because a line of a Makefile pays for all that is imported before its recipe.
"""

from __future__ import annotations

import os

VARIABLE = "PENSTOCK_RUN"
BOOT_DIGITS = 8

_BOOT = "/proc/sys/kernel/random/boot_id"
_PID_NAMESPACE = "/proc/self/ns/pid"
_STARTED = 19  # of the fields of /proc/PID/stat that follow the name (proc(5))


def name_of(pid: int) -> str:
    """The name of the run whose user's process is `pid`; see `marker.RunName`."""
    return spell(*facts_of(pid))


def facts_of(pid: int) -> tuple[int, int, int, str]:
    """What is in that name, in order."""
    return pid, _start_time_of(pid), namespace(), boot()


def spell(pid: int, started: int, inode: int, boot_id: str) -> str:
    """The name that is made of these facts."""
    return f"{pid}-{started}-{inode:x}-{boot_id}"


def namespace() -> int:
    """The inode of our PID namespace; 0 if that cannot be known."""
    try:
        return os.stat(_PID_NAMESPACE).st_ino
    except OSError:
        return 0


def boot() -> str:
    """The first digits of the boot's id (random(4)); zeros if it cannot be known."""
    try:
        with open(_BOOT, "rb") as file:
            return file.read(BOOT_DIGITS).decode("ascii")
    except OSError:
        return "0" * BOOT_DIGITS


def is_own_proc() -> bool:
    """Whether /proc shows the processes of our PID namespace, by the same numbers."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def _start_time_of(pid: int) -> int:
    """When `pid` was started, in clock ticks since the boot; 0 if that is not known."""
    if not is_own_proc():
        return 0
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[_STARTED])
    except OSError:
        return 0
