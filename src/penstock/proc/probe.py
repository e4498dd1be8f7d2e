"""What this machine can do: each thing is tried, and nothing is believed.

What is made for a trial is gone when the trial is over.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, fcntl

from penstock.proc.cgroup import own_group, try_leaf
from penstock.proc.fork import fork_into
from penstock.proc.isolate import try_isolation
from penstock.proc.name import is_own_proc
from penstock.proc.prctl import become_subreaper
from penstock.typed import NamedTuple

_MEBI = 1 << 20
_ENOUGH_DESCRIPTORS = 256
_ENOUGH_PROCESSES = 512
_UNLIMITED = "unlimited"


class Probe(NamedTuple):
    """What came of a trial.

    Attributes:
        layer: its name, as in `report.doctor`.
        ok: whether it is to be had.
        detail: what was seen, in words.
    """

    layer: str
    ok: bool
    detail: str


def probe_all() -> tuple[Probe, ...]:
    """Try everything."""
    return tuple(_try(layer, trial) for layer, trial in _TRIALS.items())


def _try(layer: str, trial: Callable[[], str]) -> Probe:
    """A trial that raises OSError has failed."""
    try:
        return Probe(layer, ok=True, detail=trial())
    except OSError as error:
        return Probe(layer, ok=False, detail=str(error.strerror or error))


def _proc() -> str:
    if not is_own_proc():
        raise OSError("/proc is not mounted, or is that of another PID namespace")
    return "it shows this PID namespace"


def _children() -> str:
    pid = fork_into(lambda: None)
    try:
        with open("/proc/thread-self/children", "rb") as children:
            if str(pid).encode() not in children.read().split():
                raise OSError("/proc/PID/task/TID/children does not show a child")
    finally:
        os.waitpid(pid, 0)
    return "/proc/PID/task/TID/children"


def _visible() -> str:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[4] == "/proc" and "hidepid=" in line and "hidepid=0" not in line:
                raise OSError("/proc is mounted with hidepid")
    return "no hidepid"


def _pidfd() -> str:
    pid = fork_into(signal.pause)
    pidfd = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(5000):
            raise OSError("the death of a process does not show")
    finally:
        os.close(pidfd)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return "opened, signalled, waited for"


def _subreaper() -> str:
    """An orphan comes to us; tried in a child, which is left as it was."""
    reader, writer = os.pipe()

    def leave_orphan() -> None:
        fork_into(lambda: None)

    def adopt() -> None:
        become_subreaper()
        os.waitpid(fork_into(leave_orphan), 0)
        with suppress(ChildProcessError):
            os.wait()
            os.write(writer, b".")

    pid = fork_into(adopt)
    os.close(writer)
    with open(reader, "rb") as told:
        adopted = told.read()
    os.waitpid(pid, 0)
    if not adopted:
        raise OSError("an orphan did not come to its subreaper")
    return "an orphan came to it"


def _sockets() -> str:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        socket.send_fds(ours, [b"."], [0])
        _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
    for descriptor in descriptors:
        os.close(descriptor)
    return "packets, with descriptors"


def _memfd() -> str:
    os.close(os.memfd_create("penstock"))
    return "memfd_create(2)"


def _shell() -> str:
    if not os.access("/bin/sh", os.X_OK):
        raise OSError("/bin/sh cannot be executed")
    return os.path.realpath("/bin/sh")


def _pid_namespace() -> str:
    failure = try_isolation()
    if failure:
        raise OSError(failure)
    where = "" if os.geteuid() == 0 else ", in a user namespace"
    return f"one was made{where}: --isolate pidns"


def _cgroup() -> str:
    failure = try_leaf()
    if failure:
        raise OSError(failure)
    return f"one was made below {own_group()}: --isolate cgroup"


def _temporary() -> str:
    with tempfile.TemporaryDirectory(prefix="penstock-doctor-") as directory:
        os.mkfifo(os.path.join(directory, "fifo"))
    return tempfile.gettempdir()


def _descriptors() -> str:
    return _limit(resource.RLIMIT_NOFILE, _ENOUGH_DESCRIPTORS, "ulimit -n")


def _processes() -> str:
    return _limit(resource.RLIMIT_NPROC, _ENOUGH_PROCESSES, "ulimit -u")


def _limit(which: int, enough: int, name: str) -> str:
    soft, hard = resource.getrlimit(which)
    text = f"{name} is {_amount(soft)}, at most {_amount(hard)}"
    if soft != resource.RLIM_INFINITY and soft < enough:
        raise OSError(text)
    return text


def _amount(limit: int) -> str:
    return _UNLIMITED if limit == resource.RLIM_INFINITY else str(limit)


def _pipes() -> str:
    reader, writer = os.pipe()
    try:
        normal = fcntl(reader, F_GETPIPE_SZ)
        largest = int(_setting("/proc/sys/fs/pipe-max-size"))
        fcntl(reader, F_SETPIPE_SZ, min(largest, _MEBI))
        soft = _setting("/proc/sys/fs/pipe-user-pages-soft")
    finally:
        os.close(reader)
        os.close(writer)
    return f"{normal} bytes, at most {largest}; all of a user's: {soft} pages"


def _splice() -> str:
    """splice(2), and tee(2), which Python has no call for."""
    first, second = os.pipe(), os.pipe()
    try:
        os.write(first[1], b"..")
        if ctypes.CDLL(None, use_errno=True).tee(first[0], second[1], 1, 0) != 1:
            number = ctypes.get_errno()
            raise OSError(number, f"tee: {os.strerror(number)}")
        os.splice(first[0], second[1], 1)
    finally:
        for descriptor in (*first, *second):
            os.close(descriptor)
    return "splice(2), tee(2)"


def _setting(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def _terminal() -> str:
    names = ("standard input", "standard output", "standard error")
    found = [name for number, name in enumerate(names) if os.isatty(number)]
    return ", ".join(found) or "none"


def _python() -> str:
    return f"{sys.version.partition(' ')[0]} at {sys.executable or '?'}"


_TRIALS: dict[str, Callable[[], str]] = {
    "python": _python,
    "proc": _proc,
    "pidfd": _pidfd,
    "subreaper": _subreaper,
    "sockets": _sockets,
    "memfd": _memfd,
    "children": _children,
    "visible": _visible,
    "shell": _shell,
    "temporary": _temporary,
    "pidns": _pid_namespace,
    "cgroup": _cgroup,
    "descriptors": _descriptors,
    "processes": _processes,
    "pipes": _pipes,
    "splice": _splice,
    "terminal": _terminal,
}
