"""Wiring: which descriptor goes where, and who closes it, as a value.

The worker carries it out line by line; nothing about pipes is decided there.
"""

from __future__ import annotations

from typing import NamedTuple

from penstock.model.stream import Stderr, Stdin, Stdout


class PipeEnd(NamedTuple):
    """One end of one kernel pipe of a job.

    Attributes:
        pipe: number of the pipe, which is that of its `Link` in the job.
        side: "r" or "w".
    """

    pipe: int
    side: str


class StageWiring(NamedTuple):
    """What the worker does with descriptors around the start of one stage.

    Attributes:
        opens: pipes to make before the start.
        stdin, stdout, stderr: what the command gets as 0, 1 and 2.
        closes: ends that nobody else needs once this stage has been started.
    """

    opens: tuple[int, ...]
    stdin: Stdin | PipeEnd
    stdout: Stdout | PipeEnd
    stderr: Stderr
    closes: tuple[PipeEnd, ...]


Wiring = tuple[StageWiring, ...]
