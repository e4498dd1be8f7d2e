"""Outputs: what a job makes; how it stood before, and what is left of a failed try."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import product

from penstock.model.job import Job
from penstock.model.stream import Direct, Output
from penstock.state.contents import identity_of
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

Sign: TypeAlias = "tuple[int, ...] | None"
"""What tells whether a file is still the same; None: it is not there."""

Signs: TypeAlias = Mapping[str, Sign]

_DIRECTORY = (0,)


def outputs_of(job: Job) -> tuple[str, ...]:
    """The paths of all that `job` makes, as it names them."""
    paths = [*job.policy.outputs]
    paths.extend(
        stage.stdout.path
        for stage in job.stages
        if isinstance(stage.stdout, Output) and not is_device(stage.stdout.path)
    )
    return tuple(dict.fromkeys(paths))


def written_by(job: Job) -> tuple[str, ...]:
    """What only one run may write: all that `job` makes, and files for diagnostics.

    What is appended to may have several writers, as any log.
    """
    logs = [
        stage.stderr.path
        for stage in job.stages
        if isinstance(stage.stderr, Direct)
        and stage.stderr.access == "w"
        and not is_device(stage.stderr.path)
    ]
    return (*outputs_of(job), *logs)


def is_device(path: str) -> bool:
    """Whether `path` is written to, but not made: a device, a FIFO, a socket."""
    if path.startswith("/dev/"):
        return True
    with suppress(OSError, ValueError):
        mode = os.stat(path).st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


def real(path: str) -> str:
    """The one name of a file, whatever it is called."""
    try:
        return os.path.realpath(path)
    except ValueError:  # a NUL in the path
        return path


def signs_of(paths: Iterable[str]) -> dict[str, Sign]:
    """How outputs stand after a success; what a copy with its times has as well.

    A directory is only there or not: what is in it may change while others work.
    """
    signs: dict[str, Sign] = {}
    for path in paths:
        signs[path] = None
        with suppress(OSError, ValueError):
            status = os.stat(path)
            is_directory = stat.S_ISDIR(status.st_mode)
            whole = (status.st_size, status.st_mtime_ns)
            signs[path] = _DIRECTORY if is_directory else whole
    return signs


def describe_missing(job: Job, missing: Sequence[str]) -> str:
    """That `job` did not make some of its outputs, and where they may be instead."""
    told = f"did not make {', '.join(missing)}"
    cwds = dict.fromkeys(stage.command.cwd for stage in job.stages)
    for path, cwd in product(missing, filter(None, cwds)):
        below = os.path.join(cwd, path)
        if os.path.exists(below):
            where = "outputs are relative to the directory that penstock runs in"
            return f"{told}, but there is {below}: {where}"
    return told


def signs_before(paths: Iterable[str]) -> dict[str, Sign]:
    """How outputs stand before a try: both what they are called and what that is."""
    signs: dict[str, Sign] = {}
    for path in paths:
        for name in (os.path.abspath(path), real(path)):
            signs[name] = _own_sign(name)
    return signs


def discard(before: Signs) -> None:
    """Remove what a failed try has made or changed.

    A directory that was there before stays: nobody can tell what in it was made now.
    """
    for path, sign in before.items():
        now = _own_sign(path)
        if now in (None, sign):
            continue
        with suppress(OSError):
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
            elif sign is None:
                import shutil  # noqa: PLC0415 (hardly ever needed)

                shutil.rmtree(path, ignore_errors=True)


def _own_sign(path: str) -> Sign:
    """Of the thing itself, be it a symbolic link."""
    try:
        return tuple(identity_of(os.lstat(path)))
    except (OSError, ValueError):
        return None
