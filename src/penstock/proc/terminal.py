"""The terminal, while one command has it: what its keys do, and how it is taken back.

The command is in our process group, so it is in the foreground when we are, and what
the user types for it (Ctrl-C, Ctrl-Z) reaches it and us alike, as in a shell script.
"""

from __future__ import annotations

import os
import select
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.clock import MonotonicClock
from penstock.errors import UsageError
from penstock.proc.descendants import descendants_of, stat_of
from penstock.proc.signals import TERMINAL_STOPS, SignalFlags, group_of

KEYS = (signal.SIGINT, signal.SIGQUIT)  # Ctrl-C and Ctrl-backslash
_STOPPED = b"T"  # proc_pid_stat(5)
_SETTLING = 1.0  # seconds for the command to stop: editors first clear the screen
_LOOK_EVERY = 0.01  # seconds


class Terminal:
    """Our controlling terminal, as it was when this was made.

    Raises:
        UsageError: there is none.
    """

    def __init__(self) -> None:
        try:
            self._descriptor = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            why = f"--foreground needs a terminal: /dev/tty: {error.strerror}"
            raise UsageError(why) from error
        self._modes = termios.tcgetattr(self._descriptor)
        self._was_ours = os.tcgetpgrp(self._descriptor) == os.getpgrp()

    def take_back(self) -> None:
        """Be in the foreground again, with the modes that were set then.

        Not if somebody else has the terminal now: after Ctrl-Z and ``bg`` it is the
        shell's, which has set it up for itself.
        """
        try:
            if self._was_ours and self._is_free():
                with _unstoppable():
                    os.tcsetpgrp(self._descriptor, os.getpgrp())
                    termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._modes)
        except (OSError, termios.error):
            return  # it was closed: nobody has it, and nobody misses it
        finally:
            os.close(self._descriptor)

    def _is_free(self) -> bool:
        """Whether it is ours, or that of a group in which nobody is left."""
        group = os.tcgetpgrp(self._descriptor)
        if group == os.getpgrp():
            return True
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


class ForegroundFlags(SignalFlags):
    """The signals for us, while a command in our group has the terminal.

    What its keys send is for the command, which may well go on (a shell does). We stand
    still when the command does, and only if there is a shell that can let us go on.
    """

    heeded = (*SignalFlags.heeded, signal.SIGTTIN, signal.SIGTTOU)

    def ask_to_stop(self) -> bool:
        """Whether there is a signal to take, that is not for the command."""
        while (number := self.peek()) is not None:
            if number in TERMINAL_STOPS:
                self.drop()
                self._follow()
            elif number in KEYS and _states():
                self.drop()
            else:
                return True
        return False

    def _follow(self) -> None:
        """Stand still if the command does, once it has got there."""
        clock = MonotonicClock()
        deadline = clock.now() + _SETTLING
        while (states := _states()) - {_STOPPED} and clock.now() < deadline:
            select.poll().poll(_LOOK_EVERY * 1000)
        if _STOPPED not in states:
            return
        if _has_shell():
            self.on_suspend()
        else:
            os.killpg(os.getpgrp(), signal.SIGCONT)


def _states() -> set[bytes]:
    """The states of all that lives below us and is in our group."""
    own = os.getpgrp()
    below = descendants_of([os.getpid()])
    members = [pid for pid, _ in below if group_of(pid) == own]
    stats = [stat_of(pid)[1] for pid in members]
    return {fields[0] for fields in stats if fields} - {b"Z", b"X"}


def _has_shell() -> bool:
    """Whether above our group somebody of our session is, who can continue it.

    The kernel asks the same before it stops a group (POSIX: orphaned process group);
    but our own worker, which is the parent of the command, would be enough for it.
    """
    pid, own, session = os.getppid(), os.getpgrp(), os.getsid(0)
    while pid:
        try:
            if os.getsid(pid) != session:
                return False
            if os.getpgid(pid) != own:
                return True
        except ProcessLookupError:
            return False
        fields = stat_of(pid)[1]
        pid = int(fields[1]) if fields else 0
    return False


@contextmanager
def _unstoppable() -> Iterator[None]:
    """Let it be no reason to stop us that we touch the terminal from the background."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTOU,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
