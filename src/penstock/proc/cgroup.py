"""A control group (version 2) for a worker and what it starts, where we may have one.

A process is born in the group of its parent, and stays whatever it does to hide, so
all of it is killed by one write, however fast it forks (cgroups(7)).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from penstock.proc.marker import PREFIX, RunName, run_marker
from penstock.typed import Self

_HERE = b"0"  # the process that writes


class Leaf:
    """A control group of our own, below the one that we are in.

    Attributes:
        path: its directory.
    """

    def __init__(self, home: str, path: str) -> None:
        self.path = path
        self._home = home

    @classmethod
    def make(cls) -> Self:
        """A new one, named by the run; its maker stays outside.

        Raises:
            OSError: there is no such hierarchy, or it is not ours to change.
        """
        home = own_group()
        if home is None:
            raise OSError("no control groups of version 2 are mounted")
        path = f"{home}/{PREFIX}{run_marker()}-{os.urandom(4).hex()}"
        os.mkdir(path)
        if not os.path.exists(f"{path}/cgroup.kill"):
            os.rmdir(path)
            raise OSError("there is no cgroup.kill before Linux 5.14")
        return cls(home, path)

    def enter(self) -> None:
        """Go in, to be the parent of all that is born there.

        Raises:
            OSError: we may not.
        """
        _write(f"{self.path}/cgroup.procs", _HERE)

    def leave(self) -> None:
        """Go home."""
        _write(f"{self._home}/cgroup.procs", _HERE)

    def kill_others(self) -> None:
        """Send KILL to all that is in it but us, who are in it; forks in flight too."""
        self.leave()
        try:
            self.kill()
        finally:
            self.enter()

    def kill(self) -> None:
        """Send KILL to all that is in it and below."""
        with suppress(FileNotFoundError):
            _write(f"{self.path}/cgroup.kill", b"1")

    def remove(self) -> bool:
        """Remove it with what was made in it; False if somebody is still there."""
        return remove_group(self.path)


def try_leaf() -> str | None:
    """Make a leaf, and remove it; what is in the way, or None."""
    try:
        leaf = Leaf.make()
    except OSError as error:
        return str(error.strerror or error)
    try:
        leaf.kill_others()
        leaf.leave()
    except OSError as error:
        return str(error.strerror or error)
    finally:
        leaf.remove()
    return None


def run_of_group(pid: int) -> RunName | None:
    """The run in whose leaf `pid` is; None if it is in none."""
    with suppress(OSError), open(f"/proc/{pid}/cgroup", "rb") as groups:
        for line in groups:
            if line.startswith(b"0::"):
                for part in os.fsdecode(line[3:].strip()).split("/"):
                    run = run_of_name(part)
                    if run is not None:
                        return run
    return None


def run_of_name(name: str) -> RunName | None:
    """The run whose private file, or leaf, is called `name`."""
    if not name.startswith(PREFIX):
        return None
    words = name.removeprefix(PREFIX).split("-")
    return RunName.read("-".join(words[: len(RunName._fields)]))


def all_leaves() -> Iterator[tuple[RunName, str]]:
    """The leaves of all runs that can be seen, each with its path."""
    mount = None
    with suppress(OSError):
        mount = _mount()
    if mount is not None:
        for directory, names, _ in os.walk(mount[1]):
            for name in names:
                run = run_of_name(name)
                if run is not None:
                    yield run, os.path.join(directory, name)


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


def remove_group(path: str) -> bool:
    """Remove the group at `path` and those below it; whether it is gone."""
    for directory, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(directory)
    return not os.path.exists(path)


def _write(path: str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:
        file.write(data)


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
