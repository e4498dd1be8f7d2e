"""Kernel pipes between commands."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

PIPE_BYTES = 1 << 20  # the unprivileged maximum: /proc/sys/fs/pipe-max-size


def open_pipe() -> tuple[int, int]:
    """A pipe (reader, writer) of 1 MiB where the system allows that.

    A larger pipe means fewer switches between writer and reader. Beyond
    pipe-user-pages-soft (pipe(7)) the request is refused and the default size serves.
    """
    reader, writer = os.pipe()
    enlarge(writer)
    return reader, writer


def enlarge(pipe: int) -> None:
    """Give a pipe, by either end, 1 MiB where the system allows that."""
    with suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
