"""What of a run is seen, and how: the outputs of jobs, and the progress of it all."""

from __future__ import annotations

import os

from penstock.cli import printing
from penstock.cli.lines.run import RunOptions
from penstock.cli.outputs import Direct, Grouped, Outputs, Terms
from penstock.cli.spools import usual_limit
from penstock.cli.stdout import Stdout
from penstock.cli.streams import colour
from penstock.clock import MonotonicClock
from penstock.executor.attended import Attendant
from penstock.executor.pool import Pool
from penstock.model.event import Sink
from penstock.model.job import Pipeline
from penstock.proc.signals import SignalFlags
from penstock.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.cli.bar import Bar

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
        bar: draws the progress; None if nobody looks.
    """

    outputs: Outputs
    reader: int | None
    bar: Bar | None

    @property
    def attendants(self) -> tuple[Attendant, ...]:
        """Who has something to do while jobs run."""
        outputs = () if self.reader is None else (self.outputs,)
        return outputs if self.bar is None else (*outputs, self.bar)

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """Who is to hear of the run."""
        return () if self.bar is None else (self.bar,)

    @property
    def wakes(self) -> tuple[int, ...]:
        """What tells that they have."""
        descriptor = self.outputs.fileno()
        return () if descriptor is None else (descriptor,)

    def look_at(self, pool: Pool, nursery: int) -> None:
        """Tell how much memory the jobs of `pool` hold."""
        if self.bar is not None:
            from penstock.proc.held import Held  # noqa: PLC0415 (only if drawn)

            held = Held(nursery)
            self.bar.memory = lambda: held.look(pool.peers())

    def close(self) -> None:
        """Take away what is drawn, and drop what was not printed."""
        if self.bar is not None:
            self.bar.close()
        self.outputs.close()


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
    mode = mode or ("line" if given.tag else None)
    draws, colours = _wants_bar(given, is_straight=mode is None), colour()
    if draws and mode is None and os.isatty(1):
        mode = "live"
    until = given.deadline and MonotonicClock().now() + given.deadline
    stdout = Stdout(stop, printing.make_way, until=until)
    bar = _bar(pipeline, stdout, colours=colours) if draws else None
    if mode is None:
        return Display(Direct(), None, bar)
    limit = given.spool_limit or usual_limit(directory)
    terms = Terms(stdout, directory, limit, given.tag)
    return Display(_outputs(mode, terms), 1, bar)


def _wants_bar(given: RunOptions, *, is_straight: bool) -> bool:
    """Whether progress is drawn: on a terminal that can move its cursor, to a person.

    Args:
        given: the command line.
        is_straight: jobs print where we do, so that there is no place for it, if that
            is the terminal.
    """
    environ = os.environ
    if given.progress == "never" or given.json or not os.isatty(2):
        return False
    if environ.get("TERM", "dumb") == "dumb":
        return False
    if given.progress == "always":
        return True
    if given.quiet or environ.get("NO_COLOR") or environ.get("MAKELEVEL"):
        return False
    return not (is_straight and os.isatty(1))


def _bar(pipeline: Pipeline, stdout: Stdout, *, colours: bool) -> Bar:
    from penstock.cli.bar import Bar  # noqa: PLC0415 (only if drawn)
    from penstock.report.progress import Progress  # noqa: PLC0415

    frame = (pipeline.setup, pipeline.teardown)
    total = len(pipeline.jobs) + sum(job is not None for job in frame)
    return Bar(
        Progress(None if pipeline.families else total),
        MonotonicClock(),
        colour=colours,
        screen=stdout if os.isatty(1) else None,
    )


def _outputs(mode: str, terms: Terms) -> Outputs:
    clock = MonotonicClock()
    if mode in ("group", "quiet"):
        return Grouped(terms, clock, failed_only=mode == "quiet")
    from penstock.cli.streamed import Lines, Streamed  # noqa: PLC0415 (only if used)
    from penstock.cli.turns import Turns  # noqa: PLC0415

    press = Lines(terms) if mode == "line" else Turns(terms)
    return Streamed(terms, clock, press)
