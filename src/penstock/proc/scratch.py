"""Where penstock puts what it needs on disk while a job runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from penstock.proc.marker import PREFIX, run_marker

_DEFAULT = "/tmp"  # noqa: S108 (what is made there is private, and made exclusively)
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/")
_RANDOM_BYTES = 8


def private_directory() -> str:
    """A new directory that only this user can look into.

    Its path has none but plain characters, so that it needs no quotes in any shell. It
    carries the name of the run: what a killed one leaves behind can be told by it.

    Raises:
        OSError: it cannot be made.
    """
    path = os.path.join(default_place(), _new_name("fifo"))
    os.mkdir(path, 0o700)
    return path


def unnamed_file(places: Sequence[str] = (), *, appends: bool = False) -> int:
    """A descriptor of a new file without a name, which is gone when that is closed.

    Args:
        places: the directories that are tried, in order; TMPDIR if there are none.
        appends: what several commands write goes behind each other, as in a pipe, also
            if one of them opens the file again (/dev/stdout). Then no offset is heeded.

    Raises:
        OSError: it cannot be made in any of them.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_APPEND if appends else 0)
    *first, last = places or (default_place(),)
    for place in first:
        with suppress(OSError):
            return _unnamed_in(place, flags)
    return _unnamed_in(last, flags)


def _unnamed_in(parent: str, flags: int) -> int:
    """See `unnamed_file`."""
    try:
        first = os.open(parent, os.O_TMPFILE | flags, 0o600)
    except OSError:  # not every file system can
        path = os.path.join(parent, _new_name("spool"))
        file = os.open(path, os.O_CREAT | os.O_EXCL | flags, 0o600)
        os.unlink(path)
        return file
    # O_TMPFILE stays among the flags, and O_DIRECTORY is in it: dd(1), which sets the
    # flags that it finds on its stdout and one more, would be refused (ENOTDIR).
    try:
        file = os.open(f"/proc/self/fd/{first}", flags)
    except OSError:  # there is no /proc
        return first
    os.close(first)
    return file


def _new_name(kind: str) -> str:
    """One that no other process of the run makes: workers may share a PID.

    (Each of them is the first process of its PID namespace, with ``--isolate pidns``.)
    """
    return f"{PREFIX}{run_marker()}-{kind}-{os.urandom(_RANDOM_BYTES).hex()}"


def default_place() -> str:
    """TMPDIR, if that is an absolute path that needs no quotes."""
    path = os.environ.get("TMPDIR", "")
    return path if path.startswith("/") and _PLAIN.issuperset(path) else _DEFAULT
