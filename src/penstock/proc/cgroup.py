"""A control group (version 2) for what a worker starts, where the kernel lets us.

A command is started in a leaf by going there, starting it, and going home: a process is
born in the group of its parent, and only a process with one thread may go alone
(cgroups(7)). What is in the leaf is killed by one write, however fast it forks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from penstock.proc.marker import PREFIX, run_marker

_HERE = b"0"  # the process that writes (cgroups(7))


class Leaf:
    """A control group of our own, below the one that we are in.

    Attributes:
        path: its directory.
    """

    def __init__(self, home: str, path: str) -> None:
        self.path = path
        self._home = os.open(f"{home}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._leaf = os.open(f"{path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._home)
            raise

    @classmethod
    def make(cls) -> Self:
        """A new one, named by the run.

        Raises:
            OSError: there is no such hierarchy, or it is not ours to change.
        """
        home = own_group()
        if home is None:
            raise FileNotFoundError("no control groups of version 2 are mounted")
        path = f"{home}/{PREFIX}{run_marker()}-{os.urandom(4).hex()}"
        os.mkdir(path)
        try:
            if not os.path.exists(f"{path}/cgroup.kill"):
                raise FileNotFoundError("cgroup.kill needs Linux 5.14")
            return cls(home, path)
        except OSError:
            os.rmdir(path)
            raise

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Go in, so that what is started meanwhile is born there; and home again."""
        os.write(self._leaf, _HERE)
        try:
            yield
        finally:
            os.write(self._home, _HERE)

    def kill(self) -> None:
        """Send KILL to all that is in it and below, forks in flight too."""
        kill_all_of(self.path)

    def close(self) -> None:
        """Remove it with what was made in it; it stays if somebody is still there."""
        os.close(self._leaf)
        os.close(self._home)
        remove(self.path)


def own_group() -> str | None:
    """The directory of the group that this process is in; None if that is not seen."""
    with suppress(OSError):
        with open("/proc/self/cgroup", encoding="ascii", errors="replace") as groups:
            lines = groups.read().splitlines()
        path = next((line[3:] for line in lines if line.startswith("0::")), None)
        mount = _mount()
        if path is not None and mount is not None:
            root, point = mount
            inside = os.path.relpath(path, root)
            if not inside.startswith(".."):
                return os.path.normpath(f"{point}/{inside}")
    return None


def controllers_of(directory: str) -> tuple[str, ...]:
    """The controllers that groups made in `directory` have."""
    with suppress(OSError):
        file = f"{directory}/cgroup.subtree_control"
        with open(file, encoding="ascii") as control:
            return tuple(control.read().split())
    return ()


def remove(path: str) -> bool:
    """Remove the group at `path` and those below it; whether it is gone."""
    for directory, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(directory)
    return not os.path.exists(path)


def kill_all_of(path: str) -> None:
    """Send KILL to all that is in the group at `path`, and below."""
    with suppress(OSError), open(f"{path}/cgroup.kill", "wb", buffering=0) as kill:
        kill.write(b"1")


def _mount() -> tuple[str, str] | None:
    """What is mounted of the hierarchy, and where (proc_pid_mountinfo(5))."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            fields = line.split()
            kind = fields[fields.index("-") + 1]
            if kind == "cgroup2":
                return fields[3], _plain(fields[4])
    return None


def _plain(text: str) -> str:
    r"""A path of mountinfo, in which a space is ``\040``."""
    return text.encode("latin-1", "replace").decode("unicode_escape")
