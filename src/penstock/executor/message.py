"""What passes between the pool and a worker: one packet, one message.

A SEQPACKET socket keeps the borders of packets, so that there is no framing to get
wrong, and no lock that a killed process could take with it. A message too large for a
packet travels in an anonymous file, whose descriptor goes along.
"""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Sequence
from typing import NamedTuple

from penstock.model.job import Job
from penstock.model.outcome import Outcome

_PACKET_BYTES = 1 << 16  # well below the default socket buffer of 208 KiB
_IN_PARCEL = b"+"  # no pickle is one byte long
_MOST_DESCRIPTORS = 250  # SCM_MAX_FD is 253 (unix(7))


class Run(NamedTuple):
    """Pool to worker: run these jobs, one after the other.

    Descriptors that come along are for the first one.
    """

    jobs: tuple[Job, ...]


class Stop(NamedTuple):
    """Pool to worker: end this job, if it has not ended yet."""

    job: str
    cause: str
    now: bool


class Quit(NamedTuple):
    """Pool to worker: end everything at once, and yourself."""

    why: str


class Done(NamedTuple):
    """Worker to pool: the job is over, and nothing of it is alive."""

    outcome: Outcome


Message = Run | Stop | Quit | Done


class Received(NamedTuple):
    """A message with the descriptors that came along; the receiver owns them."""

    message: Message
    descriptors: tuple[int, ...]


def send(
    channel: socket.socket,
    message: Message,
    descriptors: Sequence[int] = (),
) -> None:
    """Send `message`.

    Raises:
        OSError: the other side is gone.
    """
    packet = pickle.dumps(message, protocol=5)
    if len(packet) <= _PACKET_BYTES and not descriptors:
        channel.send(packet)
        return
    if len(packet) <= _PACKET_BYTES:
        socket.send_fds(channel, [packet], descriptors)
        return
    parcel = os.memfd_create("message")
    try:
        with open(parcel, "wb", closefd=False) as file:
            file.write(packet)
        socket.send_fds(channel, [_IN_PARCEL], [*descriptors, parcel])
    finally:
        os.close(parcel)


def receive(channel: socket.socket) -> Received | None:
    """The next message; None when the other side is gone.

    Raises:
        BlockingIOError: `channel` does not block, and there is no message.
    """
    try:
        packet, descriptors, _, _ = socket.recv_fds(
            channel,
            _PACKET_BYTES,
            _MOST_DESCRIPTORS,
            socket.MSG_CMSG_CLOEXEC,
        )
    except ConnectionError:
        return None
    for descriptor in descriptors:  # CPython 3.11 drops the flag above (recv_fds)
        os.set_inheritable(descriptor, False)  # noqa: FBT003 (its only parameter)
    if not packet:
        return None
    if packet != _IN_PARCEL:
        return Received(pickle.loads(packet), tuple(descriptors))  # noqa: S301 (ours)
    with open(descriptors[-1], "rb") as parcel:
        parcel.seek(0)
        return Received(pickle.load(parcel), tuple(descriptors[:-1]))  # noqa: S301
