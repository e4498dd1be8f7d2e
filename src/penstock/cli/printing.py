"""Printing past `sys.stdout` and `sys.stderr`: they are missing if they were closed."""

from __future__ import annotations

import os

from penstock.errors import PenstockError

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
    try:
        _put(2, text)
    except OSError:
        return


def _put(descriptor: int, text: str) -> None:
    data = text.encode(errors="backslashreplace")
    while data:
        data = data[os.write(descriptor, data) :]
