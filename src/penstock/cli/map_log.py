"""The job log of `map`: GNU parallel's columns, and what can be resumed from them."""

from __future__ import annotations

import os
from collections.abc import Callable

from penstock.errors import UsageError
from penstock.model.event import Event, JobEnded
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Outcome,
    Signaled,
    TimedOut,
)

_COLUMNS = (
    b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
)
_EXITVAL, _SIGNAL = 6, 7  # positions of columns


class JobLog:
    """A `Sink` that writes a line for each job that has ended.

    Args:
        path: of the file.
        size_of: the bytes that a job has printed.
        appending: go on behind what is there.

    Raises:
        UsageError: it cannot be opened.
    """

    def __init__(
        self, path: str, size_of: Callable[[str], int], *, appending: bool
    ) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags if appending else flags | os.O_TRUNC)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from None
        self._size_of = size_of
        if not os.fstat(self._file).st_size:
            os.write(self._file, _COLUMNS)

    def receive(self, event: Event) -> None:
        """Write the line of a job that has ended."""
        if not isinstance(event, JobEnded) or _never_ran(event.outcome):
            return
        job, outcome = event.job, event.outcome
        code, signal = _status(outcome)
        text = " | ".join(stage.command.typed for stage in job.stages)
        fields = (
            job.name,
            ":",
            f"{event.at - outcome.elapsed:.3f}",
            f"{outcome.elapsed:10.3f}",
            "0",
            str(self._size_of(job.name)),
            str(code),
            str(signal),
            text.replace("\n", " "),
        )
        os.write(self._file, os.fsencode("\t".join(fields)) + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_log(path: str, *, successes: bool) -> Callable[[int], bool]:
    """Whether the job of a number need not be run again, by an earlier log.

    Args:
        path: of the log; without one, all are to be run.
        successes: only jobs that succeeded count.

    Raises:
        UsageError: it cannot be read.
    """
    done = bytearray()
    try:
        with open(path, "rb") as lines:
            for line in lines:
                columns = line.split(b"\t")
                if len(columns) <= _SIGNAL or not columns[0].isdigit():
                    continue
                number = int(columns[0])
                if number >= len(done):
                    done.extend(bytes(number + 1 - len(done)))
                well = columns[_EXITVAL] == columns[_SIGNAL] == b"0"
                done[number] = well or not successes
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return lambda number: number < len(done) and bool(done[number])


def _never_ran(outcome: Outcome) -> bool:
    """Whether it was cancelled before it was started."""
    return isinstance(outcome.ending, Cancelled) and not any(
        stage.pid for stage in outcome.stages
    )


def _status(outcome: Outcome) -> tuple[int, int]:
    """Exit value and signal; (0, 0) for success only."""
    ending: Ending | None = outcome.ending
    if isinstance(ending, (TimedOut, Cancelled)):
        ending = ending.status
    if isinstance(ending, Signaled):
        return 0, ending.signal
    code = ending.code if isinstance(ending, Exited) else outcome.status
    return code if outcome.ok or code else outcome.status, 0
