"""Descriptors that go along with a packet (SCM_RIGHTS, unix(7)).

By `_socket`, the part of `socket` in C: the rest of that takes 4 ms to import.
"""

from __future__ import annotations

import _socket
from array import array

TYPE_CHECKING = False  # `typing` takes 8 ms
if TYPE_CHECKING:
    from collections.abc import Sequence


def send_with(
    channel: _socket.socket, packet: bytes, descriptors: Sequence[int]
) -> None:
    """Send `packet`, and `descriptors` along.

    Raises:
        OSError: the other side is gone.
    """
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array("i", descriptors))
    channel.sendmsg([packet], [rights])


def descriptors_in(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, ...]:
    """The descriptors that came along with a packet; the receiver owns them."""
    found = array("i")
    for _, _, data in ancillary:
        found.frombytes(data)
    return tuple(found)
