"""What a command may be limited in, besides its time; and how it is asked to end."""

from __future__ import annotations

import math
import os
import signal
import sys

import pytest

from penstock.clock import MonotonicClock
from penstock.executor.pool import Pool
from penstock.model.job import Job, Link, Stage
from penstock.model.limits import Limits
from penstock.model.outcome import (
    Cancelled,
    Exited,
    NotStarted,
    OutOfMemory,
    Signaled,
    TimedOut,
)
from tests.commands import alive, python, sh
from tests.executor.jobs import (
    job,
    outcomes_of,
    output_of,
    run,
    stage,
    start,
    start_in_time,
    untimed,
)

MIB = 1 << 20
NOBODY = 65534


def idle(argv: list[str], seconds: float) -> Stage:
    made = stage(argv)
    return made._replace(limits=made.limits._replace(idle=seconds))


def asked_by(argv: list[str], number: int, *, timeout: float | None = None) -> Stage:
    made = stage(argv, timeout=timeout)
    return made._replace(command=made.command._replace(signal=number))


def nice(argv: list[str], by: int) -> Stage:
    made = stage(argv)
    return made._replace(command=made.command._replace(nice=by))


def small(argv: list[str], mib: int) -> Stage:
    made = stage(argv)
    return made._replace(command=made.command._replace(memory=mib * MIB))


# --- idle ---------------------------------------------------------------------------


def test_a_command_that_says_nothing_for_too_long_has_timed_out(pool: Pool):
    outcome = run(pool, job(idle(sh("echo x; sleep 1000"), 0.2)))
    killed = Signaled(signal.SIGTERM, core=False)
    assert outcome.ending == TimedOut(0.2, "idle", killed, escalated=False)
    assert outcome.status == 124
    assert 0.2 <= outcome.elapsed < 10


@pytest.mark.slow
@pytest.mark.parametrize("target", ["/dev/null", "/dev/stderr", "file"])
def test_a_command_that_talks_goes_on_wherever_it_writes(
    pool: Pool, tmp_path, target: str
):
    where = tmp_path / target
    chatter = sh(f"for i in $(seq 25); do sleep 0.1; echo $i; done > {where}")
    assert run(pool, job(idle(chatter, 2))).ok


@pytest.mark.slow
def test_what_a_child_says_counts_also_when_its_parent_is_gone(pool: Pool):
    child = "(for i in $(seq 25); do sleep 0.1; echo; done) & sleep 2.6; wait"
    daemon = python(
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        "    for _ in range(25): os.write(1, b'x'); signal.sigtimedwait([], 0.1)\n"
        "    os._exit(0)\n"
        "signal.sigtimedwait([], 2.6)"
    )
    assert run(pool, job(idle(sh(child), 2))).ok
    assert run(pool, job(idle(daemon, 2))).ok


def test_of_a_pipeline_the_silent_one_is_to_blame(pool: Pool):
    outcome = run(pool, job(stage(["yes"]), idle(["sleep", "1000"], 0.2)))
    assert outcome.culprit == 1
    first = outcome.stages[0].ending
    assert isinstance(first, Cancelled)
    assert first.cause == "sleep said nothing for too long"


@pytest.mark.parametrize(
    "links",
    [(Link(0, 1, buffer="disk"),), (Link(0, 2), Link(1, 2))],
    ids=["disk", "merge"],
)
def test_what_a_relay_passes_on_is_no_word_of_who_is_silent(
    pool: Pool, links: tuple[Link, ...]
):
    talks = stage(sh("while echo x; do sleep 0.01; done"))
    silent = idle(["sleep", "1000"], 0.3)
    stages = (talks, silent, stage(sh("exec cat >/dev/null")))[: len(links) + 1]
    outcome = run(pool, Job("job", stages, links, limits=Limits(timeout=30.0)))
    assert outcome.culprit == 1
    assert isinstance(outcome.ending, TimedOut)
    assert outcome.ending.limit_of == "idle"


# --- the first signal ---------------------------------------------------------------


def test_a_command_is_asked_to_end_by_the_signal_that_it_wants(pool: Pool):
    traps = "trap 'exit 3' INT; trap '' TERM; echo ready $$"
    script = sh(f"{traps}; while :; do sleep 0.01; done")

    def make(timeout: float) -> Job:
        return job(asked_by(script, signal.SIGINT, timeout=timeout))

    start_in_time(pool, make, 0.2)
    (outcome,) = outcomes_of(pool)
    assert untimed(outcome) == TimedOut(0.0, "command", Exited(3), escalated=False)


def test_each_stage_and_what_is_below_it_has_its_own_signal(pool: Pool):
    sleeper = sh("sleep 1000; :")
    stages = [asked_by(sleeper, number) for number in (signal.SIGINT, signal.SIGUSR1)]
    outcome = run(pool, job(*stages, stage(["sleep", "1000"]), timeout=0.3))
    deaths = [each.ending.status for each in outcome.stages]  # type: ignore[union-attr]
    assert deaths[1:] == [
        Signaled(signal.SIGUSR1, core=False),
        Signaled(signal.SIGTERM, core=False),
    ]
    assert outcome.elapsed < 4  # no grace was needed: all were asked


# --- nice ---------------------------------------------------------------------------


def tell_niceness(expected: int) -> list[str]:
    """Prints its niceness, once that is as expected, or in the end.

    It is set from outside, right after the start: the command may look before that.
    """
    wait = f'until test "$(nice)" = {expected} || test $i = 500'
    return sh(f"i=0; {wait}; do i=$((i + 1)); sleep 0.01; done; nice")


def test_a_command_and_its_children_give_way(pool: Pool):
    more = min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)
    assert int(output_of(pool, nice(tell_niceness(more), 5))) == more


def test_the_worker_does_not(pool: Pool):
    own = os.getpriority(os.PRIO_PROCESS, 0)
    run(pool, job(nice(["true"], 5)))
    assert int(output_of(pool, stage(sh("nice")))) == own


UNPRIVILEGED = f"""
import os, resource, sys
from penstock.model.command import Command
from penstock.proc.nice import check_nice
from penstock.proc.spawn import CannotStart
resource.setrlimit(resource.RLIMIT_NICE, (0, 0))
os.setgid({NOBODY}), os.setuid({NOBODY})
try:
    check_nice(Command(("true",), "true", nice=-1))
except CannotStart as refused:
    print(refused.ending.reason)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root, to stop being it")
def test_who_may_not_go_before_others_is_told_so(pool: Pool):
    with_source = f"import sys; sys.path[:] = {sys.path!r}\n{UNPRIVILEGED}"
    said = output_of(pool, stage(python(with_source)))
    assert b"its niceness cannot be lowered by 1" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
def test_who_may_go_before_others_does(pool: Pool):
    own = os.getpriority(os.PRIO_PROCESS, 0)
    less = max(own - 2, -20)
    assert int(output_of(pool, nice(tell_niceness(less), -2))) == less
    assert int(output_of(pool, stage(sh("nice")))) == own


# --- memory -------------------------------------------------------------------------

HOLD = "block = bytearray(b'x') * ({} << 20); ready(); rest()"


def test_a_command_that_holds_too_much_is_killed_and_told_so(pool: Pool, marker: str):
    outcome = run(pool, job(small(python(HOLD.format(200)), 64)))
    ending = outcome.ending
    assert isinstance(ending, OutOfMemory)
    assert ending.limit_bytes == 64 * MIB < ending.held_bytes
    assert ending.status == Signaled(signal.SIGKILL, core=False)
    assert outcome.status == 128 + signal.SIGKILL
    assert [p for p in alive(marker) if not p.command.startswith("ps-")] == []


def test_its_children_count(pool: Pool):
    fork = "for _ in range(4):\n    if os.fork() == 0: break\n"
    outcome = run(pool, job(small(python(fork + HOLD.format(40)), 120)))
    assert isinstance(outcome.ending, OutOfMemory)


@pytest.mark.slow
def test_a_page_that_children_share_counts_once(pool: Pool):
    script = (
        "block = bytearray(b'x') * (60 << 20)\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0: rest()\n"
        "signal.sigtimedwait([], 2); os.kill(0, 9)"
    )
    outcome = run(pool, job(small(python(script), 150)))
    assert outcome.ending == Signaled(signal.SIGKILL, core=False)
    assert outcome.peak_bytes is not None
    assert outcome.peak_bytes > 60 * MIB


def test_of_a_pipeline_the_one_that_holds_too_much_is_to_blame(pool: Pool):
    large = small(python(HOLD.format(200)), 64)
    outcome = run(pool, job(stage(["sleep", "1000"]), large, stage(["cat"])))
    assert outcome.culprit == 1
    assert isinstance(outcome.stages[0].ending, Cancelled)


def test_how_often_a_command_had_to_wait_is_told(pool: Pool):
    (seen,) = run(pool, job(stage(sh("sleep 0; sleep 0")))).stages
    assert seen.usage is not None
    assert seen.usage.waits > 0


# --- what is left behind ------------------------------------------------------------


def test_what_a_command_left_behind_may_hold_no_more_memory(pool: Pool):
    holds = HOLD.format(200)
    leaves = python(f"if os.fork(): os._exit(0)\n{holds}")
    outcome = run(pool, job(small(leaves, 64), linger=30.0))
    ending = outcome.ending
    assert isinstance(ending, OutOfMemory)
    assert ending.limit_bytes == 64 * MIB < ending.held_bytes
    assert outcome.stragglers == ()  # it was ended as a part of its command


DAEMON = sh("sleep 1000 & exit 0")


@pytest.mark.parametrize(
    ("made", "limit_of"),
    [
        (job(stage(DAEMON, timeout=0.4), linger=math.inf), "command"),
        (job(stage(DAEMON), timeout=0.4, linger=math.inf), "job"),
        (job(idle(DAEMON, 0.4), linger=math.inf), "idle"),
    ],
    ids=["command", "job", "idle"],
)
def test_the_time_of_a_service_goes_on_when_it_makes_a_daemon_of_itself(
    pool: Pool, made: Job, limit_of: str
):
    outcome = run(pool, made)
    assert isinstance(outcome.ending, TimedOut)
    assert outcome.ending.limit_of == limit_of
    assert outcome.status == 124
    assert outcome.stragglers == ()


# --- standing still -----------------------------------------------------------------


@pytest.mark.slow
def test_while_a_job_stands_still_so_does_its_time(pool: Pool, tmp_path):
    clock = MonotonicClock()
    script = f"until test -e {tmp_path}/go; do sleep 0.01; done"
    pid = start(pool, sh(f"echo ready $$; {script}"), timeout=2.0)
    pool.suspend(on=True)
    pool.wait(clock.now() + 3.0)
    with open(f"/proc/{pid}/stat") as stat:
        assert stat.read().rpartition(")")[2].split()[0] in "TD"  # D: vfork(2)
    (tmp_path / "go").touch()
    pool.suspend(on=False)
    (outcome,) = outcomes_of(pool)
    assert outcome.ok
    assert outcome.elapsed < 3.0


def test_what_stands_still_can_be_ended(pool: Pool):
    start(pool, sh("echo ready $$; sleep 1000"))
    pool.suspend(on=True)
    pool.cancel("job", "enough")
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, Cancelled)
    assert not outcome.ending.escalated


def test_what_cannot_be_started_is_not(pool: Pool):
    missing = nice(["/no/such/program"], 5)
    assert isinstance(run(pool, job(missing)).ending, NotStarted)
