"""A PID namespace for a worker: when it dies, the kernel kills all that is in it.

That holds for whatever death, also of all of penstock in the same instant. The worker
is the first process of the namespace (pid_namespaces(7)), so it adopts every orphan,
as it does elsewhere as a subreaper. It sees a /proc of its own, since another one
would show it strangers under the numbers of its children.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from functools import partial

from penstock.proc.fork import fork_into
from penstock.proc.prctl import become_subreaper

_FINE = "."

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 0x2, 0x4, 0x8
_MS_REC, _MS_SLAVE = 0x4000, 0x80000


def fork_isolated(body: Callable[[], None]) -> int:
    """Run `body` as the first process of a new PID namespace; see `fork_into`.

    This process must be a child subreaper: one in between makes the namespace (who
    makes it is not in it, and can make only one), and ends.

    Returns:
        Its PID, as we see it; it is our child.

    Raises:
        OSError: the kernel does not let us, or no process can be had.
    """
    answer = _ask(partial(_make_namespace, body))
    if answer.isdecimal():
        return int(answer)
    number, _, why = answer.partition(" ")
    if why:
        raise OSError(int(number), why)
    raise OSError(errno.EPERM, "the process that makes it was killed")


def try_isolation() -> str | None:
    """Make a PID namespace, and end it; what is in the way, or None."""
    try:
        answer = _ask(_try)
    except OSError as error:
        return str(error.strerror)
    return None if answer == _FINE else answer or "the process that tries was killed"


def _ask(body: Callable[[int], None]) -> str:
    """What a new child writes to the descriptor that its `body` is given.

    Raises:
        OSError: no process can be had.
    """
    reader, writer = os.pipe()
    with open(reader, "rb") as told:

        def live() -> None:
            told.close()
            body(writer)

        try:
            child = fork_into(live)
        finally:
            os.close(writer)
        answer = told.read().decode()
    os.waitpid(child, 0)
    return answer


def _try(writer: int) -> None:
    """In a child, so that the one that asks need not be a subreaper."""
    try:
        become_subreaper()
        _, status = os.waitpid(fork_isolated(_check), 0)
        answer = _FINE if status == 0 else "there is no /proc of its own in it"
    except OSError as error:
        answer = str(error.strerror)
    os.write(writer, answer.encode())


def _check() -> None:
    """In a new namespace: whether it is one."""
    if os.readlink("/proc/self") != "1":
        raise SystemExit(1)


def _make_namespace(body: Callable[[], None], writer: int) -> None:
    """Be the process in between: tell the PID of the first one inside, or why not."""
    ready, go = os.pipe()

    def live() -> None:
        os.close(ready)
        try:
            _mount_proc()
        except OSError as error:
            _refuse(writer, error)
            return
        os.close(writer)
        os.write(go, b".")
        os.close(go)
        body()

    try:
        _unshare()
        pid = fork_into(live)
    except OSError as error:
        _refuse(writer, error)
        return
    os.close(go)
    if os.read(ready, 1):
        os.write(writer, str(pid).encode())
    else:
        os.waitpid(pid, 0)


def _refuse(writer: int, error: OSError) -> None:
    """Tell why there is no namespace, so that it can be raised where it is wanted."""
    os.write(writer, f"{error.errno} {error.strerror}".encode())


def _unshare() -> None:
    """Give the next child a PID namespace; who is not root needs one of users too."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWPID | _CLONE_NEWNS) == 0:
        return
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWNS) != 0:
        raise _last_error("unshare")
    # Everybody stays who he is (user_namespaces(7)).
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def _mount_proc() -> None:
    """Give this namespace a /proc of its own; mounts from outside still come in."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None) != 0:
        raise _last_error("mount /")
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    if libc.mount(b"proc", b"/proc", b"proc", flags, None) != 0:
        raise _last_error("mount /proc")


def _last_error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    # In the new namespace an interpreter below /root may be out of reach: no imports.
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode())
