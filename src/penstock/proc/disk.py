"""Disk: the file system, for whoever reads a definition."""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EFBIG

from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader

_MOST = 1 << 28  # bytes: a million jobs have less, and so has any line
_BLOCK = 1 << 16


class LocalDisk:
    """The file system of this machine; relative paths are those of this process."""

    def read(self, path: str) -> bytes:
        """All of a file.

        Raises:
            OSError: it cannot be read, or has no end, such as /dev/zero.
        """
        data = bytearray()
        with open(path, "rb") as file:
            # Bit by bit: read() takes the memory that it may need before it reads.
            while block := file.read(_BLOCK):
                data += block
                if len(data) > _MOST:
                    raise OSError(EFBIG, f"longer than {_MOST >> 20} MiB", path)
        return bytes(data)

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a file, without their ends; bytes that are no UTF-8 stay so.

        Raises:
            OSError: it cannot be read, or has a line without an end.
        """
        with open(path, "rb") as file:
            for line in lines_of(file):
                yield os.fsdecode(line.removesuffix(b"\n"))

    def glob(self, pattern: str) -> Iterator[str]:
        """The paths that match a pattern (glob(7), and `**`), sorted."""
        from glob import iglob  # noqa: PLC0415 (hardly ever needed)

        return iter(sorted(iglob(pattern, recursive=True)))


def lines_of(file: BufferedReader) -> Iterator[bytes]:
    """The lines of a file, with their ends.

    Raises:
        OSError: it cannot be read, or has a line without an end, such as /dev/zero.
    """
    while line := file.readline(_MOST + 1):
        if len(line) > _MOST:
            raise OSError(EFBIG, f"a line longer than {_MOST >> 20} MiB", file.name)
        yield line
