"""Every way in which a command can end is told as what it was."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from penstock.executor.pool import Pool
from penstock.model.job import Job
from penstock.model.outcome import Cancelled, Exited, Outcome, Signaled, TimedOut
from tests.commands import ignore_term, python, sh, stop_self
from tests.executor.jobs import (
    job,
    outcomes_of,
    run,
    shell,
    stage,
    start,
    untimed,
)

NOT_FATAL = {17, 18, 19, 20, 21, 22, 23, 28}  # CHLD, CONT, STOP, ... (signal(7))
INHERITED = {n for n in (1, 2, 3, 15) if signal.getsignal(n) is signal.SIG_IGN}
"""What the user ignores (nohup, or ``&`` in a script), commands ignore, too."""
FATAL = sorted(set(range(1, 32)) - NOT_FATAL - INHERITED)


def run_all(pool: Pool, scripts: dict[str, str]) -> dict[str, object]:
    """Run shell scripts, as many at once as there is room; name -> ending."""
    endings: dict[str, object] = {}
    running = 0
    for name, script in scripts.items():
        if not pool.room:
            endings |= {o.job: o.ending for o in outcomes_of(pool)}
            running -= 1
        pool.submit(shell(script, name))
        running += 1
    return endings | {o.job: o.ending for o in outcomes_of(pool, running)}


@pytest.mark.slow
def test_every_exit_code_is_told_truthfully():
    with Pool.open(1) as pool:
        seen = run_all(pool, {str(code): f"exit {code}" for code in range(256)})
    assert seen == {str(code): Exited(code) for code in range(256)}


def test_every_signal_is_told_truthfully():
    scripts = {str(n): f"ulimit -c 0; kill -{n} $$; sleep 1000" for n in FATAL}
    with Pool.open(1) as pool:
        seen = run_all(pool, scripts)
    assert seen == {str(n): Signaled(n, core=False) for n in FATAL}


def test_a_real_time_signal_is_told_truthfully(pool: Pool):
    assert run(pool, shell("kill -40 $$; sleep 1000")).ending == Signaled(
        40, core=False
    )


def test_a_core_is_told_where_there_is_one(pool: Pool, tmp_path: Path):
    script = f"cd {tmp_path}; ulimit -c unlimited; kill -ABRT $$; sleep 1000"
    process = subprocess.Popen(sh(script), stderr=subprocess.DEVNULL)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = 0
    expected = Signaled(os.WTERMSIG(status), os.WCOREDUMP(status))
    if not expected.core:
        pytest.skip("this system writes no core files")
    assert run(pool, shell(script)).ending == expected


def test_what_is_accepted_is_success(pool: Pool):
    grep = stage(["grep", "x", "/dev/null"])
    assert run(pool, job(grep)).status == 1
    lenient = grep._replace(command=grep.command._replace(ok=(0, 1)))
    assert run(pool, job(lenient)).status == 0


# --- timeouts -----------------------------------------------------------------------


def test_who_traps_term_and_exits_0_has_timed_out_all_the_same(pool: Pool):
    script = "trap 'exit 0' TERM; echo ready $$; while :; do sleep 0.01; done"
    start(pool, sh(script), timeout=0.1)
    (outcome,) = outcomes_of(pool)
    assert untimed(outcome) == TimedOut(0.0, "command", Exited(0), escalated=False)
    assert (outcome.ok, outcome.status) == (False, 124)


def test_who_ignores_term_is_killed_after_the_grace(pool: Pool):
    start(pool, ignore_term(), timeout=0.05, grace=0.05)
    (outcome,) = outcomes_of(pool)
    killed = Signaled(9, core=False)
    assert untimed(outcome) == TimedOut(0.0, "command", killed, escalated=True)


def test_who_is_stopped_is_continued_to_die_of_term(pool: Pool):
    start(pool, stop_self(), timeout=0.2, grace=1000.0)
    (outcome,) = outcomes_of(pool)
    ended = Signaled(15, core=False)
    assert untimed(outcome) == TimedOut(0.0, "command", ended, escalated=False)


def test_the_other_stages_are_cancelled_for_a_timeout_of_one(pool: Pool):
    late = stage(["sleep", "1000"], timeout=0.05)._replace(name="late")
    outcome = run(pool, job(stage(["sleep", "1000"]), late))
    assert (outcome.culprit, outcome.status) == (1, 124)
    first = outcome.stages[0].ending
    assert isinstance(first, Cancelled)
    assert first.cause == "late timed out"


def test_a_limit_of_the_job_is_one_for_all_its_stages(pool: Pool):
    what = job(*[stage(["sleep", "1000"])] * 3, timeout=0.05)
    endings = [each.ending for each in run(pool, what).stages]
    assert all(isinstance(e, TimedOut) and e.limit_of == "job" for e in endings)


@pytest.mark.slow
def test_a_stage_that_ended_in_time_keeps_its_own_ending(pool: Pool):
    outcome = run(pool, job(stage(["true"]), stage(["sleep", "1000"]), timeout=1.5))
    assert outcome.stages[0].ending == Exited(0)
    assert outcome.culprit == 1


@pytest.mark.slow
def test_a_limit_counts_no_more_once_its_command_has_exited(pool: Pool):
    quick = stage(["true"], timeout=1.5)
    assert run(pool, job(quick, stage(["sleep", "2"]))).ok


def test_a_limit_passes_though_the_command_talks_all_the_time(pool: Pool):
    chatter = stage(sh("while :; do echo x; done >&2"), timeout=0.1)
    assert run(pool, job(chatter)).status == 124


def many(what: Job, number: int) -> list[Outcome]:
    """How so many of a job ended, all at once."""
    with Pool.open(number) as pool:
        for name in range(number):
            pool.submit(what._replace(name=str(name)))
        return outcomes_of(pool, number)


def slowest(outcomes: list[Outcome]) -> float:
    return max(outcome.elapsed for outcome in outcomes)


def test_many_that_are_late_at_once_are_all_ended_in_time():
    outcomes = many(job(stage(["sleep", "1000"], timeout=0.2)), 30)
    assert {outcome.status for outcome in outcomes} == {124}
    assert all(outcome.elapsed >= 0.2 for outcome in outcomes)
    # What this machine takes for as many that end by themselves, and some more.
    assert slowest(outcomes) < 4 + 5 * slowest(many(shell("sleep 0.2"), 30))


@pytest.mark.slow
def test_fifty_stubborn_ones_that_are_late_at_once_are_all_killed():
    outcomes = many(job(stage(ignore_term(), timeout=0.3, grace=0.1)), 50)
    assert all(isinstance(o.ending, TimedOut) for o in outcomes)
    assert slowest(outcomes) < 7 + 5 * slowest(many(shell("sleep 0.4"), 50))


# --- what was used ------------------------------------------------------------------


def test_what_a_command_used_and_how_long_it_ran_is_plausible(pool: Pool):
    busy = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.1"
    (seen,) = run(pool, shell(busy)).stages
    assert seen.usage is not None
    assert 0.1 <= seen.elapsed < 20
    assert 0 < seen.usage.user + seen.usage.system < seen.elapsed
    assert seen.usage.maxrss_bytes is None  # less than the worker: nobody can tell


def test_the_memory_of_a_large_command_is_told(pool: Pool):
    large = python("block = bytearray(b'x') * (100 << 20)")
    (seen,) = run(pool, job(stage(large))).stages
    assert seen.usage is not None
    assert seen.usage.maxrss_bytes is not None
    assert 100 << 20 < seen.usage.maxrss_bytes < 1 << 30


def test_each_stage_has_a_time_and_a_process_of_its_own(pool: Pool):
    outcome = run(pool, job(stage(["echo"]), stage(sh("sleep 0.1; cat; sleep 0.1"))))
    quick, slow = outcome.stages
    assert quick.elapsed < slow.elapsed <= outcome.elapsed
    assert quick.pid != slow.pid


# --- pipes --------------------------------------------------------------------------


def test_a_writer_whose_reader_has_enough_is_no_failure(pool: Pool):
    outcome = run(pool, job(stage(["yes"]), stage(["head", "-n", "1"])))
    assert outcome.ok
    assert outcome.stages[0].ending == Signaled(signal.SIGPIPE, core=False)


def test_the_rightmost_failure_is_the_culprit(pool: Pool):
    stages = [stage(sh(f"cat; exit {code}")) for code in (1, 2, 0)]
    outcome = run(pool, job(*stages))
    assert (outcome.culprit, outcome.status) == (1, 2)


def test_a_reader_sees_the_end_of_a_writer_that_was_killed(pool: Pool):
    outcome = run(pool, job(stage(sh("kill -9 $$")), stage(["cat"])))
    assert [each.ending for each in outcome.stages] == [
        Signaled(9, core=False),
        Exited(0),
    ]


def test_a_long_chain_runs_as_one(pool: Pool):
    outcome = run(pool, job(stage(sh("echo x")), *[stage(["cat"])] * 40))
    assert outcome.ok
    assert len({each.pid for each in outcome.stages}) == 41
