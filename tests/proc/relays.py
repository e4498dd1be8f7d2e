"""Relays as functions: on threads of the test, with pipes whose other ends it has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

PIPE_BYTES = 1 << 16


def feed(descriptor: int, chunks: Iterable[bytes]) -> bool:
    """Write all and close; False if nobody wanted it all."""
    with open(descriptor, "wb", buffering=0) as stream:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                try:
                    view = view[stream.write(view) :]
                except BrokenPipeError:
                    return False
    return True


def drain(descriptor: int, limit: int | None = None) -> bytes:
    """Read to the end, or so many bytes, and close."""
    found = bytearray()
    with open(descriptor, "rb", buffering=0) as stream:
        while limit is None or len(found) < limit:
            room = PIPE_BYTES if limit is None else limit - len(found)
            chunk = stream.read(room)
            if not chunk:
                break
            found += chunk
    return bytes(found)


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that have all ended when the block has."""
    with ThreadPoolExecutor() as pool:
        yield pool


def closing(future: Future[None], *descriptors: int) -> None:
    """Close what a relay had, as its end would, once it has returned."""

    def close(_: Future[None]) -> None:
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)

    future.add_done_callback(close)
