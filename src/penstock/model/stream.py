"""Where a standard stream of a stage comes from, or goes to.

A stream that is joined to another stage is not described here: that is a
`Link`, and overrides what the stage says of the same stream.
"""

from __future__ import annotations

from penstock.typed import NamedTuple


class Null(NamedTuple):
    """``/dev/null``: nothing to read, nothing kept."""

    device: str = "/dev/null"


class Inherit(NamedTuple):
    """The worker's own descriptor of that number, which it has from the user."""

    number: int


class Handed(NamedTuple):
    """A descriptor that the submitter handed along with the job, by its position."""

    position: int


class Input(NamedTuple):
    """A file to read.

    Attributes:
        path: as the user gave it; relative to where penstock runs.
        access: fixed; keeps an Input unequal to every other stream.
    """

    path: str
    access: str = "r"


class Output(NamedTuple):
    """A file that appears under `path` only when the job has succeeded.

    Until then it is `partial`, in the same directory, so that the rename is atomic
    (rename(2)). A device, FIFO or socket is written to directly instead.
    """

    path: str
    partial: str


class Direct(NamedTuple):
    """A file that is written as the command goes: what a log needs.

    Attributes:
        path: as the user gave it; relative to where penstock runs.
        access: "w", it is emptied at the start; "a", what is there stays.
    """

    path: str
    access: str = "w"


class Log(NamedTuple):
    """Diagnostics: read by the worker, kept in a file, the end shown on failure.

    The worker stands between command and disk, so that a full disk costs the log
    and never blocks or fails the command.

    Attributes:
        path: the log file; None keeps only the tail.
        tail_bytes: how much of the end travels with the outcome.
    """

    path: str | None
    tail_bytes: int = 8192


class Keep(NamedTuple):
    """A file without a name, which the worker hands back with the outcome.

    Attributes:
        number: 1 or 2: with what the job writes to stdout, or to stderr; stages of one
            job that have the same one write behind each other.
    """

    number: int


Stdin = Null | Inherit | Handed | Input
Stdout = Null | Inherit | Handed | Output | Direct | Keep
Stderr = Null | Inherit | Handed | Direct | Log | Keep
