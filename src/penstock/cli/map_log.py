"""The job log of `map`: GNU parallel's columns, and what can be resumed from them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from penstock.cli.map_outputs import Outputs
from penstock.cli.streams import warn
from penstock.errors import UsageError
from penstock.model.event import Event, JobEnded
from penstock.model.outcome import (
    Cancelled,
    Exited,
    Outcome,
    Signaled,
    TimedOut,
)
from penstock.model.success import EXITED
from penstock.proc.disk import lines_of
from penstock.proc.signals import SignalFlags
from penstock.proc.transfer import Outlet

_COLUMNS = (
    b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
)
_MOST_DIGITS = 20
_PAGE = 1 << 12
_EXITVAL, _SIGNAL = 6, 7  # positions of columns


def open_log(path: str) -> int:
    """A descriptor of the job log; of a FIFO, once somebody reads it.

    Raises:
        UsageError: it cannot be opened.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
    try:
        return os.open(path, flags, 0o666)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


class JobLog:
    """A `Sink` that writes a line for each job that was run to its end.

    A record must never cost the run that it records: what cannot be written is told
    once, and the rest of it is not written.

    Args:
        descriptor: of the file, which is closed here.
        path: of the file.
        outputs: say how much a job has printed, and what became of that. A line is
            written when it has been printed; one of which something is lost has none,
            so that `--resume` runs it again.
        stop: what ends the wait for a reader.
        appending: go on behind what is there.

    Attributes:
        is_whole: every line was written.
    """

    def __init__(
        self,
        descriptor: int,
        path: str,
        outputs: Outputs,
        stop: SignalFlags,
        *,
        appending: bool,
    ) -> None:
        self.is_whole = True
        self._put_off: dict[str, bytes] = {}  # lines of jobs whose output waits
        self._descriptor = descriptor
        self._path = path
        self._size_of, self._fates = outputs.size_of, outputs.fates
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._outlet = None if is_file else Outlet(descriptor, stop)
        if is_file and not appending:
            os.ftruncate(descriptor, 0)
        if not os.fstat(descriptor).st_size:
            self._write(_COLUMNS)
        elif not _ends_well(path):
            self._write(b"\n")

    def receive(self, event: Event) -> None:
        """Write the line of a job that has ended."""
        if not isinstance(event, JobEnded):
            return
        name = event.job.name
        self._put_off[name] = self._line(event)
        self._catch_up()
        if not self._fates.is_put_off(name):
            self._settle(name)

    def close(self) -> None:
        """Close the file; what was not printed has no line."""
        self._catch_up()
        os.close(self._descriptor)

    def _catch_up(self) -> None:
        """Write the lines of jobs whose output has been printed since."""
        for name in self._fates.take_printed():
            self._settle(name)

    def _settle(self, name: str) -> None:
        """Write the line of a job, unless that was done, or something of it is lost."""
        line = self._put_off.pop(name, b"")
        if not self._fates.is_lost(name):
            self._write(line)

    def _line(self, event: JobEnded) -> bytes:
        """What is written of a job; nothing of one that was cut short."""
        job, outcome = event.job, event.outcome
        size = self._size_of(job.name)
        if _is_cut_short(outcome):
            return b""
        code, signal = _status(outcome)
        text = " | ".join(stage.command.typed for stage in job.stages)
        fields = (
            job.name,
            ":",
            f"{event.at - outcome.elapsed:.3f}",
            f"{outcome.elapsed:10.3f}",
            "0",
            str(size),
            str(code),
            str(signal),
            text.replace("\n", " "),
        )
        return os.fsencode("\t".join(fields)) + b"\n"

    def _write(self, line: bytes) -> None:
        """Write a line, unless one before it could not be written."""
        if not self.is_whole:
            return
        why: str | None = None
        try:
            if self._outlet is None:
                while line:  # a disk that becomes full takes a part, and then says why
                    line = line[os.write(self._descriptor, line) :]
            elif not self._outlet.write(line):
                why = "its reader did not read"
        except OSError as error:
            why = error.strerror
        if why is not None:
            self.is_whole = False
            warn(f"the job log {self._path} is incomplete: {why}")


def _ends_well(path: str) -> bool:
    """Whether the last line of a log is whole; a run that was killed may tear one."""
    try:
        with open(path, "rb") as log:
            log.seek(-1, os.SEEK_END)
            return log.read() == b"\n"
    except OSError:
        return True  # no file, but a FIFO, say


def read_log(path: str, *, successes: bool) -> Callable[[int], bool]:
    """Whether the job of a number need not be run again, by an earlier log.

    Args:
        path: of the log; without one, all are to be run.
        successes: only jobs that succeeded count.

    Raises:
        UsageError: it cannot be read.
    """
    done: dict[int, bytearray] = {}  # there may be a million, and gaps between them
    try:
        with open(path, "rb") as log:
            for line in lines_of(log):
                columns = line.split(b"\t")
                if len(columns) <= _SIGNAL or not _is_number(columns[0]):
                    continue
                number = int(columns[0])
                page = done.get(number // _PAGE)
                if page is None:
                    page = done[number // _PAGE] = bytearray(_PAGE)
                well = columns[_EXITVAL] == columns[_SIGNAL] == b"0"
                page[number % _PAGE] = well or not successes
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None

    def is_done(number: int) -> bool:
        page = done.get(number // _PAGE)
        return page is not None and bool(page[number % _PAGE])

    return is_done


def _is_number(column: bytes) -> bool:
    """Whether it can be the number of a job; int() is slow on a megabyte of digits."""
    return column.isdigit() and len(column) < _MOST_DIGITS


def _is_cut_short(outcome: Outcome) -> bool:
    """Whether it was not run to its end for a reason that is not its own.

    As in GNU parallel, it has no line: `--resume` runs it again. Nor has one that ended
    well, and of which we could not save what it printed.
    """
    is_unsaved = outcome.ending == EXITED and not outcome.ok and outcome.trouble is None
    return isinstance(outcome.ending, Cancelled) or is_unsaved


def _status(outcome: Outcome) -> tuple[int, int]:
    """Exit value and signal; (0, 0) for success only. A timeout's exit value is -1."""
    ending = outcome.ending
    if isinstance(ending, TimedOut):
        status = ending.status
        return -1, status.signal if isinstance(status, Signaled) else 0
    if isinstance(ending, Signaled):
        return 0, ending.signal
    code = ending.code if isinstance(ending, Exited) else outcome.status
    return code if outcome.ok or code else outcome.status, 0
