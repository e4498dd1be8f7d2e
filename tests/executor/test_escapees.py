"""P1: whatever a command starts, and however that hides, nothing of it survives."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.executor.pool import Pool
from penstock.model.outcome import Cancelled, Exited, TimedOut
from tests.commands import (
    BEGUN,
    alive,
    daemon_and_exit,
    double_fork,
    fork_and_exit,
    fork_and_wait,
    hide_from_marker,
    hold_pipe,
    ignore_term,
    is_running,
    look_up,
    new_session,
    print_ready,
    python,
    sh,
    stop_self,
    wait_until,
)
from tests.executor.jobs import (
    Heard,
    job,
    outcomes_of,
    output_of,
    run,
    shell,
    stage,
    start,
)

MakeCommand = Callable[[], list[str]]


def ignoring_child() -> list[str]:
    """Dies of TERM, but has a child in the same group that ignores it."""
    return sh(f"{ignoring} & sleep 1000; :")


ignoring = "sh -c \"trap '' TERM; echo ready \\$\\$; while :; do sleep 1000; done\""

STAY = (
    *(print_ready, ignore_term, stop_self, fork_and_wait, double_fork, new_session),
    *(hide_from_marker, ignoring_child),
)
LEAVE = (fork_and_exit, daemon_and_exit, hold_pipe)


def ours(marker: str, pool: Pool) -> list[int]:
    """What is alive of this test, but nursery and workers."""
    del pool
    return [p.pid for p in alive(marker) if not p.command.startswith("ps-")]


@pytest.mark.parametrize("command", STAY, ids=lambda c: c.__name__)
def test_nothing_survives_a_timeout(pool: Pool, marker: str, command: MakeCommand):
    pid = start(pool, command(), timeout=0.3, grace=0.1)
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, TimedOut)
    assert not is_running(pid)
    assert (ours(marker, pool), outcome.survivors) == ([], ())


@pytest.mark.parametrize("command", STAY, ids=lambda c: c.__name__)
def test_nothing_survives_a_cancel(pool: Pool, marker: str, command: MakeCommand):
    pid = start(pool, command(), grace=0.1)
    pool.cancel("job", "enough")
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, Cancelled)
    assert not is_running(pid)
    assert ours(marker, pool) == []


@pytest.mark.parametrize("command", LEAVE, ids=lambda c: c.__name__)
def test_who_stays_behind_is_named_and_ended(
    pool: Pool,
    marker: str,
    command: MakeCommand,
):
    pid = start(pool, command(), linger=0.1)
    (outcome,) = outcomes_of(pool)
    assert (outcome.ending, outcome.ok) == (Exited(0), True)
    assert [process.pid for process in outcome.stragglers] == [pid]
    assert ours(marker, pool) == []


def test_a_straggler_is_named_by_its_command_line(pool: Pool):
    script = f"{BEGUN.format('sleep 1234')}; exit 0"
    (straggler,) = run(pool, shell(script, linger=0.1)).stragglers
    assert straggler.command == "sleep 1234"


def test_who_finishes_while_it_lingers_is_no_straggler(pool: Pool, tmp_path: Path):
    script = f"(sleep 0.1; echo done > {tmp_path}/done) & exit 0"
    outcome = run(pool, shell(script, linger=60.0))
    assert (outcome.ok, outcome.stragglers) == (True, ())
    assert (tmp_path / "done").read_text() == "done\n"
    assert outcome.elapsed < 45


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_a_process_substitution_loses_nothing(pool: Pool, tmp_path: Path):
    script = f"printf 'b\\na\\n' > >(sleep 0.1; sort > {tmp_path}/sorted)"
    outcome = run(pool, job(stage(["bash", "-c", script]), linger=60.0))
    assert (outcome.ok, outcome.stragglers) == (True, ())
    assert (tmp_path / "sorted").read_text() == "a\nb\n"


def test_a_failed_job_leaves_nothing_either(pool: Pool, marker: str):
    outcome = run(pool, shell("sleep 1000 & exit 3", linger=0.05))
    assert outcome.status == 3
    assert len(outcome.stragglers) == 1
    assert ours(marker, pool) == []


def test_nothing_of_one_job_is_there_for_the_next(pool: Pool):
    first = run(pool, shell("sleep 1000 & exit 0", linger=0.05))
    second = run(pool, shell("exit 0"))
    assert (len(first.stragglers), len(second.stragglers)) == (1, 0)


def test_many_who_stay_behind_are_all_ended(pool: Pool, marker: str):
    script = "for i in $(seq 100); do setsid sleep 1000 & done; wait $(jobs -p); exit 0"
    late = stage(sh(script), timeout=0.5)
    assert run(pool, job(late)).status == 124
    assert ours(marker, pool) == []


FEW_DESCRIPTORS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
from penstock.executor.pool import Pool
from tests.executor.jobs import run, shell
with Pool.open(1) as pool:
    script = "i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done; exit 7"
    outcome = run(pool, shell(script, linger=0.1, grace=0.2))
    print(outcome.ending, len(outcome.stragglers), len(outcome.survivors))
"""


def test_more_orphans_than_descriptors_cost_no_status(pool: Pool):
    root = str(Path(__file__).parents[2])
    script = f"import sys; sys.path.insert(0, {root!r})\n{FEW_DESCRIPTORS}"
    seen = output_of(pool, stage([sys.executable, "-c", script]))
    assert seen == b"Exited(code=7) 60 0\n"


def test_who_kills_its_own_group_takes_none_of_ours_along(pool: Pool):
    outcome = run(pool, shell("kill -9 0"))
    assert outcome.status == 128 + 9
    assert run(pool, shell("exit 0")).ok


def test_the_grace_ends_as_soon_as_everything_has(pool: Pool):
    start(pool, fork_and_wait(), grace=1000.0)
    pool.cancel("job", "enough")
    assert isinstance(outcomes_of(pool)[0].ending, Cancelled)


def test_the_grace_is_for_the_tree_and_not_for_the_leader(pool: Pool, tmp_path: Path):
    """A leader that dies of TERM does not take the grace from who is tidying up."""
    tidy = f"trap 'sleep 0.2; echo tidy > {tmp_path}/f; exit' TERM; echo ready $$"
    script = f'sh -c "{tidy.replace("$", chr(92) + "$")}; while :; do sleep 0.02; done"'
    start(pool, sh(f"{script} & sleep 1000; :"), grace=20.0)
    pool.cancel("job", "enough")
    outcomes_of(pool)
    assert (tmp_path / "f").read_text() == "tidy\n"


# --- zombies (P2) -------------------------------------------------------------------


def orphan_maker(then: str) -> list[str]:
    """Makes an orphan that announces itself and dies at once; then does `then`."""
    return python(
        "if os.fork() == 0:\n"
        "    middle = os.getpid()\n"
        "    if os.fork() == 0:\n"
        "        while os.getppid() == middle: pass\n"
        "        ready(); os._exit(0)\n"
        "    os._exit(0)\n"
        f"os.wait()\n{then}"
    )


@pytest.mark.parametrize(
    "then",
    ["rest()", "while True: os.write(2, b'chatter\\n')"],
    ids=["silent", "talking"],
)
def test_an_orphan_that_dies_is_reaped_while_the_job_runs(pool: Pool, then: str):
    heard = Heard(pool, job(stage(orphan_maker(then))))
    with heard.stream:
        pid = heard.ready_pid()
        wait_until(lambda: look_up(pid) is None)
    assert pool.wait(MonotonicClock().now()) == ()  # the job still runs
    pool.cancel("job", "seen enough", now=True)
    outcomes_of(pool)


def test_the_pool_itself_has_no_child_but_the_nursery(pool: Pool):
    run(pool, shell("sleep 0 & exit 0"))
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert len(children) == 1
