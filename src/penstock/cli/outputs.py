"""What becomes of the standard output of jobs: printed whole, or as it comes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from penstock.cli.spools import open_spool, print_spool
from penstock.cli.stdout import Stdout
from penstock.clock import Clock
from penstock.executor.attended import Refusal
from penstock.model.job import Job
from penstock.model.outcome import Cancelled, Outcome
from penstock.report.plain import visible
from penstock.report.words import size
from penstock.typed import NamedTuple, Protocol

_FASTEST = 1 << 30  # bytes a second that commands may write into memory
_SOONEST, _LATEST = 0.1, 10.0  # seconds from one look at the spools to the next
TOO_MUCH = "printed too much to be kept"


class Outputs(Protocol):
    """Takes what jobs print, and is an `Attendant` (`penstock.executor.attended`)."""

    def fileno(self) -> int | None:
        """A descriptor that is readable when it is to be attended to."""
        ...

    def open(self, job: Job) -> int | None:
        """A descriptor for the job to print to; None: it prints where we do."""
        ...

    def end(self, job: Job, outcome: Outcome) -> Outcome:
        """The job is over: print what is to be printed now.

        Raises:
            StdoutClosed: nobody reads it any more.
            PenstockError: it cannot be written, or kept.
        """
        ...

    def close(self) -> None:
        """Drop what was not printed."""
        ...

    def due(self) -> float | None:
        """See `Attendant`."""
        ...

    def attend(self) -> Iterable[Refusal]:
        """See `Attendant`."""
        ...

    def stand_still(self) -> None:
        """See `Attendant`."""
        ...


class Terms(NamedTuple):
    """What outputs are printed by.

    Attributes:
        stdout: where to.
        directory: of the run, where spools are put; None if there is none.
        limit: how many bytes may wait in spools.
        is_tagged: each line begins with the name of its job.
    """

    stdout: Stdout
    directory: str | None
    limit: int
    is_tagged: bool

    def tag(self, job: Job) -> bytes:
        """What each line of the job's output begins with."""
        if not self.is_tagged:
            return b""
        return f"{visible(job.name)} | ".encode(errors="backslashreplace")


class Direct:
    """Jobs print where penstock does."""

    def fileno(self) -> int | None:
        """None."""
        return None

    def open(self, job: Job) -> int | None:  # noqa: ARG002 (an Outputs)
        """None."""
        return None

    def end(self, job: Job, outcome: Outcome) -> Outcome:  # noqa: ARG002 (an Outputs)
        """The outcome as it is."""
        return outcome

    def close(self) -> None:
        """Nothing is kept."""

    def due(self) -> float | None:
        """Never."""
        return None

    def attend(self) -> Iterable[Refusal]:
        """Nothing."""
        return ()

    def stand_still(self) -> None:
        """Nothing."""


class Grouped(Direct):
    """The output of a job is kept in a file, and printed when the job is over.

    The commands write into the file themselves, so it costs nothing; its size is
    looked at, the more often the less room there is.

    Args:
        terms: see there.
        clock: for when to look.
        failed_only: print the outputs of jobs that failed, and drop the others.
    """

    def __init__(self, terms: Terms, clock: Clock, *, failed_only: bool) -> None:
        self._terms = terms
        self._clock = clock
        self._failed_only = failed_only
        self._spools: dict[str, int] = {}
        self._refused: set[str] = set()
        self._next_look = 0.0

    def open(self, job: Job) -> int:
        """A new file."""
        if not self._spools:
            self._next_look = self._clock.now() + _SOONEST
        spool = open_spool(self._terms.directory, appends=True)
        self._spools[job.name] = spool
        return spool

    def end(self, job: Job, outcome: Outcome) -> Outcome:
        """Print what the job has printed, unless it is not wanted."""
        spool = self._spools.pop(job.name, None)
        if spool is None:
            return outcome
        outcome = told(job, outcome, self._refused, self._terms.limit)
        try:
            if not (self._failed_only and outcome.ok):
                print_spool(spool, self._terms.tag(job), self._terms.stdout)
        finally:
            os.close(spool)
        return outcome

    def close(self) -> None:
        """Drop what was not printed."""
        for spool in self._spools.values():
            os.close(spool)
        self._spools.clear()

    def due(self) -> float | None:
        """When the files are to be looked at."""
        return self._next_look if self._spools else None

    def attend(self) -> Iterator[Refusal]:
        """Refuse the job that has printed most, if all together is too much."""
        now = self._clock.now()
        if not self._spools or now < self._next_look:
            return
        sizes = {
            name: os.fstat(spool).st_size
            for name, spool in self._spools.items()
            if name not in self._refused
        }
        room = self._terms.limit - sum(sizes.values())
        if room < 0:
            largest = max(sizes, key=lambda name: sizes[name])
            self._refused.add(largest)
            yield Refusal(largest, TOO_MUCH)
        self._next_look = now + min(max(room / _FASTEST, _SOONEST), _LATEST)


def told(job: Job, outcome: Outcome, refused: set[str], limit: int) -> Outcome:
    """The outcome of a job that may have been refused for what it printed."""
    was_refused = job.name in refused
    refused.discard(job.name)
    if not was_refused or outcome.ok or not isinstance(outcome.ending, Cancelled):
        return outcome
    remark = (
        f"at most {size(limit)} may wait to be printed; see --spool-limit, or let the "
        "job write to a file by `stdout:`"
    )
    return outcome._replace(remark=outcome.remark or remark)
