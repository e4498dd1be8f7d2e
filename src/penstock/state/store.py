"""Store: what is remembered of jobs with outputs, in one SQLite file.

For each job its last success, with the fingerprint part by part; and its last try, as
long as that is no success: from before its start, so that whoever comes after a crash
knows which outputs may be half made. A success is one transaction, which also ends the
try.

The file is in WAL mode: readers do not wait, and a kill at any instant leaves whole
transactions. Nothing is forced to the disk for each job (`synchronous=NORMAL`): a loss
of power may cost the last few, which are then run once more.

What is wrong with the file never costs the run: it goes on, and remembers nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress

from penstock.errors import UsageError
from penstock.plan.fingerprint import Part
from penstock.state.contents import Identity
from penstock.state.entry import Attempt, Key, Success
from penstock.state.outputs import Signs
from penstock.typed import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from typing import TypeAlias

SCHEMA = 1
Told = TypeVar("Told")
_PATIENCE = 3.0  # seconds, for another run that writes

_TABLES = """
CREATE TABLE success (
  definition TEXT, job TEXT, run TEXT, at REAL, fingerprint TEXT, outputs TEXT,
  PRIMARY KEY (definition, job)
) WITHOUT ROWID;
CREATE TABLE attempt (
  definition TEXT, job TEXT, run TEXT, at REAL, ending TEXT, outputs TEXT,
  PRIMARY KEY (definition, job)
) WITHOUT ROWID;
CREATE TABLE content (
  device INTEGER, inode INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
  digest TEXT, PRIMARY KEY (device, inode)
) WITHOUT ROWID;
"""

_Value: TypeAlias = "str | int | float | None"
_Row: TypeAlias = "tuple[_Value, ...]"


class Store:
    """The file.

    Args:
        connection: to it; closed by this object.
        path: for messages.
        on_trouble: is told, once, in words, that nothing is remembered any more.
    """

    def __init__(
        self,
        connection: sqlite3.Connection | None,
        path: str,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._path = path
        self._on_trouble = on_trouble
        self._contents: dict[Identity, str] = {}  # not yet in the file

    @classmethod
    def open(cls, path: str, on_trouble: Callable[[str], None]) -> Self:
        """Open the file at `path`, or make it; one that is broken is moved aside.

        Raises:
            UsageError: a later version of penstock has made it.
        """
        try:
            try:
                return cls(_connect(path), path, on_trouble)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                aside = move_aside(path)
                on_trouble(f"{path} is broken ({error}); it is now {aside}")
                return cls(_connect(path), path, on_trouble)
        except (sqlite3.Error, OSError) as error:
            on_trouble(f"what is up to date is not remembered: {path}: {error}")
            return cls(None, path, on_trouble)

    def success(self, key: Key) -> Success | None:
        """The last success of a job."""
        query = (
            "SELECT run, at, fingerprint, outputs FROM success"
            " WHERE definition = ? AND job = ?"
        )
        return next(iter(self._read(query, key, _read_success)), None)

    def attempt(self, key: Key) -> Attempt | None:
        """The last try of a job, unless it succeeded."""
        query = (
            "SELECT run, at, ending, outputs FROM attempt"
            " WHERE definition = ? AND job = ?"
        )
        return next(iter(self._read(query, key, _read_attempt)), None)

    def unsettled(self) -> list[tuple[Key, Attempt]]:
        """The tries that may have left something half made."""
        query = (
            "SELECT definition, job, run, at, ending, outputs FROM attempt"
            " WHERE outputs != '{}'"
        )
        return self._read(query, (), _read_unsettled)

    def begin(self, key: Key, attempt: Attempt) -> None:
        """A job is about to be started, or its try is over without a success."""
        signs = json.dumps(attempt.outputs)
        row = (*key, attempt.run, attempt.at, attempt.ending, signs)
        query = "INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?, ?, ?)"
        self._write([(query, row)])

    def succeed(self, key: Key, success: Success) -> None:
        """A job has succeeded, and its outputs stand."""
        fingerprint = json.dumps(success.fingerprint)
        row = (*key, success.run, success.at, fingerprint, json.dumps(success.outputs))
        insert = "INSERT OR REPLACE INTO success VALUES (?, ?, ?, ?, ?, ?)"
        delete = "DELETE FROM attempt WHERE definition = ? AND job = ?"
        self._write([(insert, row), (delete, key)])

    def digest(self, identity: Identity) -> str | None:
        """The digest of the file with this identity, if it was kept."""
        if identity in self._contents:
            return self._contents[identity]
        query = (
            "SELECT digest FROM content WHERE device = ? AND inode = ?"
            " AND size = ? AND mtime_ns = ? AND ctime_ns = ?"
        )
        for (digest,) in self._rows(query, identity):
            return str(digest)
        return None

    def keep(self, identity: Identity, digest: str) -> None:
        """Keep the digest of a file; it is written with what comes next."""
        self._contents[identity] = digest

    def close(self) -> None:
        """Write what is left, and close the file; may be called twice."""
        self._write([])
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(
        self, query: str, values: tuple[_Value, ...], read: Callable[[_Row], Told]
    ) -> list[Told]:
        """What the rows say; one that is damaged says nothing: its job is run."""
        told = []
        for row in self._rows(query, values):
            with suppress(ValueError, TypeError, AttributeError, RecursionError):
                told.append(read(row))
        return told

    def _rows(self, query: str, values: tuple[_Value, ...]) -> Iterable[_Row]:
        if self._connection is None:
            return ()
        try:
            found: list[_Row] = self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return ()
        return found

    def _write(self, statements: Iterable[tuple[str, tuple[_Value, ...]]]) -> None:
        """One transaction."""
        if self._connection is None:
            return
        kept = [(*identity, digest) for identity, digest in self._contents.items()]
        query = "INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?, ?, ?)"
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                self._connection.execute(statement, values)
            self._connection.executemany(query, kept)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)
        self._contents.clear()

    def _give_up(self, error: sqlite3.Error) -> None:
        """Remember nothing from now on; what cannot be read is moved aside."""
        why = f"what is up to date is no longer remembered: {self._path}: {error}"
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        if not isinstance(error, sqlite3.OperationalError):
            with suppress(OSError):
                why += f"; it is now {move_aside(self._path)}"
        self._on_trouble(why)


def move_aside(path: str) -> str:
    """Give a broken file another name, and return that.

    Raises:
        OSError: it cannot be renamed.
    """
    number = 1
    while os.path.lexists(f"{path}.broken-{number}"):
        number += 1
    aside = f"{path}.broken-{number}"
    os.rename(path, aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, aside + suffix)
    return aside


def _connect(path: str) -> sqlite3.Connection:
    """Open the file, and make what is not in it yet.

    Raises:
        UsageError: a later version of penstock has made it.
        sqlite3.Error: it cannot be opened, or is none.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        _check_version(connection, path)
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = NORMAL")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_version(connection: sqlite3.Connection, path: str) -> None:
    """Refuse a file that we do not understand; a new one has no version."""
    version = _version(connection)
    if version not in (0, SCHEMA):
        raise UsageError(
            f"{path} was made by another version of penstock (schema {version}, this "
            f"one knows {SCHEMA})\nhint: use that version, or remove the file: then "
            "everything is run once more"
        )


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables, unless they are there."""
    if _version(connection) == 0:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:  # nobody was faster
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    for table in ("success", "attempt", "content"):  # a broken one shows here
        connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608 (constants)


def _version(connection: sqlite3.Connection) -> int:
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        return int(cursor.fetchone()[0])


def _read_success(row: _Row) -> Success:
    run, at, fingerprint, outputs = row
    parts = tuple(Part(*part) for part in json.loads(str(fingerprint)))
    return Success(str(run), float(at or 0), parts, _read_signs(outputs))


def _read_attempt(row: _Row) -> Attempt:
    run, at, ending, outputs = row
    return Attempt(str(run), float(at or 0), str(ending), _read_signs(outputs))


def _read_unsettled(row: _Row) -> tuple[Key, Attempt]:
    definition, job, *attempt = row
    return Key(str(definition), str(job)), _read_attempt(tuple(attempt))


def _read_signs(text: _Value) -> Signs:
    return {
        path: None if sign is None else tuple(sign)
        for path, sign in json.loads(str(text)).items()
    }
