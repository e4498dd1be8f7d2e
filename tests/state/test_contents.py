from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.state.contents import Contents, Identity

OLD = 1_000_000_000


class Kept:
    """A cache that counts."""

    def __init__(self) -> None:
        self.digests: dict[Identity, str] = {}
        self.hits = 0

    def digest(self, identity: Identity) -> str | None:
        self.hits += identity in self.digests
        return self.digests.get(identity)

    def keep(self, identity: Identity, digest: str) -> None:
        self.digests[identity] = digest


class Later(MonotonicClock):
    def wall(self) -> float:
        return super().wall() + 3600


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def contents(kept: Kept) -> Contents:
    return Contents(kept, Later())


def test_equal_content_is_equal_wherever_it_is(tmp_path: Path, contents: Contents):
    for name in "ab":
        (tmp_path / name).write_bytes(b"\0\xff" * 1000)
    (tmp_path / "c").write_bytes(b"\0\xff" * 999 + b"\0\xfe")
    a, b, c = (contents.of(str(tmp_path / name)) for name in "abc")
    assert a == b != c


def test_a_file_is_read_once(tmp_path: Path, contents: Contents, kept: Kept):
    (tmp_path / "a").write_text("x")
    first = contents.of(str(tmp_path / "a"))
    os.link(tmp_path / "a", tmp_path / "b")  # changes ctime
    assert contents.of(str(tmp_path / "b")) == first
    assert (contents.of(str(tmp_path / "a")), kept.hits) == (first, 1)


def test_a_change_that_keeps_size_and_mtime_is_seen(tmp_path: Path, contents: Contents):
    file = tmp_path / "a"
    file.write_text("x")
    os.utime(file, (OLD, OLD))
    first = contents.of(str(file))
    file.write_text("y")
    os.utime(file, (OLD, OLD))
    assert contents.of(str(file)) != first


def test_what_was_changed_a_moment_ago_is_not_kept(tmp_path: Path, kept: Kept):
    (tmp_path / "a").write_text("x")
    Contents(kept, MonotonicClock()).of(str(tmp_path / "a"))
    assert kept.digests == {}


def test_what_is_no_file_is_told_and_never_read(tmp_path: Path, contents: Contents):
    os.mkfifo(tmp_path / "fifo")
    assert contents.of(str(tmp_path / "fifo")) == "special"
    assert contents.of("/dev/zero") == "special"
    assert contents.of(str(tmp_path / "none")) == "missing"
    assert contents.of("a\0b").startswith("unreadable")
    (tmp_path / "fifo").unlink()


CHANGES = {
    "a file changed": lambda tree: (tree / "a").write_text("z"),
    "a file came": lambda tree: (tree / "new").touch(),
    "a file went": lambda tree: (tree / "a").unlink(),
    "a name changed": lambda tree: (tree / "a").rename(tree / "A"),
    "a directory came": lambda tree: (tree / "empty").mkdir(),
    "a file deep down changed": lambda tree: (tree / "sub" / "b").write_text("z"),
    "a link points elsewhere": lambda tree: (
        (tree / "link").unlink(),
        (tree / "link").symlink_to("b"),
    ),
    "a file became a directory": lambda tree: (
        (tree / "a").unlink(),
        (tree / "a").mkdir(),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_of_a_directory_all_that_is_below_counts(
    tmp_path: Path, contents: Contents, change: str
):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_text("x")
    (tmp_path / "sub" / "b").write_text("y")
    (tmp_path / "link").symlink_to("sub")
    (tmp_path / "loop").symlink_to(".")
    before = contents.of(str(tmp_path))
    assert contents.of(str(tmp_path)) == before
    CHANGES[change](tmp_path)
    assert contents.of(str(tmp_path)) != before


def test_a_directory_may_be_deep(tmp_path: Path, contents: Contents):
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):  # a path of fewer than 4096 bytes
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("file", os.O_CREAT, dir_fd=at))
    os.close(at)
    before = contents.of(str(tmp_path))
    assert contents.of(str(tmp_path)) == before
    os.rename(tmp_path / "d" / "d", tmp_path / "d" / "e")
    assert contents.of(str(tmp_path)) != before
    remove(tmp_path / "d")


def remove(path: Path) -> None:
    """All of it: `shutil.rmtree` goes as deep as it can itself."""
    subprocess.run(["rm", "-r", path], check=True)
