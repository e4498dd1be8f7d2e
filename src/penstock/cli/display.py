"""What of a run is seen, and how: the outputs of jobs, and the progress of it all."""

from __future__ import annotations

from typing import NamedTuple

from penstock.cli.lines.run import RunOptions
from penstock.cli.outputs import Direct, Grouped, Outputs, Terms
from penstock.cli.spools import usual_limit
from penstock.cli.stdout import Stdout
from penstock.clock import MonotonicClock
from penstock.executor.attended import Attendant
from penstock.model.job import Pipeline
from penstock.proc.signals import SignalFlags

_OWN_DESCRIPTORS = 24
_DESCRIPTORS_A_JOB = 3  # two sockets while a worker is asked for, and a spool
_OWN_STREAMED = 64  # with those of what waits for its turn
_STREAMED_A_JOB = 5  # a pipe, and a file for what waits


class Display(NamedTuple):
    """What shows a run.

    Attributes:
        outputs: take what jobs print.
        reader: the descriptor whose reader the run depends on; None if the jobs have
            that themselves.
    """

    outputs: Outputs
    reader: int | None

    @property
    def attendants(self) -> tuple[Attendant, ...]:
        """Who has something to do while jobs run."""
        return (
            ()
            if isinstance(self.outputs, Direct) and self.reader is None
            else (self.outputs,)
        )

    @property
    def wakes(self) -> tuple[int, ...]:
        """What tells that they have."""
        descriptor = self.outputs.fileno()
        return () if descriptor is None else (descriptor,)


def descriptors(given: RunOptions) -> tuple[int, int]:
    """How many are needed in any case, and for each job that runs."""
    if given.output in ("line", "live"):
        return _OWN_STREAMED, _STREAMED_A_JOB
    return _OWN_DESCRIPTORS, _DESCRIPTORS_A_JOB


def open_display(
    given: RunOptions,
    pipeline: Pipeline,
    slots: int,
    directory: str | None,
    stop: SignalFlags,
) -> Display:
    """What the line asks for; where it does not say, outputs do not mix.

    Args:
        given: the command line.
        pipeline: that is to be run.
        slots: how many jobs may run at once.
        directory: of the run; None if it could not be made.
        stop: tells when the run is to stop.
    """
    several = len(pipeline.jobs) > 1 or bool(pipeline.families)
    mode = given.output or ("group" if slots > 1 and several else None)
    if mode is None and not given.tag:
        return Display(Direct(), None)
    limit = given.spool_limit or usual_limit(directory)
    terms = Terms(Stdout(stop), directory, limit, given.tag)
    return Display(_outputs(mode or "line", terms), 1)


def _outputs(mode: str, terms: Terms) -> Outputs:
    clock = MonotonicClock()
    if mode in ("group", "quiet"):
        return Grouped(terms, clock, failed_only=mode == "quiet")
    from penstock.cli.streamed import Lines, Streamed  # noqa: PLC0415 (only if used)
    from penstock.cli.turns import Turns  # noqa: PLC0415

    press = Lines(terms) if mode == "line" else Turns(terms)
    return Streamed(terms, clock, press)
