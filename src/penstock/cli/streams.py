"""penstock's own standard error: where everything goes that is not data."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

from penstock.report.console import Verbosity, wants_colour
from penstock.report.plain import visible


def stderr() -> TextIO:
    """Standard error; a stream to nowhere if it was closed before we started."""
    if sys.stderr is None:
        return open(os.devnull, "w", encoding="utf-8")
    return sys.stderr


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
    return wants_colour(stderr(), os.environ)
