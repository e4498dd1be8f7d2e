"""Disk: what a definition asks of the file system, as a seam.

Nothing in `spec` opens a file: whoever loads a definition says how one is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.typed import Protocol


class Disk(Protocol):
    """Reads what a definition names."""

    def read(self, path: str) -> bytes:
        """All of a file.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a file, one after the other, without their ends.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def glob(self, pattern: str) -> Iterator[str]:
        """The paths that match a pattern (glob(7), and `**`), sorted."""
        ...


class NoDisk:
    """A `Disk` on which there is nothing."""

    def read(self, path: str) -> bytes:
        """Nothing."""
        raise FileNotFoundError(2, "there is no file system to read from", path)

    def lines(self, path: str) -> Iterator[str]:
        """Nothing."""
        raise FileNotFoundError(2, "there is no file system to read from", path)

    def glob(self, pattern: str) -> Iterator[str]:  # noqa: ARG002 (nothing matches)
        """Nothing."""
        return iter(())
