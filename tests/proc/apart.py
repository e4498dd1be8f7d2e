"""A process of its own for what acts on all that lives below a process."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import traceback
from collections.abc import Callable
from typing import TypeVar

from penstock.proc.prctl import become_subreaper

T = TypeVar("T")


def apart(body: Callable[[], T]) -> T:
    """What `body` returns in a child: a session leader and subreaper, as a worker is.

    Raises:
        AssertionError: with the traceback of what `body` raised.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _live(body, writer)
    os.close(writer)
    try:
        with open(reader, "rb") as stream:
            ok, value = pickle.load(stream)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert ok, value
    result: T = value
    return result


def _live(body: Callable[[], object], writer: int) -> None:
    os.setsid()
    become_subreaper()
    try:
        answer = (True, body())
    except BaseException:  # noqa: BLE001 (told to the test)
        answer = (False, traceback.format_exc())
    with open(writer, "wb") as stream:
        pickle.dump(answer, stream)
    os._exit(0)


def start(argv: list[str]) -> subprocess.Popen[bytes]:
    """Start a helper command, in a session of its own; stdout is a pipe."""
    return subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
