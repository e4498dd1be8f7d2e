"""Jobs under make, and makes under jobs: never more at once than the outermost -j."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.commands import alive, wait_until
from tests.conftest import plain_environment
from tests.peers import BIN, MAKES, NEW_MAKE

needs_make = pytest.mark.skipif(not MAKES, reason="make is missing")
LEAF = "sh leaf narrow"
WIDE = "sh leaf wide"
SCRIPT = """\
# Wait until so many leaves as are wanted here have been alive at once, or in vain.
place=$1 left=4000
count() {
    n=0
    for each in $place/[0-9]*; do [ ! -e /proc/${each##*/} ] || n=$((n + 1)); done
}
mkdir $place/$$
count
echo $n >>$place/counts
until [ -e $place/met ] || [ $n -ge $(cat $place/wanted) ] || [ $left = 0 ]; do
    sleep 0.01
    left=$((left - 1))
    count
done
[ $left = 0 ] || : >$place/met
sleep 0.1
rmdir $place/$$
"""
JOBS = "jobs: {" + ", ".join(f"{name}: {{run: {LEAF}}}" for name in "abcd") + "}\n"

SERVED = """\
jobs:
  db:
    service: {ready: test -e up}
    run: touch up; sleep 1000
  cache:
    service: {}
    run: sleep 1000
  user:
    needs: [db, cache]
    run: echo used
"""


class Watched:
    """A make that runs, whose leaves count each other."""

    def __init__(self, argv: list[str], cwd: Path) -> None:
        self.cwd = cwd
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

    def widest(self, place: str = "narrow") -> int:
        """The most leaves that were alive at once, up to now."""
        counts = self.cwd / place / "counts"
        told = counts.read_text() if counts.exists() else ""  # nothing yet, perhaps
        return max(map(int, told.split()), default=0)

    def end(self) -> str:
        """Wait for the end; what was printed."""
        out, _ = self.process.communicate(timeout=100)
        return out.decode()


@pytest.fixture
def watch(tmp_path: Path) -> Callable[..., Watched]:
    """``watch(4, "make", ...)``: four leaves must have been alive at once."""
    (tmp_path / "jobs.yaml").write_text(JOBS)
    (tmp_path / "leaf").write_text(SCRIPT)

    def start(wanted: int, *argv: str) -> Watched:
        for place, number in (("narrow", wanted), ("wide", 4)):
            (tmp_path / place).mkdir()
            (tmp_path / place / "wanted").write_text(f"{number}\n")
        return Watched([*argv], tmp_path)

    return start


def _makefile(directory: Path, recipe: str, targets: int = 10) -> None:
    names = " ".join(f"t{n}" for n in range(targets))
    (directory / "Makefile").write_text(
        f"all: {names}\nt%:\n\t{recipe}\n"
        f"wide: {' '.join(f'w{n}' for n in range(10))}\nw%:\n\t@{WIDE}\n"
    )


@needs_make
@pytest.mark.slow
@pytest.mark.parametrize("make", MAKES)
def test_ten_recipes_with_eight_jobs_each_are_never_wider_than_make(
    watch, tmp_path, make
):
    _makefile(tmp_path, "+@penstock run -q -j8 jobs.yaml")
    run = watch(4, make, "-j4")
    told = run.end()
    assert run.process.returncode == 0, told
    assert run.widest() == 4
    assert "-j8 is more than the 4 jobs of the make around" in told
    assert "tokens" not in told  # make counts them at its end


@needs_make
@pytest.mark.slow
def test_ten_recipes_that_map_are_never_wider_than_make(watch, tmp_path):
    _makefile(tmp_path, f"+@seq 6 | penstock map -q -j8 '{LEAF} #'")
    run = watch(4, MAKES[0], "-j4")
    told = run.end()
    assert run.process.returncode == 0, told
    assert run.widest() == 4
    assert "tokens" not in told


@needs_make
@pytest.mark.slow
@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("victim", ["penstock", "ps-nursery"])
def test_a_kill_loses_no_token(watch, tmp_path, make, victim, marker):
    _makefile(tmp_path, "-+@penstock run -q jobs.yaml", targets=2)
    with (tmp_path / "Makefile").open("a") as makefile:
        makefile.write("both: all\n\t@$(MAKE) --no-print-directory wide\n")
    run = watch(5, make, "-j4", "both")  # more than there can be: nobody ends
    wait_until(lambda: run.widest() >= 3)  # at least one of them has a token
    victims = [
        each.pid
        for each in alive(marker)
        if (each.command == victim or "bin/penstock run" in each.command)
        and (victim == "penstock") == ("bin/penstock" in each.command)
    ]
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    told = run.end()
    assert run.process.returncode == 0, told
    assert "tokens" not in told  # make counts them at its end, and complains
    assert run.widest("wide") == 4, told


@needs_make
def test_without_a_plus_the_message_says_so(watch, tmp_path):
    _makefile(tmp_path, "@penstock run -q jobs.yaml a", targets=1)
    run = watch(1, MAKES[0], "-j4")
    told = run.end()
    assert run.process.returncode == 0
    assert "begin the recipe line with `+`" in told
    assert "one job at a time" in told


@needs_make
@pytest.mark.slow
@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize(
    ("recipe", "most"),
    [
        ("+@penstock run -q jobs.yaml", 1),
        ("@penstock run -q jobs.yaml", 1),
        (f"+@seq 6 | penstock map -q '{LEAF} #'", 1),
        ("+@penstock run -q -j3 jobs.yaml", 3),
        ("+@penstock run -q -j3 --jobserver=off jobs.yaml", 3),
    ],
)
def test_a_make_of_one_job_has_one_at_once(watch, tmp_path, make, recipe, most):
    _makefile(tmp_path, recipe, targets=1)
    run = watch(most, make, "-j1")
    assert (run.end(), run.process.returncode) == ("", 0)
    assert run.widest() == most


@needs_make
@pytest.mark.slow
@pytest.mark.parametrize("make", MAKES)
def test_services_take_no_token_from_the_jobs_that_need_them(watch, tmp_path, make):
    _makefile(tmp_path, "+@penstock run -q served.yaml", targets=1)
    (tmp_path / "served.yaml").write_text(SERVED)
    run = watch(1, make, "-j2")
    assert (run.end(), run.process.returncode) == ("used\n", 0)


@needs_make
@pytest.mark.slow
def test_off_lets_our_own_number_win(watch, tmp_path):
    _makefile(tmp_path, "+@penstock run -q -j4 --jobserver=off jobs.yaml", targets=1)
    run = watch(4, MAKES[0], "-j2")
    told = run.end()
    assert (run.process.returncode, told) == (0, "")
    assert run.widest() == 4


# --- we are the jobserver -----------------------------------------------------------


def _definition(directory: Path, command: str, jobs: int = 4) -> None:
    lines = "\n".join(f"  j{n}: {{run: {command}}}" for n in range(jobs))
    (directory / "outer.yaml").write_text(f"jobs:\n{lines}\n")


@needs_make
@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "make"),
    [*(("pipe", make) for make in MAKES), ("fifo", NEW_MAKE)],
)
def test_makes_below_us_share_our_slots(watch, tmp_path, style, make):
    if make is None:
        pytest.skip("there is no make that knows FIFOs")
    _makefile(tmp_path, "@true")
    _definition(tmp_path, f"{make} -s wide")
    argv = ("penstock", "run", "-q", "-j4", f"--jobserver={style}", "outer.yaml")
    run = watch(0, *argv)
    told = run.end()
    assert (run.process.returncode, told) == (0, "")
    assert run.widest("wide") == 4


@pytest.mark.slow
@pytest.mark.parametrize("style", ["pipe", "fifo"])
def test_a_penstock_in_a_penstock_is_never_wider_than_the_outer_one(
    watch, tmp_path, style
):
    _definition(tmp_path, "penstock run -q jobs.yaml")
    argv = ("penstock", "run", "-q", "-j3", f"--jobserver={style}", "outer.yaml")
    run = watch(3, *argv)
    told = run.end()
    assert (run.process.returncode, told) == (0, "")
    assert run.widest() == 3
    assert [*tmp_path.rglob("jobserver")] == []


def test_one_job_at_once_can_use_services(penstock_cli):
    (penstock_cli.cwd / "penstock.yaml").write_text(SERVED)
    done = penstock_cli("run", "-q", "-j1", "--jobserver=pipe")
    assert (done.status, done.out, done.err) == (0, b"used\n", b"")


def test_no_more_jobs_than_tokens_can_be_kept(penstock_cli):
    done = penstock_cli("map", "-j5000", "--jobserver=pipe", "echo {}", ":::", "1")
    assert (done.status, done.out) == (0, b"1\n")
    assert b" jobs at once instead of 5000: no more tokens fit in a pipe" in done.err


@needs_make
@pytest.mark.slow
@pytest.mark.parametrize("make", MAKES)
def test_more_jobs_of_make_than_its_pipe_can_hold_one_by_one(watch, tmp_path, make):
    _makefile(tmp_path, "+@seq 400 | penstock map -q -j2 true", targets=2)
    run = watch(1, make, "-j300")
    told = run.end()
    assert run.process.returncode == 0, told
    assert "tokens" not in told  # make counts them at its end


def test_a_style_that_there_is_not(penstock_cli):
    done = penstock_cli("run", "--jobserver", "telepathy", "x.yaml")
    assert done.status == 2
    assert b"`telepathy` is not one of off, fifo, pipe" in done.err


def test_a_run_that_is_refused_leaves_no_fifo(penstock_cli):
    text = "jobs: {a: {run: 'true', outputs: x}, b: {run: 'true', outputs: y}}"
    (penstock_cli.cwd / "penstock.yaml").write_text(text)
    (penstock_cli.cwd / "y").symlink_to("x")
    done = penstock_cli("run", "-j2", "--jobserver=fifo")
    assert (done.status, b"make the same file" in done.err) == (2, True)
    assert [*penstock_cli.cwd.glob(".penstock/runs/*/*")] != []
    assert [*penstock_cli.cwd.glob(".penstock/runs/*/jobserver")] == []
