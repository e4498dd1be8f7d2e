from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from penstock.model.outcome import NotStarted
from penstock.model.stream import (
    Direct,
    Handed,
    Inherit,
    Input,
    Log,
    Null,
    Output,
    Stderr,
    Stdin,
    Stdout,
)
from penstock.model.wiring import StageWiring
from penstock.proc.files import Files
from penstock.proc.spawn import CannotStart
from tests.proc.apart import apart


@pytest.fixture
def files() -> Iterator[Files]:
    with closing(Files(())) as made:
        yield made


def output(path: Path | str) -> Output:
    directory, name = os.path.split(path)
    return Output(str(path), f"{directory}/.{name}.partial")


def opened(files: Files, stream: Stdin | Stdout | Stderr) -> int:
    """The descriptor that a stage gets for `stream`."""
    if isinstance(stream, Log):
        plan = StageWiring((), Inherit(0), Inherit(1), stream, ())
        return files.connect(plan, 0).stderr
    if isinstance(stream, Input):
        plan = StageWiring((), stream, Inherit(1), Inherit(2), ())
        return files.connect(plan, 0).stdin
    plan = StageWiring((), Inherit(0), stream, Inherit(2), ())
    return files.connect(plan, 0).stdout


def refusal(files: Files, stream: Stdin | Stdout) -> NotStarted:
    with pytest.raises(CannotStart) as caught:
        opened(files, stream)
    assert caught.value.ending.culprit == "file"
    return caught.value.ending


# --- an output ----------------------------------------------------------------------


def test_an_output_stands_under_its_name_only_after_the_commit(
    tmp_path: Path,
    files: Files,
):
    os.write(opened(files, output(tmp_path / "out")), b"new")
    assert os.listdir(tmp_path) == [".out.partial"]
    assert files.commit() is None
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out").read_bytes() == b"new"


def test_without_a_commit_the_old_file_stays_and_the_partial_goes(tmp_path: Path):
    (tmp_path / "out").write_text("old")
    with closing(Files(())) as files:
        os.write(opened(files, output(tmp_path / "out")), b"new")
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "old"


def test_the_partial_of_a_run_that_was_killed_is_replaced(tmp_path: Path, files: Files):
    (tmp_path / ".out.partial").write_text("a long half-written line")
    os.write(opened(files, output(tmp_path / "out")), b"new")
    files.commit()
    assert (tmp_path / "out").read_bytes() == b"new"


def test_a_symbolic_link_stays_one_and_its_target_is_written(
    tmp_path: Path,
    files: Files,
):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/target")
    os.write(opened(files, output(tmp_path / "link")), b"new")
    files.commit()
    assert (tmp_path / "link").readlink() == Path("there/target")
    assert (tmp_path / "there/target").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["link", "there"]


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o444])
def test_an_existing_file_keeps_its_mode(tmp_path: Path, files: Files, mode: int):
    (tmp_path / "out").touch(mode)
    (tmp_path / "out").chmod(mode)
    opened(files, output(tmp_path / "out"))
    files.commit()
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path, files: Files):
    umask = os.umask(0o027)
    opened(files, output(tmp_path / "out"))
    os.umask(umask)
    files.commit()
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


def test_a_device_is_written_to_and_not_replaced(files: Files):
    os.write(opened(files, output("/dev/null")), b"x")
    files.commit()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert not os.path.exists("/dev/.null.partial")


def test_a_fifo_with_a_reader_is_written_to_and_blocks_as_usual(
    tmp_path: Path,
    files: Files,
):
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    writer = opened(files, output(tmp_path / "fifo"))
    assert os.get_blocking(writer)
    os.write(writer, b"x")
    assert os.read(reader, 9) == b"x"
    os.close(reader)


def test_a_fifo_that_nobody_reads_is_refused_at_once(tmp_path: Path, files: Files):
    os.mkfifo(tmp_path / "fifo")
    assert refusal(files, output(tmp_path / "fifo")).errno == errno.ENXIO


def test_a_directory_is_refused_as_an_output(tmp_path: Path, files: Files):
    assert refusal(files, output(tmp_path)).errno == errno.EISDIR


def test_a_directory_that_is_missing_is_told_and_not_made(tmp_path: Path, files: Files):
    ending = refusal(files, output(tmp_path / "none" / "out"))
    assert ending.errno == errno.ENOENT
    assert "none" in ending.reason
    assert os.listdir(tmp_path) == []


def test_a_rename_that_fails_is_told_and_leaves_no_partial(tmp_path: Path):
    with closing(Files(())) as files:
        opened(files, output(tmp_path / "out"))
        (tmp_path / "out").mkdir()
        assert "out" in (files.commit() or "")
    assert os.listdir(tmp_path) == ["out"]


def test_a_partial_that_someone_took_away_is_told(tmp_path: Path, files: Files):
    opened(files, output(tmp_path / "out"))
    (tmp_path / ".out.partial").unlink()
    assert "out" in (files.commit() or "")


# --- the others ---------------------------------------------------------------------


def test_an_input_is_read_from_the_start(tmp_path: Path, files: Files):
    (tmp_path / "in").write_bytes(b"a\0b")
    assert os.read(opened(files, Input(f"{tmp_path}/in")), 9) == b"a\0b"


def test_a_missing_input_is_told_by_name(tmp_path: Path, files: Files):
    ending = refusal(files, Input(f"{tmp_path}/none"))
    assert (ending.errno, "none" in ending.reason) == (errno.ENOENT, True)


def test_a_fifo_is_refused_as_an_input_for_opening_it_may_never_end(
    tmp_path: Path,
    files: Files,
):
    os.mkfifo(tmp_path / "fifo")
    assert "FIFO" in refusal(files, Input(f"{tmp_path}/fifo")).reason


def test_a_fifo_that_nobody_reads_is_refused_as_a_direct_file(
    tmp_path: Path,
    files: Files,
):
    os.mkfifo(tmp_path / "fifo")
    assert refusal(files, Direct(f"{tmp_path}/fifo")).errno == errno.ENXIO


def test_a_direct_file_is_emptied_at_the_start_and_blocks_as_usual(
    tmp_path: Path,
    files: Files,
):
    (tmp_path / "log").write_text("an old log")
    descriptor = opened(files, Direct(f"{tmp_path}/log"))
    assert (tmp_path / "log").read_bytes() == b""
    assert os.get_blocking(descriptor)


def test_null_reads_as_empty_and_takes_everything():
    def read_and_write() -> tuple[bytes, int]:
        descriptor = opened(Files(()), Null())
        return os.read(descriptor, 9), os.write(descriptor, b"x")

    assert apart(read_and_write) == (b"", 1)


def test_null_outlives_the_files_of_a_job():
    def use_twice() -> int:
        with closing(Files(())) as files:
            opened(files, Null())
        with closing(Files(())) as files:
            descriptor = opened(files, Null())
        return os.write(descriptor, b"x")

    assert apart(use_twice) == 1


def test_inherit_is_the_descriptor_of_that_number(files: Files):
    assert opened(files, Inherit(2)) == 2


def test_what_was_handed_over_is_found_by_its_position_and_closed_at_the_end():
    handed = os.pipe()
    files = Files(handed)
    assert [opened(files, Handed(position)) for position in (0, 1)] == [*handed]
    files.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handed[0])


@pytest.mark.parametrize("kind", [Input, Direct, output])
def test_a_path_with_a_nul_is_refused(files: Files, kind: type[Input | Direct]):
    assert "embedded null" in refusal(files, kind("a\0b")).reason


@pytest.mark.parametrize("kind", [Input, Direct, output])
def test_a_path_that_is_no_bytes_is_refused(files: Files, kind: type[Input | Direct]):
    refusal(files, kind("a\ud800b"))


def test_what_was_opened_is_not_inherited_by_all(tmp_path: Path, files: Files):
    for stream in (Direct(f"{tmp_path}/d"), output(tmp_path / "o")):
        assert not os.get_inheritable(opened(files, stream))


def test_closing_twice_closes_nothing_of_others(tmp_path: Path):
    files = Files(())
    opened(files, Log(f"{tmp_path}/log"))
    opened(files, Direct(f"{tmp_path}/direct"))
    files.close()
    descriptor = os.open(tmp_path, os.O_RDONLY)  # takes the number that is free now
    files.close()
    os.close(descriptor)
