from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.executor.message import (
    Done,
    Message,
    Quit,
    Run,
    Stop,
    receive,
    report,
    send,
)
from penstock.model.outcome import Exited, Outcome, StageOutcome, Usage
from penstock.model.success import LONGEST_NAME, Succeeded
from tests.executor.jobs import job, stage
from tests.proc.apart import apart

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


def travel(pair: Pair, message: Message) -> Message:
    send(pair[0], message)
    received = receive(pair[1])
    assert received is not None
    assert received.descriptors == ()
    return received.message


def outcome(tail: bytes) -> Outcome:
    seen = StageOutcome("s", Exited(0), ok=True, tail=tail)
    return Outcome("j", Exited(0), ok=True, stages=(seen,))


MESSAGES = (
    Run((job(stage(["true"])), job(stage(["false"])))),
    Stop("job", "why", now=True),
    Quit("why"),
    Done(outcome(b"\0\xff")),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_arrives_as_it_was_sent(pair: Pair, message: Message):
    again = travel(pair, message)
    assert type(again) is type(message)
    assert again == message


SECONDS = st.floats(0, 1e9)
NUMBERS = st.integers(0, 1 << 40)
USAGES = st.builds(Usage, SECONDS, SECONDS, st.none() | NUMBERS, NUMBERS, NUMBERS)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    st.text(),
    st.integers(1, 1 << 22),
    SECONDS,
    USAGES.filter(lambda usage: usage.maxrss_bytes != 0),
    st.binary(),
)
def test_a_success_arrives_as_it_was_reported(
    pair: Pair, name: str, pid: int, seconds: float, usage: Usage, data: bytes
):
    told = Succeeded(name, pid, seconds, seconds / 2, usage, data, data[1:])
    report(pair[0], told)
    received = receive(pair[1])
    assert received is not None
    assert received.message == told


def test_a_success_has_room_for_all_that_it_may_carry(pair: Pair):
    name, kept = "\U0001f600" * LONGEST_NAME, b"x" * (1 << 14)
    told = Succeeded(name, 1, 1.0, 1.0, Usage(1.0, 1.0, None), kept, kept)
    report(pair[0], told)
    received = receive(pair[1])
    assert received is not None
    assert received.message == told


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(size=st.integers(65_000, 66_000) | st.integers(0, 1 << 20))
def test_a_message_of_any_size_arrives_whole(pair: Pair, size: int):
    assert travel(pair, Done(outcome(b"x" * size))) == Done(outcome(b"x" * size))


def test_a_message_whose_descriptors_find_no_room_is_as_good_as_none(pair: Pair):
    def receive_it() -> tuple[bool, int]:
        before = len(os.listdir("/proc/self/fd"))
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, limits[1]))
        received = receive(pair[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        return received is None, len(os.listdir("/proc/self/fd")) - before

    send(pair[0], Quit("why"), (0, 1, 2))
    assert apart(receive_it) == (True, 0)


@pytest.mark.parametrize("size", [1, 100_000])
def test_descriptors_arrive_in_order_and_are_not_inherited(pair: Pair, size: int):
    reader, writer = os.pipe()
    send(pair[0], Run((job(stage(["x" * size])),)), (reader, writer))
    received = receive(pair[1])
    assert received is not None
    theirs = received.descriptors
    assert not any(os.get_inheritable(descriptor) for descriptor in theirs)
    os.write(theirs[1], b"x")
    assert os.read(theirs[0], 9) == b"x"
    for descriptor in (reader, writer, *theirs):
        os.close(descriptor)


@pytest.mark.parametrize("size", [1, 100_000])
def test_as_many_descriptors_arrive_as_were_sent(pair: Pair, size: int):
    with open(os.devnull, "rb") as device:
        send(pair[0], Run((job(stage(["x" * size])),)), [device.fileno()] * 240)
    received = receive(pair[1])
    assert received is not None
    assert len(received.descriptors) == 240
    for descriptor in received.descriptors:
        os.close(descriptor)


def test_who_has_closed_says_nothing_more(pair: Pair):
    pair[0].close()
    assert receive(pair[1]) is None


def test_who_has_closed_without_listening_says_nothing_more(pair: Pair):
    send(pair[1], Quit("never read"))
    pair[0].close()
    assert receive(pair[1]) is None


@pytest.mark.parametrize("size", [1, 100_000])
def test_nobody_can_be_told_who_has_closed(pair: Pair, size: int):
    pair[1].close()
    with pytest.raises(OSError, match="Broken pipe"):
        send(pair[0], Quit("x" * size))


def test_messages_keep_their_order_and_their_borders(pair: Pair):
    for number in range(20):
        send(pair[0], Quit(str(number) * (1 if number % 2 else 70_000)))
    for number in range(20):
        received = receive(pair[1])
        assert received is not None
        assert isinstance(received.message, Quit)
        assert received.message.why.startswith(str(number))
