from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.proc.marker import run_marker
from penstock.state.record import NAME, Done, Header, Record, last_run

RUN = "20261121-091500-7"
DEAD = "1-1-1-00000000"


def header(definition: str = "p.yaml", at: float = 1.0, marker: str = DEAD) -> Header:
    return Header(definition, fresh=False, marker=marker, at=at)


def done(job: str) -> Done:
    return Done(f"digest of {job}", RUN)


def write(runs: Path, run: str, *jobs: str, of: Header | None = None) -> Path:
    directory = runs / run
    directory.mkdir(parents=True)
    record = Record(str(directory), of or header(), {}, pytest.fail)
    for job in jobs:
        record.succeeded(job, done(job))
    record.close()
    return directory / NAME


def test_what_was_written_is_read(tmp_path: Path):
    write(tmp_path, RUN, "a", 'odd "name"\n\udcff')
    past = last_run(str(tmp_path), "p.yaml")
    assert past is not None
    assert (past.run, past.header, past.is_alive) == (RUN, header(), False)
    assert past.done == {name: done(name) for name in ("a", 'odd "name"\n\udcff')}


def test_a_line_that_was_cut_off_does_not_count(tmp_path: Path):
    path = write(tmp_path, RUN, "a", "b")
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        past = last_run(str(tmp_path), "p.yaml")
        ends = [sum(map(len, lines[:n])) - 1 for n in (1, 2, 3)]
        if length < ends[0]:
            assert past is None
        else:
            assert past is not None
            jobs = "ab"[: sum(length >= end for end in ends[1:])]
            assert "".join(past.done) == jobs


def test_the_last_run_of_the_same_file_counts(tmp_path: Path):
    write(tmp_path, "20261121-091500-9", "early", of=header(at=1.0))
    write(tmp_path, "20261121-091501-3", "first", of=header(at=2.0))
    write(tmp_path, "20261121-091501-2", "last", of=header(at=3.0))
    write(tmp_path, "20261121-091502-1", "other", of=header("q.yaml", 4.0))
    (tmp_path / "20261121-091503-1").mkdir()
    (tmp_path / "20261121-091504-1").touch()
    past = last_run(str(tmp_path), "p.yaml")
    assert past is not None
    assert past.run == "20261121-091501-2"


def test_without_a_run_there_is_none(tmp_path: Path):
    assert last_run(str(tmp_path / "none"), "p.yaml") is None


def test_a_run_that_goes_on_is_told(tmp_path: Path):
    write(tmp_path, RUN, of=header(marker=run_marker()))
    past = last_run(str(tmp_path), "p.yaml")
    assert past is not None
    assert past.is_alive


def test_what_cannot_be_written_is_told_once(tmp_path: Path):
    troubles: list[str] = []
    record = Record(str(tmp_path / "none"), header(), {}, troubles.append)
    record.succeeded("a", done("a"))
    path = tmp_path / "none" / NAME
    why = "No such file or directory"
    assert troubles == [f"{path} is incomplete, for --resume: {why}"]


def test_a_full_disk_is_told_once(tmp_path: Path):
    (tmp_path / f"{NAME}.part").symlink_to("/dev/full")
    troubles: list[str] = []
    record = Record(str(tmp_path), header(), {}, troubles.append)
    record.succeeded("a", done("a"))
    assert len(troubles) == 1
    assert "No space left" in troubles[0]


@pytest.mark.parametrize("first", ["", "[]", "7", '{"at": 1}', "{", "\udcff"])
def test_a_file_that_is_no_record_is_none(tmp_path: Path, first: str):
    path = write(tmp_path, RUN, "a")
    path.write_text(first + "\n", errors="surrogateescape")
    assert last_run(str(tmp_path), "p.yaml") is None


def test_a_success_can_be_taken_back_and_come_again(tmp_path: Path):
    directory = tmp_path / RUN
    directory.mkdir()
    before = {name: done(name) for name in "abc"}
    record = Record(str(directory), header(), before, pytest.fail)
    record.revoke("a")
    record.revoke("b")
    record.succeeded("b", Done("new", "other"))
    record.close()
    past = last_run(str(tmp_path), "p.yaml")
    assert past is not None
    assert past.done == {"b": Done("new", "other"), "c": done("c")}


def test_a_record_begins_with_what_was_done_before(tmp_path: Path):
    directory = tmp_path / RUN
    directory.mkdir()
    before = {"a": done("a"), "b": done("b")}
    record = Record(str(directory), header(), before, pytest.fail)
    past = last_run(str(tmp_path), "p.yaml")
    assert past is not None
    assert past.done == before
    record.succeeded("a", Done("new", "other"))
    record.close()
    again = last_run(str(tmp_path), "p.yaml")
    assert again is not None
    assert again.done == before | {"a": Done("new", "other")}


def test_a_record_that_is_no_file_is_none_and_not_waited_for(tmp_path: Path):
    write(tmp_path, RUN, "a")
    (tmp_path / "20261121-091501-7").mkdir()
    os.mkfifo(tmp_path / "20261121-091501-7" / NAME)
    past = last_run(str(tmp_path), "p.yaml")
    assert past is not None
    assert past.run == RUN


def test_a_line_that_nobody_can_read_does_not_count(tmp_path: Path):
    path = write(tmp_path, RUN, "a")
    with path.open("ab") as file:
        file.write(b"[" * 100_000 + b"\n")
    past = last_run(str(tmp_path), "p.yaml")
    assert past is not None
    assert [*past.done] == ["a"]
