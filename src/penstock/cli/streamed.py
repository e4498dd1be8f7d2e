"""Outputs that are printed while jobs run: line by line, or one job after the other.

Each job prints into a pipe that we read. A job that prints faster than our reader
reads waits for him, as it would without penstock.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import suppress

from penstock.cli.outputs import TOO_MUCH, Direct, Grouped, Terms, told
from penstock.cli.stdout import Tagger
from penstock.clock import Clock
from penstock.errors import PenstockError
from penstock.executor.attended import Refusal
from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.typed import Protocol

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20  # bytes; a longer one is printed in pieces


class Pipe:
    """The pipe that one run of a job prints to.

    Attributes:
        job: whose.
        reader, writer: its ends. While the writer is open here, there is no end of
            file: the job's end is told by its outcome.
        tagger: of its lines; None if they have no tag.
        is_over: the job has ended.
    """

    def __init__(self, job: Job, tag: bytes) -> None:
        self.job = job
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.reader, False)
        self.tagger = Tagger(tag) if tag else None
        self.is_over = False

    def read(self) -> bytes:
        """What is there now, with its tags."""
        try:
            data = os.read(self.reader, _CHUNK)
        except BlockingIOError:
            return b""
        return self.tagger.mark(data) if self.tagger else data

    def close(self) -> None:
        """Give both ends back."""
        os.close(self.reader)
        os.close(self.writer)


class Press(Protocol):
    """Decides when what was read is printed."""

    @property
    def waiting(self) -> int:
        """How many bytes wait."""
        ...

    def begin(self, pipe: Pipe) -> None:
        """A job has got its pipe."""
        ...

    def put(self, pipe: Pipe, data: bytes) -> None:
        """Print `data`, or let it wait.

        Raises:
            OSError: there is no room for it; what was read is kept nevertheless.
            StdoutClosed: nobody reads any more.
            PenstockError: it cannot be written, or kept.
        """
        ...

    def end(self, pipe: Pipe) -> None:
        """The job is over, and all was put; raises as `put`."""
        ...

    def close(self) -> None:
        """Drop what waits."""
        ...


class Streamed(Direct):
    """Reads what jobs print, and passes it on.

    A job that may leave processes behind prints to a file instead: they would die of a
    pipe that nobody reads any more.
    """

    def __init__(self, terms: Terms, clock: Clock, press: Press) -> None:
        self._terms = terms
        self._press = press
        self._grouped = Grouped(terms, clock, failed_only=False)
        self._epoll = select.epoll()
        self._pipes: dict[str, Pipe] = {}
        self._refused: set[str] = set()
        self._error: PenstockError | None = None  # to be raised at the end of a job

    def fileno(self) -> int:
        """Readable when some job has printed something."""
        return self._epoll.fileno()

    def open(self, job: Job) -> int:
        """A new pipe, or a file."""
        if job.leaks == "allow":
            return self._grouped.open(job)
        try:
            pipe = Pipe(job, self._terms.tag(job))
        except OSError as error:
            why = f"no pipe for what job {job.name} prints: {error.strerror}"
            raise PenstockError(f"{why}; try fewer jobs at once") from None
        self._pipes[job.name] = pipe
        self._epoll.register(pipe.reader, select.EPOLLIN)
        self._press.begin(pipe)
        return pipe.writer

    def end(self, job: Job, outcome: Outcome) -> Outcome:
        """Print, or keep, the rest."""
        pipe = self._pipes.pop(job.name, None)
        if pipe is None:
            return self._grouped.end(job, outcome)
        try:
            while data := pipe.read():
                with suppress(OSError):  # it is kept in memory then: a pipe is small
                    self._press.put(pipe, data)
            pipe.is_over = True
            self._press.end(pipe)
        finally:
            pipe.close()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return told(job, outcome, self._refused, self._terms.limit)

    def close(self) -> None:
        """Drop what was not printed."""
        for pipe in self._pipes.values():
            pipe.close()
        self._pipes.clear()
        self._epoll.close()
        self._press.close()
        self._grouped.close()

    def due(self) -> float | None:
        """When files are to be looked at."""
        return self._grouped.due()

    def attend(self) -> Iterator[Refusal]:
        """Read what there is; refuse the job that printed more than can be kept."""
        ready = {descriptor for descriptor, _ in self._epoll.poll(0)}
        for pipe in [each for each in self._pipes.values() if each.reader in ready]:
            before = self._press.waiting
            try:
                self._press.put(pipe, pipe.read())
            except OSError:
                yield self._refuse(pipe)
                continue
            except PenstockError as error:
                self._error = self._error or error
                yield Refusal(pipe.job.name, str(error))
            if before < self._press.waiting > self._terms.limit:
                yield self._refuse(pipe)  # and nobody who is printed at once
        yield from self._grouped.attend()

    def _refuse(self, pipe: Pipe) -> Refusal:
        """End the job; what it prints until then stays in its pipe."""
        self._epoll.unregister(pipe.reader)
        self._refused.add(pipe.job.name)
        return Refusal(pipe.job.name, TOO_MUCH)


class Lines:
    """Prints whole lines as they come (`Press`)."""

    def __init__(self, terms: Terms) -> None:
        self._stdout = terms.stdout
        self._begun: dict[Pipe, bytes] = {}  # lines that have no end yet

    @property
    def waiting(self) -> int:
        """Nothing that could become too much."""
        return 0

    def begin(self, pipe: Pipe) -> None:
        """There is nothing of it yet."""
        self._begun[pipe] = b""

    def put(self, pipe: Pipe, data: bytes) -> None:
        """Print the lines that are whole now."""
        whole, newline, rest = data.rpartition(b"\n")
        begun = self._begun[pipe]
        if newline:
            self._stdout.write(begun + whole + newline)
            begun = b""
        begun += rest
        if len(begun) > _LONGEST_LINE:
            self._stdout.write(begun)
            begun = b""
        self._begun[pipe] = begun

    def end(self, pipe: Pipe) -> None:
        """Print the last line, and end it."""
        begun = self._begun.pop(pipe)
        if begun:
            self._stdout.write(begun + b"\n")

    def close(self) -> None:
        """Drop lines that have no end."""
        self._begun.clear()
