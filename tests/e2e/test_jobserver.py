"""Jobs under make, and makes under jobs: never more at once than the outermost -j."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import alive, wait_until
from tests.conftest import plain_environment
from tests.peers import BIN, MAKES, NEW_MAKE

needs_make = pytest.mark.skipif(not MAKES, reason="make is missing")
LEAF = "sleep 0.2"
WIDE = "sleep 0.3"
JOBS = "jobs: {" + ", ".join(f"{name}: {{run: {LEAF}}}" for name in "abcd") + "}\n"


class Watched:
    """A make that runs, and the widest it has been seen."""

    def __init__(self, argv: list[str], cwd: Path, marker: str) -> None:
        self.marker = marker
        self.widest = 0
        self.leaf = LEAF
        path = f"{BIN}:{os.environ['PATH']}"
        state = {"XDG_STATE_HOME": str(cwd / "state"), "PATH": path}
        self.process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=plain_environment() | state,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def leaves(self) -> int:
        """How many leaf commands run now."""
        return sum(each.command == self.leaf for each in alive(self.marker))

    def is_over(self) -> bool:
        """Look, and count."""
        self.widest = max(self.widest, self.leaves())
        return self.process.poll() is not None

    def end(self, timeout: float = 60) -> str:
        """Wait for the end; what was printed."""
        wait_until(self.is_over, timeout)
        assert self.process.stdout is not None
        with self.process.stdout as out:
            return out.read().decode()


@pytest.fixture
def watch(tmp_path: Path, marker: str) -> Callable[..., Watched]:
    (tmp_path / "jobs.yaml").write_text(JOBS)
    return lambda *argv: Watched([*argv], tmp_path, marker)


def _makefile(directory: Path, recipe: str, targets: int = 10) -> None:
    names = " ".join(f"t{n}" for n in range(targets))
    (directory / "Makefile").write_text(
        f"all: {names}\nt%:\n\t{recipe}\n"
        f"wide: {' '.join(f'w{n}' for n in range(10))}\nw%:\n\t@{WIDE}\n"
    )


@needs_make
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", MAKES)
def test_ten_recipes_with_eight_jobs_each_are_never_wider_than_make(
    watch, tmp_path, make
):
    _makefile(tmp_path, "+@penstock run -q -j8 jobs.yaml")
    run = watch(make, "-j4")
    told = run.end()
    assert run.process.returncode == 0, told
    assert 2 <= run.widest <= 4
    assert "-j8 is more than the 4 jobs of the make around" in told
    assert "tokens" not in told  # make counts them at its end


@needs_make
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_ten_recipes_that_map_are_never_wider_than_make(watch, tmp_path):
    _makefile(tmp_path, f"+@seq 6 | penstock map -q -j8 '{LEAF} #'")
    run = watch(MAKES[0], "-j4")
    told = run.end()
    assert run.process.returncode == 0, told
    assert 2 <= run.widest <= 4
    assert "tokens" not in told


@needs_make
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("victim", ["penstock", "ps-nursery"])
def test_a_kill_loses_no_token(watch, tmp_path, make, victim, marker):
    _makefile(tmp_path, "-+@penstock run -q jobs.yaml", targets=2)
    with (tmp_path / "Makefile").open("a") as makefile:
        makefile.write("both: all\n\t@$(MAKE) --no-print-directory wide\n")
    run = watch(make, "-j4", "both")
    wait_until(lambda: run.leaves() >= 3, 30)  # at least one of them has a token
    victims = [
        each.pid
        for each in alive(marker)
        if (each.command == victim or "bin/penstock run" in each.command)
        and (victim == "penstock") == ("bin/penstock" in each.command)
    ]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    run.leaf, run.widest = WIDE, 0
    told = run.end()
    assert run.process.returncode == 0, told
    assert "tokens" not in told  # make counts them at its end, and complains
    assert run.widest == 4, told


@needs_make
def test_without_a_plus_the_message_says_so(watch, tmp_path):
    _makefile(tmp_path, "@penstock run -q jobs.yaml a", targets=1)
    run = watch(MAKES[0], "-j4")
    told = run.end()
    assert run.process.returncode == 0
    assert "begin the recipe line with `+`" in told
    assert "one job at a time" in told


@needs_make
@pytest.mark.slow
def test_off_lets_our_own_number_win(watch, tmp_path):
    _makefile(tmp_path, "+@penstock run -q -j4 --jobserver=off jobs.yaml", targets=1)
    run = watch(MAKES[0], "-j2")
    told = run.end()
    assert (run.process.returncode, told) == (0, "")
    assert run.widest > 2


# --- we are the jobserver -----------------------------------------------------------


def _definition(directory: Path, command: str, jobs: int = 4) -> None:
    lines = "\n".join(f"  j{n}: {{run: {command}}}" for n in range(jobs))
    (directory / "outer.yaml").write_text(f"jobs:\n{lines}\n")


@needs_make
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("style", "make"),
    [*(("pipe", make) for make in MAKES), ("fifo", NEW_MAKE)],
)
def test_makes_below_us_share_our_slots(watch, tmp_path, style, make):
    if make is None:
        pytest.skip("there is no make that knows FIFOs")
    _makefile(tmp_path, "@true")
    _definition(tmp_path, f"{make} -s wide")
    run = watch("penstock", "run", "-q", "-j4", f"--jobserver={style}", "outer.yaml")
    run.leaf = WIDE
    told = run.end()
    assert (run.process.returncode, told) == (0, "")
    assert run.widest in (3, 4)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("style", ["pipe", "fifo"])
def test_a_penstock_in_a_penstock_is_never_wider_than_the_outer_one(
    watch, tmp_path, style
):
    _definition(tmp_path, "penstock run -q jobs.yaml")
    run = watch("penstock", "run", "-q", "-j3", f"--jobserver={style}", "outer.yaml")
    told = run.end()
    assert (run.process.returncode, told) == (0, "")
    assert 2 <= run.widest <= 3
    assert [*tmp_path.rglob("jobserver")] == []


def test_a_style_that_there_is_not(penstock_cli):
    done = penstock_cli("run", "--jobserver", "telepathy", "x.yaml")
    assert done.status == 2
    assert b"`telepathy` is not one of off, fifo, pipe" in done.err
