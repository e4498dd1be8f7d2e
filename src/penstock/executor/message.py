"""What passes between the pool and a worker: one packet, one message.

A SEQPACKET socket keeps the borders of packets, so that there is no framing to get
wrong, and no lock that a killed process could take with it. A message too large for a
packet travels in an anonymous file, whose descriptor goes along.
"""

from __future__ import annotations

import os
import pickle
import socket
from array import array
from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from penstock.model.job import Job
from penstock.model.outcome import Exited, Outcome, StageOutcome, Usage

_PACKET_BYTES = 1 << 16  # well below the default socket buffer of 208 KiB
_IN_PARCEL = b"+"  # no pickle is one byte long
_SUCCEEDED = Struct("=Biddddqqq")  # _SUCCESS, and the numbers of a Succeeded in order
_SUCCESS = ord("=")  # no pickle begins so
_LONGEST_NAME = 4096
_EXITED = Exited(0)
_ANCILLARY_BYTES = socket.CMSG_SPACE(253 * 4)  # SCM_MAX_FD descriptors (unix(7))


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


class Suspended(NamedTuple):
    """Pool to worker: let the job that runs stand still, or go on."""

    on: bool


class Quit(NamedTuple):
    """Pool to worker: end everything at once, and yourself."""

    why: str


class Done(NamedTuple):
    """Worker to pool: the job is over, and nothing of it is alive."""

    outcome: Outcome


class Succeeded(NamedTuple):
    """Worker to pool: a job of one stage exited with 0; there is no more to say.

    The same as its `Done`, in a packet that costs a tenth to make: with many short
    jobs, nearly every message is one of these.
    """

    job: str
    pid: int
    elapsed: float
    stage_elapsed: float
    user: float
    system: float
    maxrss_bytes: int
    waits: int
    preemptions: int

    def outcome(self, stage: str) -> Outcome:
        """The outcome of the job, whose only stage is `stage`."""
        peak = self.maxrss_bytes or None
        usage = Usage(self.user, self.system, peak, self.waits, self.preemptions)
        told = StageOutcome(
            stage,
            _EXITED,
            ok=True,
            pid=self.pid,
            elapsed=self.stage_elapsed,
            usage=usage,
        )
        return Outcome(self.job, _EXITED, ok=True, stages=(told,), elapsed=self.elapsed)


Message = Run | Stop | Suspended | Quit | Done | Succeeded


class Received(NamedTuple):
    """A message with the descriptors that came along; the receiver owns them."""

    message: Message
    descriptors: tuple[int, ...]


def report(channel: socket.socket, outcome: Outcome) -> None:
    """Send how a job ended, by the shortest message that tells all of it.

    Raises:
        OSError: the other side is gone.
    """
    stage = outcome.stages[0]
    if not _is_plain(outcome) or stage.usage is None or stage.pid is None:
        send(channel, Done(outcome))
        return
    user, system, peak, *switches = stage.usage
    times = (outcome.elapsed, stage.elapsed, user, system)
    head = _SUCCEEDED.pack(_SUCCESS, stage.pid, *times, peak or 0, *switches)
    channel.send(head + outcome.job.encode("utf-8", "surrogatepass"))


def _is_plain(outcome: Outcome) -> bool:
    """Whether a `Succeeded` would tell all of it; where it is ok, nothing survived."""
    return (
        outcome.ok
        and len(outcome.stages) == 1
        and outcome.ending == _EXITED
        and not outcome.stragglers
        and not outcome.spared
        and outcome.peak_bytes is None
        and not outcome.stages[0].tail
        and outcome.stages[0].log_error is None
        and len(outcome.job) < _LONGEST_NAME
    )


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
        BlockingIOError: there is none now.
    """
    try:
        packet, ancillary, _, _ = channel.recvmsg(
            _PACKET_BYTES,
            _ANCILLARY_BYTES,
            socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT,
        )
    except ConnectionError:
        return None
    descriptors = _descriptors(ancillary) if ancillary else ()
    if not packet:
        return None
    if packet[0] == _SUCCESS:
        _, *facts = _SUCCEEDED.unpack_from(packet)
        job = packet[_SUCCEEDED.size :].decode("utf-8", "surrogatepass")
        return Received(Succeeded(job, *facts), ())
    if packet != _IN_PARCEL:
        return Received(pickle.loads(packet), descriptors)  # noqa: S301 (ours)
    with open(descriptors[-1], "rb") as parcel:
        parcel.seek(0)
        return Received(pickle.load(parcel), descriptors[:-1])  # noqa: S301 (ours)


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, ...]:
    """The descriptors that came along (SCM_RIGHTS, unix(7))."""
    found = array("i")
    for _, _, data in ancillary:
        found.frombytes(data)
    return tuple(found)
