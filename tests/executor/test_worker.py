"""What a worker tells, and hears, besides jobs."""

from __future__ import annotations

import os
import socket
import subprocess

from penstock.executor.message import Run, send
from penstock.executor.worker import Post, known_session
from penstock.proc.order import Abandon
from tests.executor.jobs import shell
from tests.proc.apart import apart


def session_told(*, apart: bool) -> tuple[bool, bool]:
    """Whether the session of a child is told, and whether that is its own."""
    with subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, start_new_session=apart
    ) as child:
        told = known_session(child.pid)
        return told != 0, told == child.pid


def test_a_session_that_is_lent_is_told_as_one_that_was_made():
    assert apart(lambda: session_told(apart=False)) == (True, False)
    assert apart(lambda: session_told(apart=True)) == (True, True)


def test_the_session_of_somebody_else_tells_nothing():
    def body() -> tuple[bool, bool]:
        inside = os.fork()  # as a worker with --foreground: it leads no session
        if not inside:
            os._exit(0 if session_told(apart=False) == (False, False) else 1)
        return os.waitpid(inside, 0)[1] == 0, True

    assert apart(body) == (True, True)


def test_who_is_deserted_takes_no_more_jobs():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader, writer = os.pipe()
    with ours, theirs:
        post = Post(theirs, (reader,))
        os.close(writer)  # whoever was above is gone, and had sent a job before
        send(ours, Run((shell("true"),)))
        told = [post.order(descriptor) for descriptor in (reader, theirs.fileno())]
        assert isinstance(told[0], Abandon)
        assert post.next_job() is None
        post.epoll.close()
    os.close(reader)
