"""Command: one program, what it is given, and what counts as success."""

from __future__ import annotations

from penstock.typed import NamedTuple


class Command(NamedTuple):
    """One program to run; a value, nothing is started by making it.

    Attributes:
        argv: what execve(2) is given, never split or joined again. A shell appears
            only as ``("/bin/sh", "-c", text)``. Undecodable bytes are surrogate
            escapes, as in `os.fsencode`.
        typed: the command as the user wrote it, for messages.
        env: names and values put over the inherited environment, in order.
        cwd: directory to run in; None for penstock's own.
        ok: exit codes that mean success.
        signal: the first one that it is sent when it is to end; SIGTERM.
        nice: added to its niceness (nice(2)); its tree inherits it.
        memory: bytes that it and all that it starts may hold at once; None: no limit.
        group: the process group to run in, of our own session; None for one of its own.
    """

    argv: tuple[str, ...]
    typed: str
    env: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None
    ok: tuple[int, ...] = (0,)
    signal: int = 15
    nice: int = 0
    memory: int | None = None
    group: int | None = None
