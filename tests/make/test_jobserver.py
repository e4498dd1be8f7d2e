"""Tokens: taken, put back, and never lost."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from penstock.make.jobserver import Jobserver, Unusable, join, serve_fifo, serve_pipe
from penstock.make.prepare import prepare
from tests.commands import wait_until

if TYPE_CHECKING:
    from _typeshed import TraceFunction

TOKENS = bytes(range(65, 75))


@pytest.fixture
def makes(marker) -> Iterator[tuple[int, int]]:  # noqa: ARG001 (looks for leaks)
    """A pipe as make's, with ten different tokens."""
    reader, writer = os.pipe()
    os.write(writer, TOKENS)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def _joined(makes: tuple[int, int]) -> Jobserver:
    return join(f"{makes[0]},{makes[1]}")


def _count(pipe: int) -> int:
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_every_byte_is_put_back_as_it_was(makes):
    jobserver = _joined(makes)
    taken = 0
    while jobserver.take():
        taken += 1
    assert (taken, jobserver.held, jobserver.in_pouch()) == (10, 10, 10)
    for _ in range(taken):
        jobserver.give()
    assert jobserver.in_pouch() == 0
    assert os.read(makes[0], 99) == TOKENS
    jobserver.close()


def test_more_tokens_than_a_pipe_can_hold_are_not_waited_with():
    jobserver = serve_pipe()
    jobserver.fill(10_000_000)
    assert 0 < (jobserver.own or 0) < 10_000_000
    assert jobserver.refill() == 0
    for descriptor in jobserver.passed:
        os.close(descriptor)
    jobserver.close()


def test_taking_does_not_wait_and_leaves_the_pipe_as_it_is(makes):
    jobserver = _joined(makes)
    os.read(makes[0], 99)
    assert not jobserver.take()
    assert os.get_blocking(makes[0])
    assert os.get_blocking(makes[1])
    jobserver.close()


def test_a_killed_process_has_its_tokens_put_back_by_the_other(makes):
    jobserver = _joined(makes)
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            jobserver.take()
            jobserver.take()
            os.kill(os.getpid(), 9)
        os._exit(1)
    wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0])
    assert jobserver.held == 0
    assert jobserver.give_back() == 2
    assert sorted(os.read(makes[0], 99)) == sorted(TOKENS)
    jobserver.close()


def test_more_tokens_than_a_pipe_has_pages(tmp_path):
    jobserver = serve_fifo(str(tmp_path / "fifo"))
    jobserver.fill(100)
    for _ in range(3):
        while jobserver.take():
            pass
        assert jobserver.held == 100
        while jobserver.held:
            jobserver.give()
    assert len(os.read(jobserver.reader, 999)) == 100
    jobserver.close()


def test_a_pipe_whose_pages_are_all_taken(makes):
    os.write(makes[1], b"+" * 30)
    jobserver = _joined(makes)  # without `make_room`: 16 pages
    while jobserver.take():
        pass
    assert jobserver.held == 40
    while jobserver.held:
        jobserver.give()
    assert jobserver.in_pouch() == 0
    assert sorted(os.read(makes[0], 99)) == sorted(TOKENS + b"+" * 30)
    jobserver.close()


def test_a_token_taken_off_a_page_with_many_can_be_put_back(makes):
    os.write(makes[1], b"+" * 290)
    jobserver = _joined(makes)
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            signal.alarm(60)  # it would wait for ever
            for _ in range(600):
                jobserver.take()
                jobserver.give()
                assert _has_room(makes[1])  # a make that puts one back must not wait
            os._exit(0)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    assert jobserver.in_pouch() == 0
    assert sorted(os.read(makes[0], 999)) == sorted(TOKENS + b"+" * 290)
    jobserver.close()


def _has_room(writer: int) -> bool:
    poll = select.poll()
    poll.register(writer, select.POLLOUT)
    return bool(poll.poll(0))


@pytest.mark.slow
def test_a_kill_between_any_two_lines_loses_no_token(makes):
    os.write(makes[1], b"+" * 30)
    jobserver = _joined(makes)
    tokens = sorted(TOKENS + b"+" * 30)
    lines = 0
    while _dies_at_line(jobserver, lines):
        lines += 1
        jobserver.give_back()
        assert _count(makes[0]) == 40
    assert lines > 100
    assert sorted(os.read(makes[0], 99)) == tokens
    jobserver.close()


def _dies_at_line(jobserver: Jobserver, lines: int) -> bool:
    """Take and give two tokens in a process that is killed after so many lines."""
    pid = os.fork()
    if pid == 0:
        left = iter(range(lines))

        def trace(frame: FrameType, event: str, _arg: object) -> TraceFunction:
            is_ours = frame.f_globals.get("__package__") == "penstock.make"
            if is_ours and event == "line" and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        with suppress(BaseException):
            signal.alarm(60)  # or it might wait for ever
            sys.settrace(trace)
            jobserver.take()
            jobserver.take()
            jobserver.give()
            jobserver.give()
            os._exit(0)
        os._exit(1)
    status = os.waitpid(pid, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status != 0


def test_a_full_pouch_takes_no_more(makes):
    jobserver = _joined(makes)
    jobserver.capacity = 3
    assert [jobserver.take() for _ in range(4)] == [True, True, True, False]
    jobserver.give()
    assert [jobserver.take() for _ in range(2)] == [True, False]
    assert jobserver.give_back() == 3
    jobserver.close()


def test_what_a_killed_make_took_with_it_is_replaced():
    jobserver = serve_pipe()
    jobserver.fill(5)
    os.read(jobserver.reader, 2)
    assert jobserver.refill() == 2
    assert jobserver.refill() == 0
    assert os.read(jobserver.reader, 9) == b"+" * 5
    for descriptor in jobserver.passed:
        os.close(descriptor)
    jobserver.close()


def test_a_jobserver_of_another_is_not_refilled(makes):
    jobserver = _joined(makes)
    assert jobserver.refill() == 0
    jobserver.close()


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ("-2,-2", "begin the recipe line with `\\+`"),
        ("998,999", "begin the recipe line with `\\+`"),
        ("99999999999,9", "begin the recipe line with `\\+`"),
        ("semaphore", "of a style that is not known"),
        ("fifo:/nosuch/fifo", "cannot open make's jobserver /nosuch/fifo"),
        ("fifo:/dev/null", "is no FIFO"),
    ],
)
def test_why_a_jobserver_cannot_be_used(auth, why, marker):  # noqa: ARG001 (leaks)
    with pytest.raises(Unusable, match=why):
        join(auth)


def test_a_fifo_that_cannot_be_made(tmp_path):
    with pytest.raises(Unusable, match="cannot make"):
        serve_fifo(str(tmp_path / "no" / "fifo"))


def test_a_glance_at_the_line(makes):
    auth = f"--jobserver-auth={makes[0]},{makes[1]}"
    environ = {"MAKEFLAGS": f"k -j4 {auth}"}
    assert prepare(["exec", "x"], environ) is None
    assert prepare([], environ) is None
    joined = prepare(["run"], environ)
    assert joined is not None
    assert joined.passed == makes
    joined.close()
    assert prepare(["run"], {"MAKEFLAGS": "--jobserver-auth=-2,-2"}) is None
    assert prepare(["run", "--jobserver", "off"], environ) is None
    assert environ == {"MAKEFLAGS": "k"}
    assert prepare(["run", "--jobserver"], environ) is None
    assert prepare(["run", "--jobserver=fifo"], environ) is None
    ours = prepare(["map", "--jobserver=pipe"], environ)
    assert ours is not None
    assert all(map(os.get_inheritable, ours.passed)) is False
    for descriptor in ours.passed:
        os.close(descriptor)
    ours.close()
