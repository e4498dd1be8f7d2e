"""Starting one process, in the way that takes least: for recipes of make (`lean`).

posix_spawn(3) needs no import, and `subprocess` takes milliseconds of it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` takes 8 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

# Python ignores these two (signal(3) of its start-up); a command must not.
_PYTHON_IGNORES = (13, 25)  # SIGPIPE, SIGXFSZ


class Started:
    """A process that was started, as far as `Popen` would have to know.

    Attributes:
        pid: the process.
        status: its wait status (wait(2)); None while it runs.
        returncode: for whoever takes it for a `Popen`.
    """

    __slots__ = ("pid", "returncode", "status")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self.returncode: int | None = None


def start(
    program: str,
    argv: tuple[str, ...],
    streams: Sequence[int],
) -> Started:
    """Start a process, in a session of its own, by posix_spawn(3).

    It inherits every descriptor that is inheritable, and ignores signals 32 and 33 of
    glibc's own, as all that make and ninja start.

    Args:
        program: looked for in PATH if there is no slash in it.
        argv: its arguments, its name first.
        streams: what become its descriptors 0, 1 and so on: each the same, or above 2.

    Raises:
        OSError: it cannot be started.
        ValueError: there is a NUL in a text.
    """
    actions = [
        (os.POSIX_SPAWN_DUP2, descriptor, number)
        for number, descriptor in enumerate(streams)
        if descriptor != number
    ]
    pid = os.posix_spawnp(
        program,
        argv,
        os.environ,
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=_PYTHON_IGNORES,
    )
    return Started(pid)
