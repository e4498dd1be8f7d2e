from __future__ import annotations

import errno
import io
import json
import os
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.model.event import Interrupted, JobEnded, RunEnded
from penstock.report.journal import Journal, JsonLines
from tests.report.examples import job, outcome

EVENT = RunEnded(0, 0.0, 2.5)


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """A disk that is full beyond so many bytes: write(2) falls short, or fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def troubles() -> list[str]:
    return []


def test_each_event_is_a_line(tmp_path: Path, troubles: list[str]):
    path = tmp_path / "journal.jsonl"
    with closing(Journal(str(path), troubles.append)) as journal:
        journal.receive(JobEnded(job(), outcome(job()), 0.0))
        journal.receive(EVENT)
    events = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert (events, troubles) == (["JobEnded", "RunEnded"], [])


def test_it_is_readable_while_the_run_goes_on(tmp_path: Path, troubles: list[str]):
    path = tmp_path / "journal.jsonl"
    with closing(Journal(str(path), troubles.append)) as journal:
        journal.receive(EVENT)
        assert path.read_bytes().endswith(b"}\n")


def test_an_existing_journal_is_continued(tmp_path: Path, troubles: list[str]):
    path = tmp_path / "journal.jsonl"
    path.write_text("{}\n")
    with closing(Journal(str(path), troubles.append)) as journal:
        journal.receive(EVENT)
    assert len(path.read_text().splitlines()) == 2


def test_a_journal_that_cannot_be_opened_is_reported_once(
    tmp_path: Path, troubles: list[str]
):
    with closing(Journal(str(tmp_path / "no" / "journal"), troubles.append)) as journal:
        journal.receive(EVENT)
        journal.receive(EVENT)
    assert len(troubles) == 1
    assert troubles[0].endswith(f"is incomplete: {os.strerror(errno.ENOENT)}")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_reported_once_and_never_raised(troubles: list[str]):
    with closing(Journal("/dev/full", troubles.append)) as journal:
        journal.receive(EVENT)
        journal.receive(EVENT)
    assert troubles == [f"/dev/full is incomplete: {os.strerror(errno.ENOSPC)}"]


def test_after_half_a_line_the_next_one_is_whole(tmp_path: Path, troubles: list[str]):
    path = tmp_path / "journal.jsonl"
    with closing(Journal(str(path), troubles.append)) as journal:
        with file_size_limit(10):
            journal.receive(EVENT)
            journal.receive(EVENT)
        journal.receive(Interrupted(2, 0.0))
        journal.receive(EVENT)
    torn, second, third = path.read_text().splitlines()
    assert len(torn) == 10
    assert json.loads(second)["event"] == "Interrupted"
    assert json.loads(third)["event"] == "RunEnded"
    assert troubles == [f"{path} is incomplete: the disk is full"]


def test_close_may_come_twice_and_ends_the_record(tmp_path: Path, troubles: list[str]):
    path = tmp_path / "journal.jsonl"
    journal = Journal(str(path), troubles.append)
    journal.close()
    journal.close()
    journal.receive(EVENT)
    assert path.read_bytes() == b""


def test_json_lines_come_at_once(troubles: list[str]):
    stream = io.StringIO()
    JsonLines(stream, troubles.append).receive(EVENT)
    assert json.loads(stream.getvalue())["status"] == 0


def test_a_broken_json_stream_is_reported_once(troubles: list[str]):
    stream = io.StringIO()
    lines = JsonLines(stream, troubles.append)
    stream.close()
    lines.receive(EVENT)
    lines.receive(EVENT)
    assert len(troubles) == 1
