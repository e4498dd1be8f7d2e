"""Sending and receiving signals. "Already gone" is not an error."""

from __future__ import annotations

import _socket  # `socket` takes 7 ms
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from penstock.proc.descendants import children_of, descendants_of, parent_of
from penstock.typed import TYPE_CHECKING, TypeVar

Result = TypeVar("Result")

if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import Self
else:
    import _signal as signal  # `signal` makes enums of all that is in it: 3 ms

SIGCONT, SIGKILL = signal.SIGCONT, signal.SIGKILL
SIGSTOP, SIGTERM = signal.SIGSTOP, signal.SIGTERM
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
TERMINAL_STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
MORE, FEWER = signal.SIGUSR1, signal.SIGUSR2  # jobs at once (GNU xargs)


def signal_tree(number: int, spare: Callable[[], Iterable[int]] = tuple) -> None:
    """Send a signal to everything that lives below this process.

    Group by group first: that is atomic against a fork inside the group (kill(2)).
    A group is named only while a direct child of ours is in it, which nobody but we
    can reap, so that its number cannot have passed to a stranger. What is deeper and
    in a group of its own is reached one by one, by pidfd; and so is what is in our own
    group, or in our own session where somebody else has made that (`--foreground`):
    those who called us may be in its group.

    Args:
        number: the signal.
        spare: direct children to leave alone, with all that is below them. Asked once
            it is known who is there: who has come since is not signalled.
    """
    own_group, own_session = os.getpgrp(), os.getsid(0)
    is_strange = own_session != os.getpid()  # 0: of those outside our PID namespace
    there = children_of(os.getpid())
    spared = set(spare())
    direct = [pid for pid in there if pid not in spared]
    deep = descendants_of(direct)  # while they have the parents that lead to them
    groups: set[int] = set()
    for pid in direct:
        group = group_of(pid)
        if group is None or group in groups:
            continue
        if group == own_group or (is_strange and session_of(pid) == own_session):
            _send(os.kill, pid, number)
        else:
            _send(os.killpg, group, number)
            groups.add(group)
    for pid, parent in deep:
        if group_of(pid) not in groups:
            _signal_deep(pid, parent, number)


def signal_child(pid: int, number: int) -> None:
    """Signal a direct child, which nobody but we can reap."""
    _send(os.kill, pid, number)


def continue_group(pid: int) -> None:
    """Let a direct child go on, and all of its group, unless that is ours."""
    group = group_of(pid)
    if group is None or group == os.getpgrp():
        _send(os.kill, pid, SIGCONT)
    else:
        _send(os.killpg, group, SIGCONT)


def signal_pinned(pidfd: int, number: int) -> None:
    """Signal the process that a pidfd holds; it need not be ours."""
    _send(signal.pidfd_send_signal, pidfd, number)


def group_of(pid: int) -> int | None:
    """Process group of `pid`; None if it is gone."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def session_of(pid: int) -> int | None:
    """Session of `pid`; None if it is gone."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _signal_deep(pid: int, parent: int, number: int) -> None:
    """Signal a process that is not our child, unless its PID has a new owner.

    The pidfd pins the process; if that still has the parent that it was found under,
    or has come to us since, then it is the one that was meant.
    """
    try:
        pinned = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if parent_of(pid) in (parent, os.getpid()):
            signal_pinned(pinned, number)
    finally:
        os.close(pinned)


def _send(send: Callable[[int, int], None], target: int, number: int) -> None:
    try:
        send(target, number)
    except (ProcessLookupError, PermissionError):
        return  # gone; or set-id: it is reported when it outlives the sweep


class SignalFlags:
    """Notes the signals that ask penstock to stop or to stand still; no more than that.

    Notes them until it is closed, which leaving its context does.

    A handler that raised could interrupt a start half-way and leak the process
    (85 of 150 trials), so the handlers only let the interpreter write the number into
    a socket (`signal.set_wakeup_fd`; a pipe could not be peeked at). A signal that is
    ignored when we start stays ignored: nohup(1), or a shell's ``&``.

    Attributes:
        heeded: the signals; all but SIGTSTP ask to stop.
        on_suspend: what is done at a Ctrl-Z, by whoever next asks for signals.
        is_stopping: one that asks to stop was taken.
    """

    heeded: tuple[int, ...] = (*STOPPING, signal.SIGTSTP)

    def __init__(self) -> None:
        self.on_suspend: Callable[[], None] = stop_oneself
        self.is_stopping = False
        self._reactions: dict[int, Callable[[], None]] = {}
        _Told.is_told = False
        self._reader, self._writer = _socket.socketpair()
        self._reader.setblocking(False)  # noqa: FBT003 (its only parameter)
        self._writer.setblocking(False)  # noqa: FBT003 (its only parameter)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in self.heeded:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _ignore_frame)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.heeded)

    def react(self, number: int, action: Callable[[], None]) -> None:
        """Do `action` at a signal, as at a Ctrl-Z; unless that is ignored."""
        if signal.getsignal(number) is not signal.SIG_IGN:
            self._reactions[number] = action
            signal.signal(number, _ignore_frame)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> int | None:
        """Let signals work as usual again; one that was not taken, or None."""
        if self._reader.fileno() < 0:
            return None
        self.on_suspend = _do_nothing
        for number in self._reactions:  # what comes too late to matter ends nobody
            signal.signal(number, signal.SIG_IGN)
            self._reactions[number] = _do_nothing
        for number in self.heeded:
            if signal.getsignal(number) is _ignore_frame:
                signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        try:
            return self.take()
        finally:
            self._reader.close()
            self._writer.close()

    def fileno(self) -> int:
        """A descriptor that is readable while a signal waits to be taken."""
        return self._reader.fileno()

    def take(self) -> int | None:
        """The oldest signal that asks us to stop and was not taken yet, or None."""
        if not self.ask_to_stop():
            return None
        self.is_stopping = True
        return self._reader.recv(1)[0]

    def ask_to_stop(self) -> bool:
        """Whether there is one to take; what asks us to stand still is done here."""
        while (number := self.peek()) == signal.SIGTSTP or number in self._reactions:
            self.drop()
            if number == signal.SIGTSTP:
                self.on_suspend()
            else:
                self._reactions[number]()
        return number is not None

    def peek(self) -> int | None:
        """The oldest signal that is there, of whichever kind."""
        try:
            return self._reader.recv(1, _socket.MSG_PEEK)[0]
        except BlockingIOError:
            return None

    def are_several(self) -> bool:
        """Whether more than one is there: somebody cannot wait."""
        try:
            return len(self._reader.recv(2, _socket.MSG_PEEK)) > 1
        except BlockingIOError:
            return False

    def drop(self) -> None:
        """Forget the oldest signal that is there."""
        self._reader.recv(1)


def stop_oneself() -> None:
    """Stand still, as at a Ctrl-Z that nobody handles, until SIGCONT."""
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, handler)


def _do_nothing() -> None:
    """At the end: there is nothing left that could stand still."""


def _ignore_frame(number: int, _frame: FrameType | None) -> None:
    """The handler: the wake-up descriptor has told already, or whoever can be broken.

    Raises:
        ToldToStopError: that is asked for, once; see `unless_told_to_stop`.
    """
    if number in STOPPING:
        _Told.is_told = True
        if _Told.is_to_break:
            _Told.is_to_break = False
            raise ToldToStopError


class ToldToStopError(Exception):
    """A signal that asks penstock to stop has come."""


class _Told:
    """What the handler and those whom it may break off know of one another."""

    is_told = False
    is_to_break = False


def unless_told_to_stop(act: Callable[[], Result]) -> Result:
    """What `act` returns, which may compute for long, but must take hold of nothing.

    A regular expression may search for longer than anybody lives. `re` looks for
    signals while it does, but only a handler that raises can end it.

    Raises:
        ToldToStopError: `act` was broken off, or not begun; the signal is not taken.
    """
    _Told.is_to_break = True
    try:
        if _Told.is_told:
            raise ToldToStopError
        return act()
    finally:
        _Told.is_to_break = False


@contextmanager
def ended_when_told() -> Iterator[None]:
    """Let what asks penstock to stop end this process at once, as if it heeded nothing.

    `re` does not always look for signals: not while it counts what stands in a row,
    which in a long text it may do very often. The nursery ends what we have started.
    """
    heeded = [n for n in STOPPING if signal.getsignal(n) is _ignore_frame]
    for number in heeded:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, _ignore_frame)


def die_by(number: int) -> None:
    """End this process by `number`, so that the caller sees the signal.

    A shell that loops over commands stops only if the command died by the signal.
    Without a core dump: the fault is not ours (timeout(1) does the same).
    """
    import resource  # noqa: PLC0415 (only on this way out)

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # SIGKILL has no other handler
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)


def hear_of_children() -> int:
    """A pipe that is readable when a child has stopped, or ended (SIGCHLD).

    A stop is told in no other way: a pidfd speaks of the end alone.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _ignore_frame)
    return reader


def start_clean() -> None:
    """Give this process, and so its children, an empty mask and default handlers.

    Popen resets handlers and SIGPIPE by itself but inherits the mask. What is ignored
    on purpose (nohup) stays ignored. We ourselves do not heed what asks penstock to
    stop: the user's process does, and tells us. (A penstock around it may signal all.)
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.set_wakeup_fd(-1)
    for number in (*STOPPING, MORE, FEWER, signal.SIGCHLD):
        if number == signal.SIGCHLD:
            signal.signal(number, signal.SIG_DFL)
        elif signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _ignore_frame)  # default again after execve(2)


def outlast_commands() -> None:
    """Let nothing but KILL end this process, which works for commands and ends after.

    A pipe that nobody reads any more is told to it by EPIPE.
    """
    for number in (*STOPPING, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
