"""What becomes of the output of the jobs of `map`: printed whole, perhaps in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from penstock.cli.map_shelf import Piece, Printout, Shelf, piece_of
from penstock.cli.printing import make_way
from penstock.cli.stdout import StdoutClosed, chunks_of, tagged
from penstock.errors import PenstockError
from penstock.model.job import Job
from penstock.model.outcome import NOTHING_KEPT, Outcome
from penstock.proc.signals import SignalFlags
from penstock.proc.transfer import Outlet

_MOST_WAITING = 1 << 14  # outputs, each of which takes half a KiB beside its bytes


class Printer:
    """A `Dispatch` that prints the output of each job when it is over.

    Args:
        is_final: whether a job that ended so is not tried again.
        tag_of: what each line of a job's output begins with; None: nothing.
        ordered: in the order in which the jobs were started.
        sized: note how much each job has printed, for `take_size`.
        stop: tells once the run is to stop.
        lifts: something is drawn on a terminal; it gives way to what is printed there.

    Attributes:
        is_mid_line: the last byte printed on that terminal did not end a line.
    """

    def __init__(
        self,
        is_final: Callable[[Outcome], bool],
        *,
        tag_of: Callable[[Job], bytes] | None,
        ordered: bool,
        sized: bool,
        stop: SignalFlags,
        lifts: bool = False,
    ) -> None:
        self._is_final = is_final
        self._tag_of = tag_of
        self._outlets = (Outlet(1, stop), Outlet(2, stop))
        self._is_open = [True, True]
        self._is_stopped = [False, False]
        self._lost: set[str] = set()
        self._broken: StdoutClosed | PenstockError | None = None  # not told yet
        self._printed: list[str] = []  # in order, for whoever asks for sizes
        self._shares = [lifts and os.isatty(number) for number in (1, 2)]
        self.is_mid_line = False
        self._shelf = Shelf() if ordered else None
        self._sizes: dict[str, int] | None = {} if sized else None

    @property
    def is_full(self) -> bool:
        """Whether so many outputs wait for their turn that no job is to be started."""
        return self._shelf is not None and self._shelf.waiting >= _MOST_WAITING

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job as it is; its turn is noted."""
        if self._shelf is not None:
            self._shelf.expect(job.name)
        return job, ()

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """Print what the job has written, or keep it until that is its turn.

        Raises:
            StdoutClosed: nobody reads it any more.
            PenstockError: it cannot be written, or kept.
        """
        is_final = self._is_final(outcome)
        tag = self._tag_of(job) if self._tag_of and is_final else b""
        if outcome.kept == NOTHING_KEPT and self._shelf is None:
            return outcome
        printout = Printout(tag, *map(piece_of, outcome.kept))
        if self._sizes is not None and is_final:
            self._sizes[job.name] = printout.out.size
        if not is_final:
            printout.close()
        elif self._shelf is None:
            try:
                self._print(job.name, printout)
            finally:
                printout.close()
        else:
            self._keep(self._shelf, job.name, printout)
        return outcome._replace(kept=NOTHING_KEPT)

    def put(self, name: str, number: int, tag: bytes, piece: Piece) -> None:
        """Print a piece of what a job has written to a stream, 1 or 2.

        Raises:
            StdoutClosed: nobody reads it any more.
            PenstockError: it cannot be written.
        """
        if self._sizes is not None and number == 1:
            self._sizes[name] = self._sizes.get(name, 0) + piece.size
        self._put(name, number - 1, tag, piece)

    def is_put_off(self, name: str) -> bool:
        """Whether what a job has printed waits for its turn."""
        return self._shelf is not None and self._shelf.holds(name)

    def is_lost(self, name: str) -> bool:
        """Whether something of what a job has printed is not where it was to go."""
        return name in self._lost

    def take_printed(self) -> list[str]:
        """The jobs whose outputs have had their turn since this was asked last."""
        printed, self._printed = self._printed, []
        return printed

    def take_size(self, name: str) -> int:
        """The bytes that a job has printed on stdout; forgotten here."""
        return 0 if self._sizes is None else self._sizes.pop(name, 0)

    def finish(self) -> None:
        """Print what waits for jobs that are not tried again; raises as `after`."""
        if self._broken is not None:
            raise self._broken
        if self._shelf is not None:
            for name, each in self._shelf.rest():
                self._print(name, each)

    def close(self) -> None:
        """Drop what was not printed."""
        if self._shelf is not None:
            self._shelf.close()

    def _keep(self, shelf: Shelf, name: str, printout: Printout) -> None:
        """Put it on the shelf, and print what has its turn.

        That the output of another job cannot be printed is told with the next one.
        """
        if self._broken is not None:
            self._lose(name, printout)
            raise self._broken
        try:
            shelf.put(name, printout)
        except OSError as error:
            self._lose(name, printout)
            why = f"cannot keep what a job printed: {error.strerror}; try TMPDIR"
            raise PenstockError(why) from None
        for waiting, each in shelf.turns():
            try:
                self._print(waiting, each)
            except (StdoutClosed, PenstockError) as error:
                if waiting == name:
                    raise
                self._broken = error
                return

    def _lose(self, name: str, printout: Printout) -> None:
        self._lost.add(name)
        printout.close()

    def _print(self, name: str, printout: Printout) -> None:
        """Print stdout, then stderr."""
        for number, piece in enumerate(printout[1:]):
            self._put(name, number, printout.tag, piece)
        if self._shelf is not None and self._sizes is not None:
            self._printed.append(name)

    def _put(self, name: str, number: int, tag: bytes, piece: Piece) -> None:
        if not piece.size:
            return
        if not self._is_open[number]:
            if self._is_stopped[number]:
                self._lost.add(name)
            return
        if self._shares[number]:
            make_way()
            self.is_mid_line = piece.last != b"\n"
        try:
            self._is_open[number] = _send(self._outlets[number], tag, piece)
        except OSError as error:
            self._fail(name, number, error)
        else:
            if not self._is_open[number]:
                self._is_stopped[number] = True
                self._lost.add(name)

    def _fail(self, name: str, number: int, error: OSError) -> None:
        """A piece could not be written; of stderr there is nobody to tell."""
        if number == 1:
            self._is_open[number] = False
            return
        self._lost.add(name)
        if isinstance(error, BrokenPipeError):
            raise StdoutClosed from None
        why = f"cannot write to standard output: {error.strerror}"
        raise PenstockError(why) from None


def _send(outlet: Outlet, tag: bytes, piece: Piece) -> bool:
    """Print a piece; False if that was stopped."""
    if tag:
        return all(outlet.write(data) for data in tagged(tag, _chunks(piece)))
    if piece.descriptor is None:
        return outlet.write(piece.data)
    return outlet.move(piece.descriptor, piece.start, piece.end)


def _chunks(piece: Piece) -> Iterable[bytes]:
    if piece.descriptor is None:
        return (piece.data,)
    return chunks_of(piece.descriptor, piece.start, piece.end)
