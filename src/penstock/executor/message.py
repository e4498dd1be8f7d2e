"""What passes between the pool and a worker: one packet, one message.

A SEQPACKET socket keeps the borders of packets, so that there is no framing to get
wrong, and no lock that a killed process could take with it. A message too large for a
packet travels in an anonymous file, whose descriptor goes along.
"""

from __future__ import annotations

import _socket  # `socket` takes 4 ms
import os
from _pickle import dumps, load, loads  # `pickle` imports `re`, which takes 4 ms
from collections.abc import Sequence
from struct import Struct

from penstock.executor.packet import descriptors_in, send_with
from penstock.model.job import Job
from penstock.model.outcome import NOTHING_KEPT, Outcome, Usage
from penstock.model.success import Succeeded
from penstock.typed import NamedTuple

_PACKET_BYTES = 1 << 16  # well below the default socket buffer of 208 KiB
_IN_PARCEL = b"+"  # no pickle is one byte long
# _SUCCESS, the numbers of a Succeeded in order, and the lengths of its texts.
_SUCCEEDED = Struct("=BiddddqqqHHH")
_SUCCESS = ord("=")  # no pickle begins so
_ANCILLARY_BYTES = _socket.CMSG_SPACE(253 * 4)  # SCM_MAX_FD descriptors (unix(7))


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


class Recall(NamedTuple):
    """Pool to worker: give back the jobs that you have not started."""


class Returned(NamedTuple):
    """Worker to pool: these jobs were not started, and will not be, here."""

    jobs: tuple[str, ...]


class Refused(NamedTuple):
    """Nursery to pool, in place of a worker that could not be started, and why."""

    errno: int


class Quit(NamedTuple):
    """Pool to worker: end everything at once, and yourself."""

    why: str


class Done(NamedTuple):
    """Worker to pool: the job is over, and nothing of it is alive."""

    outcome: Outcome


_Received = tuple[bytes, list[tuple[int, int, bytes]], int, object]
Message = Run | Stop | Suspended | Recall | Returned | Refused | Quit | Done | Succeeded


class Received(NamedTuple):
    """A message with the descriptors that came along; the receiver owns them."""

    message: Message
    descriptors: tuple[int, ...]


def report(channel: _socket.socket, told: Outcome | Succeeded) -> None:
    """Send how a job ended.

    Raises:
        OSError: the other side is gone.
    """
    if isinstance(told, Succeeded):
        channel.send(_pack_success(told))
        return
    files = _files_of(told)
    send(channel, Done(told), files)
    for descriptor in files:
        os.close(descriptor)


def _pack_success(told: Succeeded) -> bytes:
    """A packet that costs a tenth of what a pickle does; see `_read_success`."""
    job, pid, elapsed, own, usage, out, err = told
    name = job.encode("utf-8", "surrogatepass")
    user, system, peak, waits, forced = usage
    numbers = _SUCCEEDED.pack(
        _SUCCESS,
        pid,
        elapsed,
        own,
        user,
        system,
        peak or 0,
        waits,
        forced,
        len(name),
        len(out),
        len(err),
    )
    return b"".join((numbers, name, out, err))


def _files_of(outcome: Outcome) -> list[int]:
    """The descriptors of what was kept."""
    return [k.descriptor for k in outcome.kept if k.descriptor is not None]


def owned(outcome: Outcome, descriptors: Sequence[int]) -> Outcome:
    """`outcome` as it was sent, with the descriptors under their numbers here."""
    expected = len(_files_of(outcome))
    if not expected:
        return outcome
    if len(descriptors) != expected:
        trouble = "what it printed is lost: too many open files (see `ulimit -n`)"
        return outcome._replace(ok=False, trouble=trouble, kept=NOTHING_KEPT)
    ours = iter(descriptors)
    out, err = (
        kept if kept.descriptor is None else kept._replace(descriptor=next(ours))
        for kept in outcome.kept
    )
    return outcome._replace(kept=(out, err))


def send(
    channel: _socket.socket,
    message: Message,
    descriptors: Sequence[int] = (),
) -> None:
    """Send `message`.

    Raises:
        OSError: the other side is gone.
    """
    packet = dumps(message, protocol=5)
    if len(packet) <= _PACKET_BYTES and not descriptors:
        channel.send(packet)
        return
    if len(packet) <= _PACKET_BYTES:
        send_with(channel, packet, descriptors)
        return
    parcel = os.memfd_create("message")
    try:
        with open(parcel, "wb", closefd=False) as file:
            file.write(packet)
        send_with(channel, _IN_PARCEL, [*descriptors, parcel])
    finally:
        os.close(parcel)


def receive(channel: _socket.socket) -> Received | None:
    """The next message; None when the other side is gone.

    Or is as good as that: there is no descriptor left here for what it has sent. An
    outcome is told all the same, without what was to come along.

    Raises:
        BlockingIOError: there is none now.
    """
    try:
        packet, ancillary, flags, _ = _receive(channel)
    except ConnectionResetError:
        # It had not read all when it went. That is told once, and before what it has
        # said; see unix_release_sock in the kernel's net/unix/af_unix.c.
        packet, ancillary, flags, _ = _receive(channel)
    except ConnectionError:
        return None
    descriptors = descriptors_in(ancillary) if ancillary else ()
    if not packet or flags & _socket.MSG_CTRUNC:
        for descriptor in descriptors:
            os.close(descriptor)
        told = loads(packet) if len(packet) > 1 else None
        return Received(told, ()) if isinstance(told, Done) else None
    if packet[0] == _SUCCESS:
        return Received(_read_success(packet), ())
    if packet != _IN_PARCEL:
        return Received(loads(packet), descriptors)
    with open(descriptors[-1], "rb") as parcel:
        parcel.seek(0)
        return Received(load(parcel), descriptors[:-1])


def _receive(channel: _socket.socket) -> _Received:
    flags = _socket.MSG_CMSG_CLOEXEC | _socket.MSG_DONTWAIT
    return channel.recvmsg(_PACKET_BYTES, _ANCILLARY_BYTES, flags)


def _read_success(packet: bytes) -> Succeeded:
    """What `report` has packed."""
    (
        _,
        pid,
        elapsed,
        own,
        user,
        system,
        peak,
        waits,
        forced,
        name_bytes,
        out_bytes,
        err_bytes,
    ) = _SUCCEEDED.unpack_from(packet)
    name = _SUCCEEDED.size + name_bytes
    out = name + out_bytes
    return Succeeded(
        packet[_SUCCEEDED.size : name].decode("utf-8", "surrogatepass"),
        pid,
        elapsed,
        own,
        Usage(user, system, peak or None, waits, forced),
        packet[name:out] if out_bytes else b"",
        packet[out : out + err_bytes] if err_bytes else b"",
    )
