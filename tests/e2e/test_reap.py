"""``penstock reap``: what dead runs left is ended, and nothing else is touched."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from penstock.proc.cgroup import try_leaf
from penstock.proc.marker import PREFIX, RunName
from tests.commands import (
    double_fork,
    fork_and_exit,
    fork_and_wait,
    ignore_term,
    new_session,
    print_ready,
    python,
    sh,
    stop_self,
    stop_self_and_ignore_hup,
)

ROOT = Path(__file__).parent.parent.parent
PENSTOCK = str(Path(sys.executable).with_name("penstock"))


class Reaped(NamedTuple):
    """What `dead_run` tells."""

    status: int
    error: str
    told: list[dict[str, object]]
    stranger: bool
    live: bool
    left: list[str]

    @property
    def fates(self) -> set[object]:
        return {each["fate"] for each in self.told}


@pytest.fixture
def reap(cage, tmp_path) -> Callable[..., Reaped]:
    def run(
        command: Sequence[str], *arguments: str, layers: str = "UNW", ready: int = 1
    ) -> Reaped:
        done = cage(
            # Another cage may have had the same number, and have left files of its own.
            *("env", f"TMPDIR={tmp_path}", f"PYTHONPATH={ROOT}"),
            *(sys.executable, "-m", "tests.e2e.dead_run"),
            *(PENSTOCK, layers, str(ready), *arguments, "--", *command),
        )
        assert done.status == 0, done
        told = json.loads(done.out)
        return Reaped(*(told[name] for name in Reaped._fields))

    return run


def env_less_child() -> list[str]:
    """A child without environment, in the session of its parent, which has one."""
    return sh("env -i sh -c 'echo ready $$; exec sleep 1000' & wait")


def env_less_grandchild() -> list[str]:
    """The same in a session of its own: only its parent leads to it."""
    return sh("env -i setsid -w sh -c 'echo ready $$; exec sleep 1000'; :")


ENDED = (
    *(print_ready, fork_and_exit, fork_and_wait, double_fork, new_session),
    *(env_less_child, env_less_grandchild, stop_self_and_ignore_hup),
)


@pytest.mark.parametrize("command", ENDED, ids=lambda c: c.__name__)
def test_what_a_dead_run_left_is_ended(reap, command):
    done = reap(command())
    assert (done.status, done.error, done.left) == (0, "", [])
    assert done.fates == {"ended"}


def test_what_stood_still_in_a_dead_run_the_kernel_has_ended(reap):
    done = reap(stop_self())
    assert (done.status, done.error, done.left, done.told) == (0, "", [], [])


def test_what_ignores_term_is_killed_after_the_grace(reap):
    done = reap(ignore_term(), "--grace", "100ms")
    assert (done.status, done.left) == (0, [])
    assert "killed" in done.fates


def test_a_stopped_nursery_is_woken_and_ends_its_own(reap):
    done = reap(new_session(), layers="U")
    assert (done.status, done.left) == (0, [])
    assert done.fates == {"ended"}
    assert any(str(each["command"]).startswith("ps-nursery") for each in done.told)


@pytest.mark.parametrize("layers", ["U", "UNW"])
def test_strangers_and_live_runs_are_left_alone(reap, layers):
    done = reap(fork_and_wait(), layers=layers)
    assert (done.stranger, done.live) == (True, True)


def test_a_dry_run_tells_and_ends_nothing(reap):
    done = reap(fork_and_wait(), "--dry-run")
    assert done.status == 0
    assert done.fates == {"left"}
    assert len(done.left) == len(done.told) > 1


def test_what_forks_all_the_time_is_ended(reap):
    mole = python(
        "ready()\nwhile True:\n    if os.fork(): os._exit(0)\n    os.setsid()\n"
    )
    done = reap(mole, "--grace", "0")
    assert (done.status, done.left) == (0, [])


@pytest.mark.skipif(try_leaf() is not None, reason="no control groups here")
def test_what_has_dropped_all_that_leads_to_it_is_found_by_its_group(reap, monkeypatch):
    monkeypatch.setenv("DEAD_RUN_OPTIONS", "--isolate cgroup --linger 60")
    done = reap(sh("env -i setsid sh -c 'echo ready $$; exec sleep 1000' & exit"))
    assert (done.status, done.error, done.left) == (0, "", [])
    assert (done.stranger, done.live) == (True, True)
    assert [each["fate"] for each in done.told if each["path"]] == ["removed"]
    # It may still be the shell that is about to become `sleep`.
    commands = [str(each["command"]) for each in done.told if not each["path"]]
    assert len(commands) == 1
    assert "sleep 1000" in commands[0]


# --- directories --------------------------------------------------------------------


def dead_name() -> str:
    """Of a run of this boot and namespace, whose process is long gone."""
    return str(RunName.of(os.getpid())._replace(started=1))


def test_the_directory_of_a_dead_run_is_removed(penstock_cli, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    place = tmp_path / "tmp"
    directory = place / f"{PREFIX}{dead_name()}-job"
    directory.mkdir(parents=True)
    os.mkfifo(directory / "fifo")
    (directory / "link").symlink_to(outside)
    done = penstock_cli("reap", "--json", "--dry-run", env={"TMPDIR": str(place)})
    assert str(directory).encode() in done.out
    assert directory.exists()
    done = penstock_cli("reap", env={"TMPDIR": str(place)})
    assert done.status == 0
    assert str(directory).encode() in done.out
    assert not directory.exists()
    assert (outside / "kept").exists()


def test_other_names_are_left_alone(penstock_cli, tmp_path):
    name = RunName.of(os.getpid())
    for left in (
        f"{PREFIX}{name}-job",  # of a run that is alive
        f"{PREFIX}{name._replace(started=1, boot='00000000')}-job",  # another machine
        f"{PREFIX}{name._replace(started=1, namespace=1)}-job",  # another container
        f"{PREFIX}nonsense",
    ):
        (tmp_path / left).mkdir()
    (tmp_path / f"{PREFIX}{dead_name()}-link").symlink_to("/")
    (tmp_path / f"{PREFIX}{dead_name()}-file").touch()
    before = sorted(os.listdir(tmp_path))
    assert penstock_cli("reap", env={"TMPDIR": str(tmp_path)}).status == 0
    assert sorted(os.listdir(tmp_path)) == before
