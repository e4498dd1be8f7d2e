"""penstock's own standard error: where everything goes that is not data."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import suppress

from penstock.cli.printing import put_stderr
from penstock.report.plain import visible
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from typing_extensions import Buffer

    from penstock.report.console import Verbosity


class _PatientStderr(io.RawIOBase):
    """Standard error, written to by `put_stderr`: not without a limit."""

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(2)

    def write(self, data: Buffer) -> int:
        """Write all, or drop what nobody reads."""
        whole = bytes(data)
        put_stderr(whole)
        return len(whole)


def stderr() -> TextIO:
    """Standard error, as a stream that never holds us up."""
    patient = io.BufferedWriter(_PatientStderr(), 1)
    return io.TextIOWrapper(patient, "utf-8", "backslashreplace", write_through=True)


def warn(text: str) -> None:
    """Tell the user something; a broken stderr is not worth failing for."""
    with suppress(OSError, ValueError):
        stream = stderr()
        stream.write(f"penstock: {visible(text)}\n")
        stream.flush()


def verbosity(*, quiet: bool, verbose: bool, environ: Mapping[str, str]) -> Verbosity:
    """How much to tell: as asked; under make, only failures."""
    if quiet:
        return "quiet"
    if verbose:
        return "verbose"
    return "quiet" if environ.get("MAKELEVEL") else "normal"


def colour() -> bool:
    """Whether to colour what goes to standard error."""
    from penstock.report.console import wants_colour  # noqa: PLC0415 (`warn` needs none)

    return wants_colour(stderr(), os.environ)
