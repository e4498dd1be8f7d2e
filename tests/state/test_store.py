from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.plan.fingerprint import Part
from penstock.state.contents import Identity
from penstock.state.entry import Attempt, Key, Success
from penstock.state.store import Store

KEY = Key("p.yaml", "a")
SUCCESS = Success("run", 1.5, (Part("command", "", "x\0\udcff"),), {"o": (3, 4)})
ATTEMPT = Attempt("run", 1.5, "", {"o": None, "p": (1, 2, 3, 4, 5)})
IDENTITY = Identity(1, 2, 3, 4, 5)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state.db")


@pytest.fixture
def troubles() -> list[str]:
    return []


def test_what_was_written_is_read_by_the_next(path: str):
    with closing(Store.open(path, pytest.fail)) as store:
        store.begin(KEY, ATTEMPT)
        store.begin(Key("p.yaml", "b"), ATTEMPT)
        store.succeed(Key("p.yaml", "b"), SUCCESS)
        store.keep(IDENTITY, "digest")
    with closing(Store.open(path, pytest.fail)) as store:
        assert store.attempt(KEY) == ATTEMPT
        assert store.success(KEY) is None
        assert store.success(Key("p.yaml", "b")) == SUCCESS
        assert store.unsettled() == [(KEY, ATTEMPT)]
        assert store.digest(IDENTITY) == "digest"
        assert store.digest(IDENTITY._replace(size=7)) is None


def test_a_success_is_the_end_of_a_try(path: str):
    with closing(Store.open(path, pytest.fail)) as store:
        store.begin(KEY, ATTEMPT)
        store.succeed(KEY, SUCCESS)
        assert store.attempt(KEY) is None


def test_jobs_of_another_file_are_others(path: str):
    with closing(Store.open(path, pytest.fail)) as store:
        store.succeed(KEY, SUCCESS)
        assert store.success(Key("q.yaml", "a")) is None


def test_two_may_write_at_once(path: str):
    with (
        closing(Store.open(path, pytest.fail)) as one,
        closing(Store.open(path, pytest.fail)) as two,
    ):
        for number in range(20):
            for store in (one, two):
                store.succeed(Key(f"{number}", "a"), SUCCESS)
        assert one.success(Key("19", "a")) == two.success(Key("19", "a")) == SUCCESS


def test_only_the_owner_may_read_it(path: str):
    Store.open(path, pytest.fail).close()
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_later_schema_is_refused_and_left_alone(path: str):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = Path(path).read_bytes()
    with pytest.raises(UsageError, match=r"schema 7.*\nhint: use that version, or"):
        Store.open(path, pytest.fail)
    assert Path(path).read_bytes() == before


def test_a_broken_file_is_moved_aside(path: str, troubles: list[str]):
    Path(path).write_bytes(b"no database at all" * 1000)
    with closing(Store.open(path, troubles.append)) as store:
        store.succeed(KEY, SUCCESS)
        assert store.success(KEY) == SUCCESS
    assert troubles == [
        f"{path} is broken (file is not a database); it is now {path}.broken-1"
    ]
    assert Path(f"{path}.broken-1").read_bytes().startswith(b"no database")


def test_one_that_breaks_later_costs_the_memory_and_not_the_run(
    path: str, troubles: list[str]
):
    with closing(Store.open(path, pytest.fail)) as store:
        for number in range(500):
            store.succeed(Key(f"{number}", "a"), SUCCESS)
    with closing(Store.open(path, troubles.append)) as store:
        size = os.stat(path).st_size
        with open(path, "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
        for number in range(500):
            store.success(Key(f"{number}", "a"))
        store.succeed(KEY, SUCCESS)
        assert store.success(KEY) is None
    assert len(troubles) == 1
    assert "malformed" in troubles[0]
    with closing(Store.open(path, pytest.fail)) as store:
        assert store.success(KEY) is None


@pytest.mark.parametrize("name", ["none/state.db", "file/state.db", "."])
def test_where_it_cannot_be_made_nothing_is_remembered(
    tmp_path: Path, troubles: list[str], name: str
):
    (tmp_path / "file").touch()
    with closing(Store.open(str(tmp_path / name), troubles.append)) as store:
        store.succeed(KEY, SUCCESS)
        store.keep(IDENTITY, "digest")
        assert store.success(KEY) is None
    assert len(troubles) == 1
    assert troubles[0].startswith("what is up to date is not remembered: ")


def test_a_lock_that_stays_costs_the_memory_and_not_the_run(
    path: str, troubles: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("penstock.state.store._PATIENCE", 0.01)
    with (
        closing(Store.open(path, troubles.append)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        store.succeed(KEY, SUCCESS)
    assert troubles == [
        f"what is up to date is no longer remembered: {path}: database is locked"
    ]


@pytest.mark.parametrize("junk", ["{", "[1]", "null", "[" * 100_000, '{"a": 5}', "7"])
def test_a_damaged_row_says_nothing(path: str, junk: str):
    other = Key("p.yaml", "b")
    with closing(Store.open(path, pytest.fail)) as store:
        store.begin(KEY, ATTEMPT)
        store.begin(other, ATTEMPT)
        store.succeed(other, SUCCESS)
        store.begin(other, ATTEMPT)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE attempt SET outputs = ? WHERE job = ?", (junk, "b"))
        connection.execute("UPDATE success SET fingerprint = ?", (junk,))
    with closing(Store.open(path, pytest.fail)) as store:
        assert store.attempt(KEY) == ATTEMPT
        assert store.attempt(other) is None
        assert store.success(other) is None
        assert store.unsettled() == [(KEY, ATTEMPT)]
