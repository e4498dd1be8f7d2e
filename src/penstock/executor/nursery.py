"""The nursery, as seen from the user's process: who starts it, asks it, and ends it.

The nursery forks the workers, because it is small and has one thread, whereas the
user's process may be large and have many. The command line forks it before it imports
more than both of them need (which takes one processor as long as two would take to
import it twice); a program that uses the library starts it by exec, as a fresh
interpreter.
"""

from __future__ import annotations

import _socket
import os
import select
from contextlib import suppress

from penstock.errors import NurseryLost, PenstockError
from penstock.executor.packet import send_with
from penstock.proc.fork import fork_into
from penstock.proc.signals import SIGCONT, signal_pinned
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.make.jobserver import Jobserver

_WORKER = b"w"
_QUIT = b"q"
_ISOLATE = b"i"
_ISOLATED = b"isolated"
_REASON_BYTES = 4096
_FAREWELL = 20.0  # seconds: a worker's sweep, and two of the nursery's


class Nursery:
    """Our end of the nursery.

    Attributes:
        pid: the process.
        pidfd: readable once it is dead.
        jobserver: whose tokens the nursery puts back if we are killed.
        peers: of each channel to a worker, by descriptor, the inode of the other end,
            by which the worker can be found in /proc.
    """

    def __init__(
        self,
        pid: int,
        control: _socket.socket,
        first_worker: _socket.socket | None = None,
        jobserver: Jobserver | None = None,
        first_peer: int = 0,
    ) -> None:
        self.pid = pid
        self.peers: dict[int, int] = {}
        self._first_peer = first_peer
        self.jobserver = jobserver
        self.pidfd = os.pidfd_open(pid)
        self._control = control
        self._first_worker = first_worker
        self._is_open = True

    def new_worker(self) -> _socket.socket:
        """A channel to a new worker, which may be written to at once.

        Raises:
            NurseryLost: the nursery is gone.
            OSError: there is no descriptor left for it.
        """
        if self._first_worker is not None:
            first, self._first_worker = self._first_worker, None
            self.peers[first.fileno()] = self._first_peer
            return first
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        self.peers[ours.fileno()] = os.fstat(theirs.fileno()).st_ino
        try:
            send_with(self._control, _WORKER, [theirs.fileno()])
        except OSError as error:
            ours.close()
            if isinstance(error, ConnectionError):
                raise NurseryLost(f"the nursery (PID {self.pid}) is gone") from error
            raise
        finally:
            theirs.close()
        return ours

    def isolate(self, layer: str) -> None:
        """Let every worker from now on live behind another wall.

        Args:
            layer: "pidns" for a PID namespace, "cgroup" for a control group.

        Raises:
            PenstockError: there is none to be had here.
            NurseryLost: the nursery is gone.
        """
        if self._first_worker is not None:  # it ends, since nobody talks to it
            self._first_worker.close()
            self._first_worker = None
        try:
            self._control.send(_ISOLATE + layer.encode())
            answer = self._control.recv(_REASON_BYTES) if self._answers() else b""
        except ConnectionError:
            answer = b""
        if not answer:
            raise NurseryLost(f"the nursery (PID {self.pid}) is gone")
        if answer != _ISOLATED:
            raise PenstockError(
                f"--isolate {layer} is not to be had here: "
                f"{answer.decode(errors='replace')}; see `penstock doctor`"
            )

    def close(self) -> bool:
        """End the nursery and all below it; whether it said that nothing is left.

        To be called when every worker has been told to end, or it waits for them.
        """
        if not self._is_open:
            return True
        self._is_open = False
        self._let_go_on()
        with suppress(OSError):  # it is gone already
            self._control.send(_QUIT)
        self._control.close()
        if self._first_worker is not None:
            self._first_worker.close()
        return self._wait()

    def _let_go_on(self) -> None:
        """Let it go on if somebody has stopped it: it could not end."""
        signal_pinned(self.pidfd, SIGCONT)

    def _answers(self) -> bool:
        """Whether the nursery says something, or is gone, in a reasonable time."""
        poll = select.poll()
        poll.register(self._control.fileno(), select.POLLIN)
        return bool(poll.poll(_FAREWELL * 1000))

    def _wait(self) -> bool:
        """Wait for the process, and reap it: by its PID, never -1."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        gone = poll.poll(_FAREWELL * 1000)
        os.close(self.pidfd)
        if not gone:
            return False
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:  # the host ignores SIGCHLD: nobody knows
            return True
        return status == 0


def fork_nursery(
    jobserver: Jobserver | None = None, *, foreground: bool = False
) -> Nursery:
    """Fork the nursery, with a first worker below it; for the command line.

    To be called while this process has one thread and has imported little.

    Args:
        jobserver: that this process will take tokens of.
        foreground: a command is to have our terminal, so it stays in our session.

    Raises:
        PenstockError: no process can be had, or /proc is not ours.
    """
    _look_at_proc()
    try:
        return _fork_nursery(jobserver, foreground=foreground)
    except OSError as error:
        raise PenstockError(f"cannot start a process: {error.strerror}") from error


def _look_at_proc() -> None:
    """See that we find there what commands leave behind, and no strangers.

    Raises:
        PenstockError: it is not mounted, or is that of another PID namespace.
    """
    try:
        seen = os.readlink("/proc/self")
    except OSError:
        seen = ""
    if seen != str(os.getpid()):
        what = "is that of another PID namespace" if seen else "is not mounted"
        raise PenstockError(
            f"/proc {what}, and without it nobody knows what commands leave behind\n"
            "hint: mount -t proc proc /proc, or unshare --mount-proc"
        )


def _fork_nursery(jobserver: Jobserver | None, *, foreground: bool) -> Nursery:
    _import_what_both_need()
    kind = _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC
    control, theirs = _socket.socketpair(_socket.AF_UNIX, kind)
    first, its = _socket.socketpair(_socket.AF_UNIX, kind)
    first_peer = os.fstat(its.fileno()).st_ino
    guardian = os.pidfd_open(os.getpid())

    def live() -> None:
        # At once: a Ctrl-C is for the user's process, which tells us.
        if foreground:
            os.setpgid(0, 0)
        else:
            os.setsid()
        control.close()
        first.close()
        from penstock.executor import keeper  # noqa: PLC0415 (in the child only)

        keeper.keep(theirs.detach(), guardian, its.detach(), jobserver)

    pid = fork_into(live)
    theirs.close()
    its.close()
    os.close(guardian)
    return Nursery(pid, control, first, jobserver, first_peer)


def _import_what_both_need() -> None:
    """Import what the nursery and the user's process have in common, once."""
    import penstock.executor.message  # noqa: PLC0415 (see above)
    import penstock.model.verdict  # noqa: PLC0415 (see above)
    import penstock.plan.wire  # noqa: PLC0415 (see above)
    import penstock.proc.prctl  # noqa: PLC0415 (see above)
    import penstock.proc.reaper  # noqa: F401, PLC0415 (see above)


def start_nursery() -> Nursery:
    """Start the nursery as a fresh interpreter; for a program that uses the library."""
    from penstock.proc.interpreter import start_interpreter  # noqa: PLC0415 (heavy)

    kind = _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC
    control, theirs = _socket.socketpair(_socket.AF_UNIX, kind)
    guardian = os.pidfd_open(os.getpid())
    try:
        pid = start_interpreter(
            "penstock.executor.keeper",
            descriptors=(theirs.fileno(), guardian),
        )
    except BaseException:
        control.close()
        raise
    finally:
        theirs.close()
        os.close(guardian)
    return Nursery(pid, control)
