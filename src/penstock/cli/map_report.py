"""How a run of `map` is told: what commands cannot say themselves, and the status."""

from __future__ import annotations

import os
from collections.abc import Callable

from penstock.cli.lines.map import MapOptions
from penstock.engine import RunResult
from penstock.model.event import Event, JobEnded, RanShort, Sink
from penstock.model.outcome import TROUBLE, Cancelled, Exited


class Reporter:
    """A `Sink` that tells of failures, and in the end how all went.

    Args:
        given: the line.
        place_of: where what a failed job has written was saved, by its name.
    """

    def __init__(
        self, given: MapOptions, place_of: Callable[[str], str | None] | None = None
    ) -> None:
        self._given = given
        self._place_of = place_of or (lambda _: None)

    def sinks(self) -> list[Sink]:
        """Who hears of the run: this, and what the line asks for."""
        if self._given.json:
            from penstock.cli.streams import stderr, warn  # noqa: PLC0415 (only if used)
            from penstock.report.journal import JsonLines  # noqa: PLC0415

            return [self, JsonLines(stderr(), warn)]
        if self._given.verbose:
            from penstock.cli.streams import colour, stderr  # noqa: PLC0415
            from penstock.report.console import Console  # noqa: PLC0415

            return [self, Console(stderr(), verbosity="verbose", colour=colour())]
        return [self]

    def receive(self, event: Event) -> None:
        """Tell what is to be told."""
        match event:
            case JobEnded(job, outcome):
                by_itself = isinstance(outcome.ending, (Exited, Cancelled))
                told = (outcome.ok or by_itself) and not outcome.trouble
                place = None if outcome.ok else self._place_of(job.name)
                if not told or place or outcome.stragglers or outcome.survivors:
                    self._tell(event, place)
            case RanShort() if not (self._is_watched or self._given.quiet):
                from penstock.cli.printing import tell  # noqa: PLC0415 (hardly ever)
                from penstock.report.words import describe_shortage  # noqa: PLC0415

                tell(f"penstock: {describe_shortage(event)}\n")
            case _:
                return

    def status(self, result: RunResult) -> int:
        """The exit status of the run."""
        if result.faults:
            return TROUBLE
        tally, halt = result.tally, self._given.halt
        if halt is not None:
            tally = tally._replace(cancelled=0)  # as was asked for
            if halt.on == "success" and halt.is_reached(tally.succeeded, tally.failed):
                tally = tally._replace(failed=0, timed_out=0)
        return tally.status

    @property
    def _is_watched(self) -> bool:
        """Whether others tell of the run."""
        return self._given.json or self._given.verbose

    def _tell(self, ended: JobEnded, place: str | None) -> None:
        """Say what the command itself cannot have said; what it has said is there."""
        job, outcome = ended.job, ended.outcome
        if self._is_watched or (self._given.quiet and not outcome.survivors):
            return
        from penstock.cli.printing import tell  # noqa: PLC0415 (only now)
        from penstock.report.failure import format_failure, leftovers  # noqa: PLC0415
        from penstock.report.plain import visible  # noqa: PLC0415

        if not outcome.ok:
            told = format_failure(job, outcome, os.environ.get("PATH"))
            where = f"  results:  {visible(place)}\n" if place else ""
            tell(f"penstock: job {told}{where}")
            return
        for _, text in leftovers(outcome):
            tell(f"penstock: job {job.name}: {text}\n")
