"""What a program draws on a terminal, and what is to be seen there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.commands import wait_until
from tests.conftest import PenstockCli, plain_environment

LAST = b"\x1b[0m<all>"


class Terminal:
    """A program on a terminal of its own; what it has written so far.

    Args:
        process: the program.
        ours: our side of the terminal.
        theirs: its side.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], ours: int, theirs: int
    ) -> None:
        self.process = process
        self.ours = ours
        self.theirs = theirs
        self.text = b""

    def read(self) -> bytes:
        with suppress(BlockingIOError):
            self.text += os.read(self.ours, 1 << 16)
        return self.text

    def read_all(self) -> None:
        """Read what was written until now: the kernel takes its time to pass it on."""
        os.write(self.theirs, LAST)
        wait_until(lambda: self.read().endswith(LAST))
        self.text = self.text.removesuffix(LAST)

    def wait_for_line(self, pattern: str) -> None:
        """Until there is such a line on the screen."""
        wait_until(
            lambda: (self.read(), any(re.search(pattern, x) for x in self.screen()))[1]
        )

    def end(self) -> int:
        """Its status, when all is read."""
        wait_until(lambda: (self.read(), self.process.poll() is not None)[1])
        self.read_all()
        return self.process.returncode

    def screen(self) -> list[str]:
        """The lines as they stand on the screen: what is drawn, and taken away."""
        lines, at = [""], 0
        text = self.text.decode(errors="replace")  # cut anywhere
        for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
            if piece == "\n":
                at += 1
                lines += [""] * (at + 1 - len(lines))
            elif piece == "\x1b[A":
                at -= 1
            elif piece == "\x1b[J":
                lines[at:] = [""]
            elif not piece.startswith(("\x1b", "\r")):
                lines[at] += piece
        return [line for line in lines if line]


@contextmanager
def on_terminal(
    cli: PenstockCli,
    *args: str,
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    **env: str,
) -> Iterator[Terminal]:
    """penstock, with a terminal for its stderr, and its stdout if not given."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    settings = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [cli.program, *args],
        stdin=stdin,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        cwd=cli.cwd,
        env=plain_environment() | {"TERM": "xterm"} | env,
        process_group=0,  # a session of its own could not be stopped by SIGTSTP
    )
    try:
        yield Terminal(process, ours, theirs)
        assert termios.tcgetattr(theirs) == settings
    finally:
        process.kill()
        process.wait()
        os.close(theirs)
        os.close(ours)
