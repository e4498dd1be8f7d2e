from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.model.command import Command
from penstock.model.job import Job, Stage
from penstock.model.policy import Policy
from penstock.model.stream import Direct, Log, Output, Stderr, Stdout
from penstock.state.outputs import (
    discard,
    outputs_of,
    real,
    signs_before,
    signs_of,
    written_by,
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made_by(*streams: str, outputs: tuple[str, ...] = ()) -> tuple[str, ...]:
    command = Command(("true",), "true")
    stages = tuple(Stage("s", command, stdout=Output(s, f"{s}.part")) for s in streams)
    return outputs_of(Job("j", stages, policy=Policy(outputs=outputs)))


def test_outputs_are_what_is_said_and_where_stdout_goes():
    assert made_by("a", "b", outputs=("c", "a")) == ("c", "a", "b")


def test_a_device_is_not_made():
    os.mkfifo("fifo")
    assert made_by("/dev/null", "/dev/full", "fifo") == ()
    os.unlink("fifo")


def test_what_one_run_writes_alone_are_outputs_and_emptied_diagnostics():
    command = Command(("true",), "true")
    streams: list[tuple[Stdout, Stderr]] = [
        (Output("made", ".made.part"), Direct("emptied")),
        (Direct("log", "a"), Direct("errors", "a")),
        (Output("also", ".also.part"), Direct("/dev/stderr")),
        (Direct("log", "a"), Log(None)),
    ]
    stages = tuple(Stage("s", command, stdout=out, stderr=err) for out, err in streams)
    job = Job("j", stages, policy=Policy(outputs=("said",)))
    assert written_by(job) == ("said", "made", "also", "emptied")
    assert written_by(Job("j", stages[3:])) == ()


def test_a_file_has_one_name(tmp_path: Path):
    Path("dir").mkdir()
    Path("link").symlink_to("dir")
    names = ("dir/a", "./dir//a", "link/a", str(tmp_path / "dir" / "a"), "dir/../dir/a")
    assert {real(name) for name in names} == {str(tmp_path.resolve() / "dir" / "a")}


def test_what_a_failed_try_made_goes():
    before = signs_before(["new", "kept", "changed", "sub/new"])
    Path("kept").write_text("x")
    Path("changed").write_text("x")
    before = signs_before(["new", "kept", "changed", "tree"])
    Path("new").touch()
    Path("changed").write_text("yy")
    Path("tree").mkdir()
    Path("tree/inside").touch()
    discard(before)
    assert os.listdir() == ["kept"]


def test_a_change_that_keeps_size_and_mtime_is_seen():
    Path("a").write_text("x")
    os.utime("a", (1, 1))
    before = signs_before(["a"])
    Path("a").write_text("y")
    os.utime("a", (1, 1))
    discard(before)
    assert os.listdir() == []


def test_a_directory_that_was_there_stays():
    Path("tree").mkdir()
    before = signs_before(["tree"])
    Path("tree/inside").touch()
    discard(before)
    assert os.listdir("tree") == ["inside"]


def test_behind_a_link_the_file_goes_and_the_link_stays():
    Path("data").write_text("x")
    Path("link").symlink_to("data")
    before = signs_before(["link"])
    Path("link").write_text("yy")
    discard(before)
    assert os.listdir() == ["link"]


def test_a_link_that_was_made_goes_and_not_the_file_behind_it():
    Path("data").write_text("x")
    before = signs_before(["latest"])
    Path("latest").symlink_to("data")
    discard(before)
    assert os.listdir() == ["data"]


def test_what_cannot_be_removed_is_left():
    discard({"none": (1,), "a\0b": None})


def test_the_signs_of_an_output_survive_a_copy_with_its_times():
    Path("a").write_text("x")
    Path("tree").mkdir()
    signs = signs_of(["a", "tree", "none", "a\0b"])
    assert signs["none"] is signs["a\0b"] is None
    os.utime("a", ns=(0, os.stat("a").st_mtime_ns))
    Path("tree/inside").touch()
    assert signs_of(["a", "tree", "none", "a\0b"]) == signs
    Path("a").write_text("yy")
    assert signs_of(["a"])["a"] != signs["a"]
