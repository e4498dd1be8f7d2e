"""Printing past `sys.stdout` and `sys.stderr`: they are missing if they were closed."""

from __future__ import annotations

import os
from collections.abc import Callable

from penstock.errors import PenstockError

clear_the_way: Callable[[], None] | None = None
"""Called before anything else is written to standard error: for what is drawn there."""

_patience = 1000  # milliseconds; none once they have been in vain
_SIGPIPE = 128 + 13  # what a shell says of a command that died of it


def say(status: int, out: str = "", err: str = "") -> int:
    """Print, and return `status`; past `sys.stdout`, so that an error is known here.

    The interpreter would notice it only on its way out, and then exit with 120.
    """
    tell(err)
    try:
        _put(1, out)
    except BrokenPipeError:  # nobody reads any more: no reason to complain
        return _SIGPIPE
    except OSError as error:
        why = f"cannot write to standard output: {error.strerror}"
        raise PenstockError(why) from error
    return status


def tell(text: str) -> None:
    """Write to standard error; if nobody can be told, the exit status still tells."""
    data = text.encode(errors="backslashreplace")
    try:
        _put_or_wait(data)
    except OSError:
        return


def _put_or_wait(data: bytes) -> None:
    try:
        put_stderr(data)
    except ImportError:  # there is no descriptor left by which to load anything
        os.write(2, data)


def put_stderr(data: bytes) -> None:
    """Write to standard error; drop it if nobody reads that for a second.

    What is drawn there gives way. What penstock has to say is not worth waiting for
    without a limit: in write(2) no signal would reach us. What poll(2) calls ready
    takes PIPE_BUF bytes at once.

    Raises:
        OSError: it is closed, or broken.
    """
    make_way()
    put_past(data)


def make_way() -> None:
    """Let what is drawn on standard error give way, for something to be printed."""
    if clear_the_way is not None:
        clear_the_way()


def put_past(data: bytes) -> None:
    """The same, whatever is drawn there.

    Raises:
        OSError: it is closed, or broken.
    """
    import select  # noqa: PLC0415 (only now)

    global _patience  # noqa: PLW0603 (one stream, one patience)
    poll = select.poll()
    poll.register(2, select.POLLOUT)
    while data:
        if not poll.poll(_patience):
            _patience = 0
            return
        try:
            data = data[os.write(2, data[: select.PIPE_BUF]) :]
        except BlockingIOError:
            continue


def _put(descriptor: int, text: str) -> None:
    try:
        data = os.fsencode(text)  # a name of a file need not be UTF-8
    except UnicodeEncodeError:
        data = text.encode(errors="backslashreplace")
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # somebody made it so; who reads may take his time
            _wait_for_room(descriptor)


def _wait_for_room(descriptor: int) -> None:
    """Wait until something can be written, or nobody reads any more."""
    import select  # noqa: PLC0415 (only now)

    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
