from __future__ import annotations

from pathlib import Path

import pytest

from penstock.report.directory import open_run_directory

NOW = 1_795_000_000.9


def test_a_run_directory_is_named_by_time_and_process(tmp_path: Path):
    path = open_run_directory(NOW, 77, str(tmp_path / ".penstock" / "runs"))
    assert Path(path).is_dir()
    assert Path(path).name == "20261118-110640-77"


def test_no_two_runs_share_a_directory(tmp_path: Path):
    root = str(tmp_path / ".penstock" / "runs")
    names = [Path(open_run_directory(NOW, 77, root)).name for _ in range(3)]
    assert [name.removeprefix("20261118-110640") for name in names] == [
        "-77",
        "-77-2",
        "-77-3",
    ]


def test_a_new_directory_above_is_kept_out_of_version_control(tmp_path: Path):
    open_run_directory(NOW, 77, str(tmp_path / ".penstock" / "runs"))
    assert (tmp_path / ".penstock" / ".gitignore").read_text() == "*\n"


def test_an_existing_directory_above_is_left_alone(tmp_path: Path):
    open_run_directory(NOW, 77, str(tmp_path / "runs"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


def test_where_nothing_can_be_made_it_raises(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        open_run_directory(NOW, 77, str(tmp_path / "file" / "runs"))
