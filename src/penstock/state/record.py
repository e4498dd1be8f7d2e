"""Record: which jobs of a run have succeeded, so that another run can go on there.

A file in the directory of the run: first a line about the run, then one line for each
success, written at once. A job with a success that is started once more has a line
before that, which takes the success back: the last line of a job counts. That is enough
against a kill at any instant: a line that was cut off is that of a job that will be run
once more, or was not started yet. A loss of power may cost the last lines, and so no
more than that either.

A run that goes on where another ended begins with what that one has recorded. So each
success has the name of the run in which it was: what needs a job that was run again
is to be run again too, whenever that may be.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from penstock.proc.marker import RunName
from penstock.typed import NamedTuple

NAME = "succeeded.jsonl"


class Header(NamedTuple):
    """About the run.

    Attributes:
        definition: where its jobs are defined.
        fresh: it was to run everything, up to date or not.
        marker: of its processes.
        at: wall clock, seconds since 1970.
    """

    definition: str
    fresh: bool
    marker: str
    at: float


class Done(NamedTuple):
    """A job has succeeded.

    Attributes:
        digest: of all that it depended on, and of when what it needs was done.
        run: in which run.
    """

    digest: str
    run: str


class Past(NamedTuple):
    """A run that is over, as it recorded itself.

    Attributes:
        run: its name.
        header: what it said of itself.
        done: each job that succeeded, and was not started again since, by name.
    """

    run: str
    header: Header
    done: dict[str, Done]

    @property
    def is_alive(self) -> bool:
        """Whether it is still going on, as far as can be known."""
        name = RunName.read(self.header.marker)
        return name is not None and name.is_known() and name.is_alive()


class Record:
    """Writes the record of this run.

    Args:
        directory: of the run.
        header: its first line.
        done: what it begins with.
        on_trouble: is told, once, in words, that the record is incomplete.
    """

    def __init__(
        self,
        directory: str,
        header: Header,
        done: Mapping[str, Done],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._path = os.path.join(directory, NAME)
        self._on_trouble = on_trouble
        self._descriptor: int | None = None
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        unfinished = self._path + ".part"
        try:
            self._descriptor = os.open(unfinished, flags, 0o666)
            self._write(header._asdict(), *([job, *each] for job, each in done.items()))
            os.rename(unfinished, self._path)
        except OSError as error:
            self._report(error.strerror)

    def succeeded(self, job: str, done: Done) -> None:
        """Note a success."""
        self._write([job, *done])

    def revoke(self, job: str) -> None:
        """Take back a success: the job is started once more."""
        self._write([job])

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, *values: object) -> None:
        if self._descriptor is None:
            return
        lines = [json.dumps(value, separators=(",", ":")) + "\n" for value in values]
        data = "".join(lines).encode("ascii")
        try:
            if os.write(self._descriptor, data) < len(data):
                self._report("the disk is full")
        except OSError as error:
            self._report(error.strerror)

    def _report(self, reason: str | None) -> None:
        """Say it, and write no more."""
        self._on_trouble(f"{self._path} is incomplete, for --resume: {reason}")
        self.close()


def last_run(runs: str, definition: str) -> Past | None:
    """The latest run of a definition file that left a record.

    Args:
        runs: the directory of all runs, whose names begin with the time.
        definition: as in `Header`.
    """
    latest: Past | None = None
    for name in _latest_first(runs):
        if latest is not None and name[:_SECONDS] != latest.run[:_SECONDS]:
            break
        past = _read(os.path.join(runs, name), name)
        if past is None or past.header.definition != definition:
            continue
        if latest is None or past.header.at > latest.header.at:
            latest = past
    return latest


def is_record_of(directory: str, run: RunName) -> bool:
    """Whether `directory` is that of `run`, as the run itself has written there."""
    past = _read(directory, os.path.basename(directory))
    return past is not None and past.header.marker == str(run)


_SECONDS = len("20261121-091500")


def _latest_first(runs: str) -> list[str]:
    try:
        return sorted(os.listdir(runs), reverse=True)
    except OSError:
        return []


def _read(directory: str, name: str) -> Past | None:
    try:
        # Whatever it is, nobody waits for it.
        with open(os.path.join(directory, NAME), "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read()
    except OSError:
        return None
    values = _values(data)
    header = _header(next(values, None))
    if header is None:
        return None
    return Past(name, header, _done(values))


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _values(data: bytes) -> Iterator[object]:
    """The whole lines."""
    for line in data.split(b"\n"):
        with suppress(ValueError, RecursionError):
            yield json.loads(line)


def _done(values: Iterable[object]) -> dict[str, Done]:
    """What the lines after the first one say, all in all."""
    done: dict[str, Done] = {}
    for value in values:
        match value:
            case [str(job), str(digest), str(run)]:
                done[job] = Done(digest, run)
            case [str(job)]:
                done.pop(job, None)
            case _:
                pass
    return done


def _header(value: object) -> Header | None:
    match value:
        case {
            "definition": str(definition),
            "fresh": bool(fresh),
            "marker": str(marker),
            "at": float(at),
        }:
            return Header(definition, fresh, marker, at)
        case _:
            return None
