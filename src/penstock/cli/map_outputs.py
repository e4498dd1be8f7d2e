"""What becomes of what the jobs of `map` print, as the line asks for it."""

from __future__ import annotations

from collections.abc import Callable

from penstock.cli.lines.map import MapOptions
from penstock.cli.local import Waker
from penstock.cli.map_jobs import Commands, MapJobs
from penstock.cli.map_output import Printer
from penstock.cli.map_source import Input
from penstock.engine import Dispatch, Plain
from penstock.errors import UsageError
from penstock.model.outcome import Outcome
from penstock.proc.signals import SignalFlags
from penstock.typed import NamedTuple, Protocol


class Part(Protocol):
    """What has to be closed."""

    def close(self) -> None:
        """Drop what was not printed."""
        ...


class Fates(Protocol):
    """What became of the outputs of jobs, for the job log."""

    def is_put_off(self, name: str) -> bool:
        """Whether that of a job waits for its turn."""
        ...

    def is_lost(self, name: str) -> bool:
        """Whether some of it is not where it was to go."""
        ...

    def take_printed(self) -> list[str]:
        """The jobs whose outputs have had their turn since this was asked last."""
        ...


class NoFates:
    """`Fates` where commands print for themselves, or each to its own file."""

    def is_put_off(self, name: str) -> bool:  # noqa: ARG002 (a Fates)
        """Never."""
        return False

    def is_lost(self, name: str) -> bool:  # noqa: ARG002 (a Fates)
        """Never."""
        return False

    def take_printed(self) -> list[str]:
        """None."""
        return []


class Outputs(NamedTuple):
    """What takes what jobs print.

    Attributes:
        dispatch: is asked before and after each job.
        waker: tells when there is something to do, or to read.
        reader: the descriptor whose reader the run depends on, if it does.
        size_of: the bytes that a job has printed, by its name; each one asked once.
        screen: what prints on the terminals of ours, if anything does.
        place_of: where what a failed job has printed was saved, by its name.
        fates: what became of the output of each job.
        finish: prints what waits for jobs that never came to a good end.
        parts: to be closed at the end.
    """

    dispatch: Dispatch
    waker: Waker
    reader: int | None = None
    size_of: Callable[[str], int] = lambda _: 0
    place_of: Callable[[str], str | None] | None = None
    screen: Printer | None = None
    fates: Fates = NoFates()
    finish: Callable[[], None] = lambda: None
    parts: tuple[Part, ...] = ()

    def close(self) -> None:
        """Drop what was not printed."""
        for part in self.parts:
            part.close()


def is_straight(given: MapOptions) -> bool:
    """Whether commands print where we do."""
    return given.ungroup and given.results is None


def open_outputs(
    given: MapOptions,
    commands: Commands,
    jobs: MapJobs,
    source: Input,
    final: Callable[[Outcome], Outcome | None],
    stop: SignalFlags,
) -> Outputs:
    """What the line asks for.

    Args:
        given: the line.
        commands: of the jobs.
        jobs: note what is needed of each.
        source: of the jobs.
        final: an outcome as it is told; None if the job is tried again.
        stop: tells once the run is to stop.

    Raises:
        UsageError: it asks for what does not go together.
    """
    _check(given)
    if given.results is not None:
        from penstock.cli.map_results import open_saver  # noqa: PLC0415 (only if used)

        saver = open_saver(given, commands, jobs, source.header, final)
        return Outputs(
            saver,
            source.gate,
            size_of=saver.take_size,
            place_of=saver.take_place,
        )
    if given.ungroup:
        return Outputs(Plain(), source.gate, reader=1)
    return _printed(given, commands, jobs, source, final, stop)


def _check(given: MapOptions) -> None:
    """Refuse ways to print that do not go together."""
    if given.group and (given.ungroup or given.line_buffer):
        raise UsageError("--group is neither -u nor --line-buffer: leave one out")
    if given.line_buffer and (given.keep_order or given.ungroup):
        raise UsageError("--line-buffer prints as lines come: leave out -k and -u")


def _printed(
    given: MapOptions,
    commands: Commands,
    jobs: MapJobs,
    source: Input,
    final: Callable[[Outcome], Outcome | None],
    stop: SignalFlags,
) -> Outputs:
    """What prints, each job's output whole or each line."""

    def is_final(outcome: Outcome) -> bool:
        return final(outcome) is not None

    text = given.tagstring or ((given.replace or "{}") if given.tag else None)
    tag_of = None if text is None else jobs.note(commands.tag(text))
    printer = Printer(
        is_final,
        tag_of=tag_of,
        ordered=given.keep_order,
        sized=given.joblog is not None,
        stop=stop,
        lifts=given.bar,
    )
    if given.keep_order:
        jobs.hold_while(lambda: printer.is_full)
    whole = Outputs(
        printer,
        source.gate,
        reader=1,
        size_of=printer.take_size,
        screen=printer,
        fates=printer,
        finish=printer.finish,
        parts=(printer,),
    )
    if not given.line_buffer:
        return whole
    from penstock.cli.map_lines import LinePrinter  # noqa: PLC0415 (only if used)

    lines = LinePrinter(source.gate, printer, tag_of, is_final)
    return whole._replace(dispatch=lines, waker=lines, parts=(printer, lines))
