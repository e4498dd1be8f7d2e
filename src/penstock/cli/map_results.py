"""The results of the jobs of `map`: what they print, saved in files and not printed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from penstock.cli.lines.map import MapOptions
from penstock.cli.map_jobs import Commands, MapJobs
from penstock.cli.map_places import LONGEST_NAME, Places, Results, Template, Tree
from penstock.cli.map_shelf import Piece, copy, piece_of
from penstock.errors import PenstockError, UsageError
from penstock.model.job import Job
from penstock.model.outcome import NOTHING_KEPT, Cancelled, Lost, Outcome
from penstock.spec.replace import Blank

_TABLES = (".csv", ".tsv", ".json")


class Saver:
    """A `Dispatch` that saves what each job has printed when it is over.

    Each file appears whole, under its name. `seq`, the number of the job, comes last,
    and only where the job has ended by itself or by a limit of its own: without it,
    `--resume` runs the job again.

    Args:
        results_of: the files of a job; asked once.
        final: an outcome as it is told; None if the job is tried again.
        sized: note how much each job has printed, for `take_size`.
    """

    def __init__(
        self,
        results_of: Callable[[Job], Results],
        final: Callable[[Outcome], Outcome | None],
        *,
        sized: bool,
    ) -> None:
        self._results_of = results_of
        self._final = final
        self._sizes: dict[str, int] | None = {} if sized else None
        self._places: dict[str, str] = {}  # of failures that nobody was told of yet

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job as it is."""
        return job, ()

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """Save what the job has written, unless it is tried again.

        Raises:
            PenstockError: it cannot be saved.
        """
        out, err = map(piece_of, outcome.kept)
        try:
            final = self._final(outcome)
            if final is not None:
                self._save(job, final, out, err)
        finally:
            out.close()
            err.close()
        return outcome._replace(kept=NOTHING_KEPT)

    def take_size(self, name: str) -> int:
        """The bytes that a job has written to stdout; forgotten here."""
        return 0 if self._sizes is None else self._sizes.pop(name, 0)

    def take_place(self, name: str) -> str | None:
        """Where what a failed job has written is, if anywhere; forgotten here."""
        return self._places.pop(name, None)

    def _save(self, job: Job, outcome: Outcome, out: Piece, err: Piece) -> None:
        results = self._results_of(job)
        if not any(stage.pid for stage in outcome.stages) and _is_cut_short(outcome):
            return  # it never ran
        if self._sizes is not None:
            self._sizes[job.name] = out.size
        if not (outcome.ok or isinstance(outcome.ending, Cancelled)):
            self._places[job.name] = results.place
        try:
            directory = os.path.dirname(results.out)
            if directory:
                os.makedirs(directory, exist_ok=True)
            with suppress(FileNotFoundError):
                os.unlink(results.seq)
            _put(out, results.out)
            _put(err, results.err)
            if not _is_cut_short(outcome):
                _put(Piece(os.fsencode(job.name)), results.seq)
        except OSError as error:
            why = f"cannot save the results of job {job.name} in {results.place}"
            raise PenstockError(f"{why}: {error.strerror}") from None


def open_saver(
    given: MapOptions,
    commands: Commands,
    jobs: MapJobs,
    header: Sequence[str],
    final: Callable[[Outcome], Outcome | None],
) -> Saver:
    """What saves the results that the line asks for.

    Raises:
        UsageError: they cannot be saved so.
    """
    places = _places(given, commands, header)
    if given.resume:
        jobs.leave_out(lambda filling: _has_results(places.of(filling)))
    sized = given.joblog is not None
    return Saver(jobs.note(places.of), final, sized=sized)


def _places(given: MapOptions, commands: Commands, header: Sequence[str]) -> Places:
    name = given.results or ""
    if given.line_buffer:
        raise UsageError("--results saves what jobs print: leave out --line-buffer")
    if name.lower().endswith(_TABLES):
        raise UsageError("--results makes no table: name a directory, or see --joblog")
    pieces = commands.pieces(name)
    if any(isinstance(piece, Blank) for piece in pieces):
        return Template(pieces)
    if given.pipe:
        raise UsageError("--results: a block has no name: write --results 'DIR/{#}/'")
    directory = name.rstrip("/") or "/"
    try:
        os.makedirs(directory, exist_ok=True)
        longest = os.pathconf(directory, "PC_NAME_MAX")
    except FileExistsError:
        raise UsageError(f"cannot save results in {name}: it is no directory") from None
    except OSError as error:
        raise UsageError(f"cannot save results in {name}: {error.strerror}") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"cannot save results in {name}: it is not ours to write in")
    return Tree(directory, header, min(longest, LONGEST_NAME))


def _has_results(results: Results) -> bool:
    return os.path.exists(results.seq) and os.path.exists(results.out)


def _is_cut_short(outcome: Outcome) -> bool:
    """Whether the job was not run to its end, for a reason that is not its own."""
    return isinstance(outcome.ending, (Cancelled, Lost))


def _put(piece: Piece, path: str) -> None:
    """Make a file with what is in a piece; it appears when it is whole."""
    partial = os.path.join(os.path.dirname(path), f".penstock-{os.getpid()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    file = os.open(partial, flags, 0o666)
    try:
        copy(piece, file)
        os.rename(partial, path)
    except OSError:
        os.unlink(partial)
        raise
    finally:
        os.close(file)
