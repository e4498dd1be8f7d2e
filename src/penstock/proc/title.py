"""The name of this process in ps(1), top(1) and pgrep(1)."""

from __future__ import annotations

import os


def show_as(name: str) -> None:
    """Be `name` there, rather than "python"; at most 15 bytes (proc_pid_comm(5))."""
    try:
        comm = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return  # without /proc, ps does not work either
    try:
        os.write(comm, name.encode())
    finally:
        os.close(comm)
