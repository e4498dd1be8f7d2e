"""The name of a run, and the two marks by which what belongs to it is found.

Nothing is registered anywhere: a run is named by its user's process (PID, when that
was started, in which PID namespace, since which boot), so that whoever reads the name
can tell whether the run is alive. Every command has it in its environment, and passes
it on; the nursery and the workers, which are forked and so show the environment of
others in /proc, hold an empty anonymous file of that name.
"""

from __future__ import annotations

import os

from penstock.proc.descendants import is_zombie, start_time_of
from penstock.proc.name import (
    BOOT_DIGITS,
    VARIABLE,
    boot,
    facts_of,
    name_of,
    namespace,
    spell,
)
from penstock.typed import NamedTuple, Self

PREFIX = "penstock-"
"""How the names of a run's own files begin; the name of the run follows."""

_inherited: str | None = None


class RunName(NamedTuple):
    """What the name of a run tells.

    Attributes:
        pid: of the user's process.
        started: when that was started, in clock ticks since the boot (proc(5)); 0 if
            that cannot be known.
        namespace: the inode of the PID namespace in which `pid` is its number.
        boot: the first digits of the boot's id (random(4)).
    """

    pid: int
    started: int
    namespace: int
    boot: str

    def __str__(self) -> str:
        return spell(*self)

    @classmethod
    def of(cls, pid: int) -> Self:
        """The name of the run whose user's process is `pid`."""
        return cls(*facts_of(pid))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The name that `text` is; None if it is none."""
        words = text.split("-")
        if len(words) != len(cls._fields) or not text.isascii():
            return None
        try:
            numbers = int(words[0]), int(words[1]), int(words[2], 16)
        except ValueError:
            return None
        name = cls(*numbers, words[3])
        return name if str(name) == text and len(words[3]) == BOOT_DIGITS else None

    def is_known(self) -> bool:
        """Whether we can tell if the run is alive: it is of this boot and namespace."""
        ours = (namespace(), boot())
        return self.started > 0 and ours == (self.namespace, self.boot)

    def is_alive(self) -> bool:
        """Whether the user's process runs; only to be asked if the name `is_known`."""
        return start_time_of(self.pid) == self.started and not is_zombie(self.pid)


def run_marker() -> str:
    """The name of this run, the same in all of its processes.

    For the names of files: ``penstock-<this>-…`` is what `penstock reap` takes away
    when the run is dead.
    """
    return _inherited or name_of(os.getpid())


def mark_nursery(guardian: int) -> None:
    """Put the marks of the run on this process, and so on all that it will start.

    Args:
        guardian: pidfd of the user's process.
    """
    global _inherited  # noqa: PLW0603 (a fact about this process and its children)
    pid = _process_of(guardian)
    if pid <= 0:
        return  # it is gone, and we end at once
    _inherited = os.environ[VARIABLE] = name_of(pid)
    os.memfd_create(PREFIX + _inherited)  # for as long as we live


def _process_of(pidfd: int) -> int:
    """The PID that a pidfd stands for; -1 once that is reaped (pidfd_open(2))."""
    with open(f"/proc/self/fdinfo/{pidfd}", "rb") as info:
        for line in info:
            if line.startswith(b"Pid:"):
                return int(line[4:])
    return -1
