"""Partial: what an output of a job is called until the job has succeeded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress


def name_partial(partial: str, run: str, number: int) -> str:
    """The name of one of a run's partials, which no other one has.

    >>> name_partial("out/.clients.txt.clients.part", "20261121-091500-4711", 1)
    'out/.clients.txt.clients.part.20261121-091500-4711.1'
    """
    return f"{partial}.{run}.{number}"


def remove_partials(run: str, paths: Iterable[str]) -> None:
    """Remove what a dead run left beside `paths`; what cannot be removed stays.

    Args:
        run: its name.
        paths: of what it made, beyond symbolic links.
    """
    for directory in {os.path.dirname(path) for path in paths}:
        with suppress(OSError, ValueError):
            for name in os.listdir(directory):
                head, _, number = name.rpartition(".")
                if head.endswith(f".part.{run}") and number.isdecimal():
                    os.unlink(os.path.join(directory, name))
