"""prctl(2): what the standard library has no call for."""

from __future__ import annotations

import ctypes
import os

_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36  # since Linux 3.4


def become_subreaper() -> None:
    """Adopt every descendant whose parent dies, instead of init.

    Kept over execve(2), not inherited by fork(2).

    Raises:
        OSError: the kernel is older than 3.4.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_title(title: str) -> None:
    """Show `title` in ps(1) and to pkill(1), by name and by command line.

    The kernel reads the command line from this process' own memory, between arg_start
    and arg_end (fields 48 and 49 of proc_pid_stat(5)), so it is overwritten there.
    """
    name = os.fsencode(title)
    _prctl(_PR_SET_NAME, ctypes.c_char_p(name[:15]))
    with open("/proc/self/stat", "rb") as stat:
        fields = stat.read().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # 48 and 49; pid and comm are cut off
    if 0 < start < end:
        room = end - start
        ctypes.memmove(start, name[: room - 1].ljust(room, b"\0"), room)


def _prctl(option: int, argument: int | ctypes.c_char_p) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")
