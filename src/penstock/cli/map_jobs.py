"""From the values of `map` to its jobs: one for each batch of records."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache

from penstock.cli.lines.map import MapOptions
from penstock.cli.options import Share
from penstock.errors import PenstockError, UsageError
from penstock.model.command import Command
from penstock.model.job import Job, Link, Stage, chain
from penstock.model.limits import GRACE, LINGER, Limits
from penstock.model.stream import Inherit, Keep, Null, Stderr, Stdout
from penstock.source.batch import Batch
from penstock.source.combine import Record
from penstock.source.records import Outlook
from penstock.spec.program import LONGEST_ARGUMENT_BYTES
from penstock.spec.quoting import quote
from penstock.spec.replace import (
    Blank,
    CommandTemplate,
    Filling,
    Piece,
    UnquotableError,
    fill_plain,
    read_blanks,
)
from penstock.spec.words import command_from_text
from penstock.typed import NamedTuple, Protocol, TypeVar

_BLANKS = " \t\n"
_ENVIRONMENT = "PENSTOCK_S"  # what the names of all variables of a job begin with
_RESERVE = 4096  # bytes, for what the kernel and the shell put beside a command
_LARGEST = 10**9
_POINTER_BYTES = 9  # and the NUL of a word

T = TypeVar("T")


class Streams(NamedTuple):
    """Where jobs print to."""

    stdout: Stdout
    stderr: Stderr


GROUPED = Streams(Keep(1), Keep(2))
UNGROUPED = Streams(Inherit(1), Inherit(2))


class Commands:
    """The commands of a line: filled in for each job.

    Args:
        given: the line.
        names: of columns, with their positions.

    Attributes:
        needs_slot: a command, a tag or a name of results asks for the slot's number.
    """

    def __init__(self, given: MapOptions, names: dict[str, int]) -> None:
        self._names = names
        self._value = given.replace or "{}"
        self._joined = given.joined
        self._shell = given.shell
        pieces = [self.pieces(text) for text in _texts(given)]
        reads = given.pipe or given.stdin
        blanks = (p for each in pieces for p in each if isinstance(p, Blank))
        if pieces and not reads and not any(blanks):
            pieces[0] = [*pieces[0], " ", Blank("{}")]
        self.templates = [self.template(each) for each in pieces]
        self._tells = any(_ENVIRONMENT in text for text in given.operands.command)
        others = [
            self.pieces(text) for text in (given.tagstring, given.results) if text
        ]
        self.needs_slot = self._tells or any(
            isinstance(piece, Blank) and piece.what == "slot"
            for each in (*pieces, *others)
            for piece in each
        )

    def template(self, pieces: Sequence[Piece]) -> CommandTemplate:
        """What fills in `pieces`."""
        return CommandTemplate(pieces, joined=self._joined, shell=self._shell)

    def fill(self, filling: Filling) -> tuple[Command, ...]:
        """The commands of one job.

        Raises:
            PenstockError: a value cannot be put where it is to stand.
        """
        if self.templates:
            env = _environment(filling) if self._tells else ()
            try:
                return tuple([each.fill(filling, env) for each in self.templates])
            except UnquotableError as error:
                raise _unquotable(error, f"job {filling.number}: ") from None
        text = " ".join(value for record in filling.records for value in record)
        if self._shell is not None:
            return (Command((*self._shell, "-c", text), text.strip() or ":"),)
        return (command_from_text(text if text.strip() else ":"),)

    def cost(self, record: Record) -> int:
        """How much a record adds to the largest command, in bytes.

        Raises:
            PenstockError: a value cannot be put where it is to stand.
        """
        try:
            return max(
                _size(template, (record,)) - _size(template, ())
                for template in self.templates
            )
        except UnquotableError as error:
            raise _unquotable(error) from None

    @property
    def room(self) -> int:
        """How many bytes of values fit into a command, so that execve(2) takes it."""
        fixed = max(_size(template, ()) for template in self.templates)
        environment = sum(len(k) + len(v) + 10 for k, v in os.environb.items())
        whole = os.sysconf("SC_ARG_MAX") - environment
        return max(1, min(LONGEST_ARGUMENT_BYTES, whole) - fixed - _RESERVE)

    def pieces(self, text: str) -> list[Piece]:
        """A text with its blanks."""
        return [*read_blanks(text, self._names, self._value)]

    def tag(self, text: str) -> Callable[[Filling], bytes]:
        """What makes of `text`, which may have blanks, what lines begin with."""
        pieces = self.pieces(text)
        return lambda filling: os.fsencode(fill_plain(pieces, filling)) + b"\t"


class BatchSource(Protocol):
    """What each job is given, one after the other: `Batches`, say."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        ...

    @property
    def outlook(self) -> Outlook:
        """How many are still to come, as far as that is known."""
        ...

    def next(self) -> Batch | None:
        """The next one; None if it is not there yet, or there is none any more."""
        ...


class MapJobs:
    """The jobs, one after the other (`penstock.plan.feed.Jobs`).

    Args:
        batches: what each job is given.
        commands: what it runs.
        limits: of each job.
        streams: where it prints to.
    """

    def __init__(
        self,
        batches: BatchSource,
        commands: Commands,
        limits: Limits,
        streams: Streams,
    ) -> None:
        self._is_done: list[Callable[[Filling], bool]] = []
        self._batches = batches
        self._commands = commands
        self._limits = limits._replace(timeout=None)
        self._streams = streams
        self._stage_limits = limits
        self._links: dict[int, tuple[Link, ...]] = {}
        self._notes: list[Callable[[Filling], None]] = []
        self._is_held: Callable[[], bool] = _never
        self._number = self._left_out = 0

    @property
    def is_over(self) -> bool:
        """Whether no job will come any more."""
        return self._batches.is_over

    @property
    def outlook(self) -> Outlook:
        """How many jobs there are in all, as far as that is known."""
        known, is_all = self._batches.outlook
        if self._is_done:  # who knows which of those that come are to be left out
            known, is_all = 0, is_all and not known
        return Outlook(self._number - self._left_out + known, is_all)

    def total(self) -> int | None:
        """How many jobs there are in all, once that is known."""
        known, is_all = self.outlook
        return known if is_all else None

    def note(self, make: Callable[[Filling], T]) -> Callable[[Job], T]:
        """Note something of each job that is made from now on; takes it once for each.

        Args:
            make: it, of what there is to fill in for the job.
        """
        noted: dict[str, T] = {}

        def write(filling: Filling) -> None:
            noted[str(filling.number)] = make(filling)

        self._notes.append(write)
        return lambda job: noted.pop(job.name)

    def hold_while(self, is_held: Callable[[], bool]) -> None:
        """Give no job while `is_held` says so; it ends when one that runs does."""
        self._is_held = is_held

    def leave_out(self, is_done: Callable[[Filling], bool]) -> None:
        """Make no job that was run before, by what there is to fill in."""
        self._is_done.append(is_done)

    def next(self, slot: int) -> Job | None:
        """The next job, named by its number; None if there is none now."""
        filling = None if self._is_held() else self._next_filling(slot)
        if filling is None:
            return None
        commands = self._commands.fill(filling)
        for note in self._notes:
            note(filling)
        out, err = self._streams
        stages = tuple(
            [
                Stage(
                    _stage_name(command), command, Null(), out, err, self._stage_limits
                )
                for command in commands
            ]
        )
        links = self._links.get(len(stages))
        if links is None:
            links = self._links[len(stages)] = chain(len(stages))
        return Job(str(self._number), stages, links, (), self._limits)

    def _next_filling(self, slot: int) -> Filling | None:
        """What is for the next job that was not run before."""
        while (batch := self._batches.next()) is not None:
            self._number += 1
            filling = Filling(batch, self._number, slot)
            if not any(is_done(filling) for is_done in self._is_done):
                return filling
            self._left_out += 1
        return None


def _unquotable(error: UnquotableError, where: str = "") -> PenstockError:
    return PenstockError(
        f"{where}{error}\nhint: let a variable hold it first: x={{}}; ..."
    )


def _never() -> bool:
    return False


def _environment(filling: Filling) -> tuple[tuple[str, str], ...]:
    """The variables of a job."""
    number, slot = str(filling.number), str(filling.slot)
    return (("PENSTOCK_SEQ", number), ("PENSTOCK_SLOT", slot))


def _size(template: CommandTemplate, records: tuple[Record, ...]) -> int:
    """What a command with these records takes: its text, and a pointer for each word.

    The number and the slot are counted as long as they may become.
    """
    filling = Filling(records, _LARGEST, _LARGEST)
    text = os.fsencode(template.text(filling))
    words = sum(map(len, records))
    return len(text) + _POINTER_BYTES * words * len(template.blanks)


def limits_of(given: MapOptions) -> Limits:
    """The limits of each command of a job."""
    return Limits(  # to a share of the median, the plan sees
        timeout=None if isinstance(given.timeout, Share) else given.timeout,
        grace=GRACE if given.grace is None else given.grace,
        linger=LINGER if given.linger is None else given.linger,
    )


def _texts(given: MapOptions) -> tuple[str, ...]:
    """The commands as they were given: one, or those of a pipeline.

    Raises:
        UsageError: one of a pipeline is blank.
    """
    words = given.operands.command
    if not words:
        return ()
    if given.quote:
        return (" ".join(quote_template(word, given) for word in words),)
    if any(blank in words[0] for blank in _BLANKS):
        if not all(map(str.strip, words)):
            raise UsageError("a command of the pipeline is a blank text")
        return words
    return (" ".join(words),)


def quote_template(word: str, given: MapOptions) -> str:
    """A word for a shell text, in which blanks are still to be filled in."""
    pieces = read_blanks(word, None, given.replace or "{}")
    if any(isinstance(piece, Blank) for piece in pieces):
        return "".join(
            piece.text if isinstance(piece, Blank) else quote(piece) for piece in pieces
        )
    return quote(word)


def _stage_name(command: Command) -> str:
    return _base_name(command.typed.split(None, 1)[0])


@lru_cache(64)  # mostly the same one for all jobs
def _base_name(word: str) -> str:
    return os.path.basename(word)
