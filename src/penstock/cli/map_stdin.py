"""What the jobs of `map` read on their standard input: blocks, or their own values."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from penstock.cli.lines.map import MapOptions
from penstock.cli.map_jobs import BatchSource, MapJobs
from penstock.engine import Dispatch
from penstock.errors import PenstockError, UsageError
from penstock.model.action import PassJob
from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.model.stream import Handed
from penstock.proc.scratch import unnamed_file
from penstock.proc.signals import ToldToStopError, unless_told_to_stop
from penstock.source.batch import Batch
from penstock.source.blocks import (
    BLOCK_BYTES,
    Blocks,
    Border,
    PatternBorder,
    PlainBorder,
)
from penstock.source.gate import Gate
from penstock.source.records import Outlook
from penstock.spec.escapes import unescape
from penstock.spec.replace import Records

_NO_VALUES: Batch = ((),)


def check(given: MapOptions) -> None:
    """Refuse what makes no sense with `--pipe` or `--stdin`.

    Raises:
        UsageError: the line asks for that.
    """
    if not any(text.strip() for text in given.operands.command):
        raise UsageError("--pipe and --stdin need a command, for it to read")
    if given.pipe and given.stdin:
        raise UsageError("a job reads a block (--pipe) or its values (--stdin)")
    if given.many or given.joined:
        raise UsageError("-X and -m fill the command; for what it reads write -n")


class PipedBatches:
    """A batch without values for each block of the input.

    Attributes:
        block: of the batch that was given last.
    """

    def __init__(self, blocks: Blocks, *, may_last: bool) -> None:
        """Make batches of `blocks`.

        Args:
            blocks: of the input.
            may_last: it may take long to find one, so that a signal ends the search.
        """
        self._blocks = blocks
        self._may_last = may_last
        self._is_told = False
        self.block = b""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._is_told or self._blocks.is_over

    @property
    def outlook(self) -> Outlook:
        """Nothing for certain before the end."""
        return Outlook(0, self.is_over)

    def next(self) -> Batch | None:
        """The next batch; None if its block is not whole yet, or there is none."""
        block = self._find() if self._may_last else self._blocks.next()
        if block is None:
            return None
        self.block = block
        return _NO_VALUES

    def _find(self) -> bytes | None:
        try:
            return unless_told_to_stop(self._blocks.next)
        except ToldToStopError:  # whoever waits for signals will hear of it
            self._is_told = True
            return None


def piped(given: MapOptions, descriptor: int, gate: Gate) -> PipedBatches:
    """The blocks that the options of the line ask for.

    Raises:
        UsageError: they cannot be.
    """
    border = _border(given)
    if given.max_args and border == PlainBorder(b"", b""):
        raise UsageError("-N counts records, and with an empty --recend there are none")
    blocks = Blocks(
        descriptor,
        gate,
        border,
        given.block or BLOCK_BYTES,
        given.max_args,
        has_header=given.header is not None,
    )
    return PipedBatches(blocks, may_last=given.regexp)


def _border(given: MapOptions) -> Border:
    """Where records end; as in GNU parallel, --recstart alone leaves no other end."""
    end = given.recend
    start = given.recstart or ""
    if end is None:
        end = "" if start else "\n"
    if not given.regexp:
        return PlainBorder(_plain("--recend", end), _plain("--recstart", start))
    import re  # noqa: PLC0415 (only if used)

    from penstock.source.expression import with_sets  # noqa: PLC0415 (see above)

    try:
        end, start = with_sets(end), with_sets(start)
        return PatternBorder(os.fsencode(end), os.fsencode(start))
    except re.error as error:
        raise UsageError(f"--recstart, --recend: {error}") from None


def _plain(option: str, text: str) -> bytes:
    try:
        return unescape(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def values_of(records: Records, end: bytes) -> bytes:
    """The values of records as a command reads them: `end` behind each."""
    values = (value for record in records for value in record)
    return b"".join(os.fsencode(value) + end for value in values)


class Supplied:
    """A `Dispatch` that hands each job a file to read, over another dispatch.

    A file without a name: nothing waits for a command that reads slowly, or not at all,
    and it is read from its start again when the job is tried again.

    Args:
        inner: what else is done for each job.
        data_of: what the job is to read; asked once.
        is_final: whether a job that ended so is not tried again.
    """

    def __init__(
        self,
        inner: Dispatch,
        data_of: Callable[[Job], bytes],
        is_final: Callable[[Outcome], bool],
    ) -> None:
        self._inner = inner
        self._data_of = data_of
        self._is_final = is_final
        self._files: dict[str, int] = {}

    def before(self, job: Job) -> tuple[Job, Sequence[int]] | PassJob:
        """The job with its stdin.

        Raises:
            PenstockError: there is no room to keep it.
        """
        given = self._inner.before(job)
        if isinstance(given, PassJob):
            return given
        ready, descriptors = given
        if job.name not in self._files:
            self._files[job.name] = _file_with(self._data_of(job))
        file = self._files[job.name]
        os.lseek(file, 0, os.SEEK_SET)
        first = ready.stages[0]._replace(stdin=Handed(len(descriptors)))
        stages = (first, *ready.stages[1:])
        return ready._replace(stages=stages), (*descriptors, file)

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """The outcome as the other dispatch has it; the file is given up."""
        if self._is_final(outcome):
            os.close(self._files.pop(job.name))
        return self._inner.after(job, outcome)

    def close(self) -> None:
        """Give up what is left."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()


def supply(
    given: MapOptions,
    batches: BatchSource,
    jobs: MapJobs,
    inner: Dispatch,
    is_final: Callable[[Outcome], bool],
) -> Supplied:
    """What hands the jobs their blocks, or their values, over another dispatch."""
    if isinstance(batches, PipedBatches):
        data_of = jobs.note(lambda _: batches.block)
    else:
        end = b"\0" if given.null else b"\n"
        data_of = jobs.note(lambda filling: values_of(filling.records, end))
    return Supplied(inner, data_of, is_final)


def _file_with(data: bytes) -> int:
    """A file without a name that holds `data`."""
    try:
        file = unnamed_file()
    except OSError as error:
        raise PenstockError(_no_room(error)) from None
    try:
        at = 0
        while at < len(data):
            at += os.write(file, data[at:] if at else data)
    except OSError as error:
        os.close(file)
        raise PenstockError(_no_room(error)) from None
    return file


def _no_room(error: OSError) -> str:
    return f"cannot keep what a job is to read: {error.strerror}; try TMPDIR"
