"""Disk: the file system, for whoever reads a definition."""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EFBIG

_MOST = 1 << 28  # bytes: a million jobs have less


class LocalDisk:
    """The file system of this machine; relative paths are those of this process."""

    def read(self, path: str) -> bytes:
        """All of a file.

        Raises:
            OSError: it cannot be read, or has no end, such as /dev/zero.
        """
        with open(path, "rb") as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise OSError(EFBIG, f"longer than {_MOST >> 20} MiB", path)
        return data

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a file, without their ends; bytes that are no UTF-8 stay so.

        Raises:
            OSError: it cannot be read.
        """
        with open(path, "rb") as file:
            for line in file:
                yield os.fsdecode(line.removesuffix(b"\n"))

    def glob(self, pattern: str) -> Iterator[str]:
        """The paths that match a pattern (glob(7), and `**`), sorted."""
        from glob import iglob  # noqa: PLC0415 (hardly ever needed)

        return iter(sorted(iglob(pattern, recursive=True)))
