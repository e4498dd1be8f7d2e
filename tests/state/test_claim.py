from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.errors import PenstockError
from penstock.proc.marker import RunName
from penstock.state.claim import Claim
from penstock.state.claimant import Claimant, claimant
from tests.commands import wait_until


class Flag:
    """Says that the run is to stop, once it is raised."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.is_up = False

    def fileno(self) -> int:
        return self.reader

    def ask_to_stop(self) -> bool:
        return self.is_up

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


@pytest.fixture
def stop() -> Iterator[Flag]:
    with closing(Flag()) as flag:
        yield flag


@pytest.fixture
def opens(tmp_path: Path, stop: Flag):
    with ExitStack() as stack:

        def open_claim(run: str, since: float = 0.0) -> Claim:
            us = claimant(run, "penstock run", since)
            claim = Claim(str(tmp_path), us, MonotonicClock(), stop)
            return stack.enter_context(closing(claim))

        yield open_claim


def test_what_is_claimed_is_refused_to_others_with_who_has_it(opens, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    pid = os.getpid()
    opens("one").claim(["/a", "/b", "/c"])
    with pytest.raises(PenstockError) as refused:
        opens("two").claim(["/d", "/c", "/b"])
    assert str(refused.value) == (
        f"another run is making /b, /c: one (PID {pid}, `penstock run`, "
        "since 00:00:00)\n"
        f"hint: wait until it is over, or end it: `penstock stop {pid}`"
    )


def test_it_is_told_how_to_end_another_run_as_far_as_that_can_be_done_here():
    name = RunName.of(os.getpid())
    ways = {
        name: f"penstock stop {name.pid}",
        name._replace(started=1): "penstock reap",  # its user's process is gone
        name._replace(namespace=1): "",
    }
    us = claimant("one", "x", 0.0)
    assert [us._replace(marker=str(name)).way_to_end for name in ways] == [
        *ways.values()
    ]
    assert us._replace(marker="nonsense").way_to_end == ""


def test_many_are_not_all_named(opens):
    paths = [f"/{number}" for number in range(9)]
    opens("one").claim(paths)
    with pytest.raises(PenstockError, match="/0, /1, /2, /3, /4 and 4 more: one"):
        opens("two").claim(paths)


def test_different_outputs_do_not_meet(opens):
    opens("one").claim(["/a"])
    opens("two").claim(["/b"])


@pytest.mark.parametrize("one", ["/d", "/d/e/f"])
def test_what_is_above_or_below_is_refused_as_well(opens, one):
    opens("one").claim([one, "/z"])
    with pytest.raises(PenstockError, match=f"making {one}: one"):
        opens("two").claim(["/d/e", "/de"])
    three = opens("three")
    three.claim(["/de", "/d.e"])
    assert not three.is_free("dead", ["/d/e"])
    assert three.is_free("dead", ["/dead"])


def test_a_claim_grows_and_what_one_has_may_be_claimed_again(opens):
    one = opens("one")
    one.claim(["/a"])
    one.claim(["/a", "/b"])
    with pytest.raises(PenstockError, match="making /b: one"):
        opens("two").claim(["/b"])


def test_nothing_of_a_refused_claim_is_kept(opens):
    opens("one").claim(["/a"])
    with pytest.raises(PenstockError):
        opens("two").claim(["/a", "/b"])
    opens("three").claim(["/b"])


def test_a_claim_that_is_closed_is_nobodys(opens, tmp_path):
    one = opens("one")
    one.claim(["/a"])
    one.close()
    two = opens("two")
    two.claim(["/a"])
    assert two.is_free("one", ["/a"])
    assert os.listdir(tmp_path) == ["two.claim"]
    two.close()


PROGRAM = """
import os, sys
from penstock.clock import MonotonicClock
from penstock.proc.signals import SignalFlags
from penstock.state.claim import Claim
from penstock.state.claimant import claimant
us = claimant("one", "x", 0.0)
claim = Claim(sys.argv[1], us, MonotonicClock(), SignalFlags())
claim.claim(["/a"])
print("ready", flush=True)
if os.fork() == 0:  # as the lock goes along to a worker
    sys.stdin.read()
    os._exit(0)
os.kill(os.getpid(), 9)
"""


def test_the_claim_of_a_killed_run_lasts_as_long_as_its_worker(opens, tmp_path):
    argv = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"ready\n"
        wait_until(lambda: process.poll() is not None, 10)
        two = opens("two")
        two.claim(["/b"])
        assert not two.is_free("one", ["/z"])
        process.stdin.close()  # and so its worker ends
        two.claim(["/a"])
        assert two.is_free("one", ["/a"])
        process.stdout.read()


@pytest.mark.parametrize(
    ("marker", "is_kept"),
    [("1-0-0-00000000", False), ("nonsense", False), (None, True)],
    ids=["elsewhere", "unknown", "alive"],
)
def test_what_a_dead_run_left_goes_but_not_that_of_a_live_one_by_a_copied_claim(
    opens, tmp_path, marker, is_kept
):
    partial, other = tmp_path / ".o.j.part.one.12", tmp_path / ".o.j.part.one-2.1"
    for path in (partial, other):
        path.touch()
    us = claimant("one", "x", 0.0)
    about = us if marker is None else us._replace(marker=marker)
    lines = [about._asdict(), str(tmp_path / "o"), "/nowhere/o", "/a\0b/o"]
    (tmp_path / "copied.claim").write_text("\n".join(map(json.dumps, lines)))
    opens("two").claim(["/b"])
    assert partial.exists() == is_kept
    assert other.exists()
    assert not (tmp_path / "copied.claim").exists()


def test_one_waits_no_longer_than_one_may(opens, stop):
    opens("one")  # and keeps the directory for itself
    two = opens("two")
    two._lock()
    stop.is_up = True
    with pytest.raises(BlockingIOError):
        opens("three")


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"run": 7}'])
def test_a_file_that_says_nothing_claims_nothing(opens, tmp_path, text):
    opens("one")
    (tmp_path / "one.claim").write_text(text)
    opens("two").claim(["/a"])


def test_what_is_no_file_claims_nothing_and_keeps_nobody_waiting(opens, tmp_path):
    os.mkfifo(tmp_path / "odd.claim")
    (tmp_path / "odder.claim").mkdir()
    opens("one").claim(["/a"])
    assert not (tmp_path / "odd.claim").exists()


def test_a_claim_is_plain_text(opens, tmp_path):
    opens("one").claim(["/a"])
    first, *paths = (tmp_path / "one.claim").read_text().splitlines()
    assert Claimant(**json.loads(first)).run == "one"
    assert paths == ['"/a"']
