"""The file system, for whoever reads a definition or a job log."""

from __future__ import annotations

import errno
import os
import tracemalloc
from pathlib import Path

import pytest

from penstock.proc import disk
from penstock.proc.disk import LocalDisk, lines_of


def test_a_file_is_read_whole_in_the_memory_that_it_takes(tmp_path: Path):
    data = os.urandom(300_000)
    (tmp_path / "file").write_bytes(data)
    tracemalloc.start()
    try:
        assert LocalDisk().read(str(tmp_path / "file")) == data
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_lines_are_as_they_stand(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"a\n\n\xff\nlast")
    with open(tmp_path / "file", "rb") as file:
        assert [*lines_of(file)] == [b"a\n", b"\n", b"\xff\n", b"last"]


@pytest.mark.usefixtures("few_bytes")
@pytest.mark.parametrize("read", ["read", "lines"])
def test_what_has_no_end_is_refused(read: str):
    with pytest.raises(OSError, match="longer than 1 MiB") as refused:
        [*getattr(LocalDisk(), read)("/dev/zero")]
    assert (refused.value.errno, refused.value.filename) == (errno.EFBIG, "/dev/zero")


@pytest.fixture
def few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_MOST", 1 << 20)
