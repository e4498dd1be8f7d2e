"""A terminal for tests, with somebody at it."""

from __future__ import annotations

import os
import select
import subprocess
import termios
from pathlib import Path

from penstock.clock import MonotonicClock
from tests.commands import PATIENCE


class Terminal:
    """A terminal with a shell in it that has job control.

    Attributes:
        shell: the process group of that shell.
    """

    def __init__(self, cwd: Path) -> None:
        self._ours, theirs = os.openpty()
        self._seen = b""
        self._shell = subprocess.Popen(
            ["setsid", "-c", "bash", "--norc", "--noprofile", "-i"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env=os.environ | {"PS1": "", "PS2": "", "TERM": "dumb"},
        )
        os.close(theirs)
        self.type(b"echo he''re\n")
        self.expect(b"here")
        self.shell = self.foreground

    def type(self, text: bytes) -> None:
        """What the user types."""
        os.write(self._ours, text)

    def expect(self, text: bytes) -> None:
        """Wait until `text` has been shown; what was shown before is forgotten."""
        self._seen = read_until(self._ours, text, self._seen)

    @property
    def foreground(self) -> int:
        """The process group that a Ctrl-C would reach."""
        return os.tcgetpgrp(self._ours)

    @property
    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self._ours)[3] & termios.ECHO)

    def close(self) -> None:
        """Let the shell end, and close the terminal."""
        self.type(b"\nexit\nexit\n")
        self._shell.wait(PATIENCE)
        os.close(self._ours)


def read_until(terminal: int, text: bytes, seen: bytes = b"") -> bytes:
    """Read until `text` has been shown, `seen` included; what comes after it."""
    clock = MonotonicClock()
    deadline = clock.now() + PATIENCE * 2
    while text not in seen:
        left = deadline - clock.now()
        assert left > 0, (text, seen)
        if select.select([terminal], [], [], left)[0]:
            seen += os.read(terminal, 4096)
    return seen.partition(text)[2]
