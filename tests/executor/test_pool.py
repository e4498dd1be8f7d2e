from __future__ import annotations

import os
import select
import signal
from contextlib import closing
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.errors import UsageError
from penstock.executor.nursery import start_nursery
from penstock.executor.pool import Pool
from penstock.model.job import Job, Link
from penstock.model.outcome import Cancelled, Exited, NotStarted, Signaled
from penstock.model.stream import Handed, Input
from tests.commands import ignore_term, is_running, look_up, print_ready, sh, wait_until
from tests.executor.jobs import (
    PATIENCE,
    job,
    outcomes_of,
    output_of,
    run,
    shell,
    stage,
    start,
)


def worker_of(pid: int) -> int:
    """The worker under which command `pid` runs."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


# --- what may be asked for ----------------------------------------------------------


@pytest.mark.parametrize("slots", [0, -1])
def test_a_pool_without_slots_is_refused_and_leaves_nothing(slots: int):
    with pytest.raises(UsageError):
        Pool.open(slots)


def test_a_link_to_nowhere_is_refused_before_anything_starts(pool: Pool):
    with pytest.raises(UsageError):
        pool.submit(job(stage(["true"]))._replace(links=(Link(0, 1),)))
    assert run(pool, shell("exit 0")).ok


def test_a_descriptor_that_is_not_open_is_refused(pool: Pool):
    with pytest.raises((UsageError, OSError)):
        pool.submit(job(stage(["cat"], stdin=Handed(0))), (999_999,))
    assert run(pool, shell("exit 0")).ok


def test_more_descriptors_than_a_message_can_carry_are_refused(pool: Pool):
    with open(os.devnull, "rb") as device, pytest.raises((UsageError, OSError)):
        pool.submit(shell("exit 0"), [device.fileno()] * 300)
    assert run(pool, shell("exit 0")).ok


def test_a_job_whose_stream_is_not_handed_over_is_refused(pool: Pool):
    what = job(stage(["cat"], stdin=Handed(1)))
    with open(os.devnull, "rb") as device, pytest.raises(UsageError):
        pool.submit(what, (device.fileno(),))
    assert run(pool, shell("exit 0")).ok


@pytest.mark.slow
def test_a_worker_that_does_not_answer_is_given_up(pool: Pool, tmp_path: Path):
    note = tmp_path / "worker"
    pool.submit(shell(f"echo $PPID >{note}; sleep 1000", name="mute"))

    def is_stopped() -> bool:
        pid = note.read_text().strip() if note.exists() else ""
        found = look_up(int(pid)) if pid else None
        return found is not None and found.state == "T"

    wait_until(lambda: note.exists() and note.read_text())
    nursery = pool._nursery.pid
    os.kill(nursery, signal.SIGSTOP)  # it would let the worker go on
    try:
        os.kill(int(note.read_text()), signal.SIGSTOP)
        wait_until(is_stopped)
        pool.cancel("mute", "enough", now=True)
        (outcome,) = outcomes_of(pool)
    finally:
        os.kill(nursery, signal.SIGCONT)
    assert outcome.status == 125
    assert "does not answer" in str(outcome.ending)


def test_a_nursery_that_was_stopped_ends_with_its_pool():
    with Pool.open(1) as pool:
        assert run(pool, shell("exit 3")).status == 3
        os.kill(pool._nursery.pid, signal.SIGSTOP)
    assert pool.is_clean


def test_a_pool_that_works_ahead_takes_no_descriptors():
    with Pool.open(1, ahead=1) as pool, pytest.raises(UsageError):
        pool.submit(shell("exit 0"), (0,))


def test_a_pool_can_be_given_fewer_slots_and_more():
    with Pool.open(3, ahead=2) as pool:
        for name in "abcdefghi":
            pool.submit(shell("exit 0", name=name))
        pool.resize(1)
        ended = [outcome.job for outcome in outcomes_of(pool, 9)]
        assert sorted(ended) == [*"abcdefghi"]
        assert (pool.slots, len(pool._crew.workers)) == (1, 1)
        assert 1 <= pool.room <= 3  # as long as the jobs took
        pool.resize(2)
        pool.submit(shell("exit 0", name="j"))
        pool.submit(shell("exit 0", name="k"))
        outcomes_of(pool, 2)
        assert len(pool._crew.workers) == 2


# --- descriptors --------------------------------------------------------------------


def test_what_is_handed_over_may_be_closed_at_once(pool: Pool, tmp_path: Path):
    (tmp_path / "in").write_bytes(b"hello")
    source = os.open(tmp_path / "in", os.O_RDONLY)
    target = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    pool.submit(
        job(stage(["cat"], stdin=Handed(0), stdout=Handed(1))), (source, target)
    )
    os.close(source)
    os.close(target)
    assert outcomes_of(pool)[0].ok
    assert (tmp_path / "out").read_bytes() == b"hello"


def test_the_worker_keeps_nothing_that_was_handed_over(pool: Pool):
    reader, writer = os.pipe()
    run(pool, job(stage(["true"], stdout=Handed(0))), (writer,))
    os.close(writer)
    assert os.read(reader, 1) == b""  # end-of-file: nobody holds the other end
    os.close(reader)


def test_four_megabytes_of_arguments_arrive(pool: Pool):
    words = ["x" * 100_000] * 10
    stages = [stage(["printf", "%s", *words]), stage(["wc", "-c"])]
    total = [stage(["sh", "-c", "cat; exec wc -c 0<&0", *words])] * 3
    assert output_of(pool, *total[:1], *stages) == b"1000000\n"
    huge = [stage(["sh", "-c", "exit 0", *words])] * 4
    assert run(pool, job(*huge)).ok


def descriptors_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_hundreds_of_jobs_in_a_row_leak_no_descriptor(tmp_path: Path):
    (tmp_path / "in").touch()
    odd = [
        job(stage(["cat"], stdin=Input(f"{tmp_path}/in")), stage(["cat"])),
        job(stage(["cat"], stdin=Input(f"{tmp_path}/none")), stage(["cat"])),
        job(stage(["true"]), stage(["no-such-program"])),
        job(stage(["true"]), stage(["true", "\0"])),
        shell("sleep 0.01 & echo oops >&2; exit 3"),
    ]
    with Pool.open(1) as pool:
        first, last = (
            _descriptors_after(
                pool, [job._replace(name=str(i)) for job in odd for i in range(times)]
            )
            for times in (1, 60)
        )
    assert last == first


def _descriptors_after(pool: Pool, jobs: list[Job]) -> int:
    """How many the only worker holds when it has run `jobs` and is idle."""
    for each in jobs:
        run(pool, each)
    worker = worker_of(start(pool, print_ready()))
    pool.cancel("job", "seen enough", now=True)
    outcomes_of(pool)
    return descriptors_of(worker)


# --- cancel -------------------------------------------------------------------------


def test_cancel_with_grace_lets_a_command_finish_its_work(pool: Pool, tmp_path: Path):
    trap = f"trap 'echo bye > {tmp_path}/bye; exit 7' TERM"
    start(pool, sh(f"{trap}; echo ready $$; while :; do sleep 0.01; done"), grace=20.0)
    pool.cancel("job", "enough")
    (outcome,) = outcomes_of(pool)
    assert outcome.ending == Cancelled("enough", Exited(7), escalated=False)
    assert (tmp_path / "bye").read_text() == "bye\n"


def test_cancel_kills_what_outlives_its_grace(pool: Pool):
    start(pool, ignore_term(), grace=0.1)
    pool.cancel("job", "enough")
    (outcome,) = outcomes_of(pool)
    killed = Signaled(9, core=False)
    assert outcome.ending == Cancelled("enough", killed, escalated=True)


def test_cancel_now_skips_the_grace(pool: Pool):
    pid = start(pool, ignore_term(), grace=1000.0)
    pool.cancel("job", "enough", now=True)
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, Cancelled)
    assert not is_running(pid)


def test_a_second_cancel_ends_the_grace_of_the_first(pool: Pool):
    start(pool, ignore_term(), grace=1000.0)
    pool.cancel("job", "please")
    assert pool.wait(MonotonicClock().now() + 0.05) == ()
    pool.cancel("job", "at once", now=True)
    ending = outcomes_of(pool)[0].ending
    assert isinstance(ending, Cancelled)
    assert (ending.cause, ending.escalated) == ("please", True)


def test_cancel_ends_every_stage_of_a_job(pool: Pool):
    pool.submit(job(*[stage(["sleep", "1000"])] * 3))
    pool.cancel("job", "enough")
    (outcome,) = outcomes_of(pool)
    ended = Cancelled("enough", Signaled(15, core=False), escalated=False)
    assert [each.ending for each in outcome.stages] == [ended] * 3


def test_cancel_leaves_the_other_jobs_alone(pool: Pool):
    pool.submit(shell("exec sleep 1000", "a"))
    pool.submit(shell("sleep 0.1", "b"))
    pool.cancel("a", "enough")
    assert {o.job: o.ok for o in outcomes_of(pool, 2)} == {"a": False, "b": True}


# --- working ahead ------------------------------------------------------------------


def test_a_pool_that_works_ahead_runs_every_job_once():
    with Pool.open(2, ahead=8) as pool:
        for number in range(18):
            pool.submit(shell(f"exit {number}", str(number)))
        assert pool.room <= 0
        found = outcomes_of(pool, 18)
    assert {o.job: o.ending for o in found} == {str(n): Exited(n) for n in range(18)}


def test_a_job_that_waits_is_cancelled_without_being_started(tmp_path: Path):
    with Pool.open(1, ahead=1) as pool:
        pool.submit(shell("exec sleep 1000", "first"))
        pool.submit(shell(f"touch {tmp_path}/started", "second"))
        pool.cancel("second", "not needed")
        (outcome,) = outcomes_of(pool)
        pool.cancel("first", "enough")
        assert outcomes_of(pool)[0].job == "first"
    assert outcome.ending == Cancelled("not needed", None, escalated=False)
    assert not (tmp_path / "started").exists()


def test_a_job_is_cancelled_that_its_worker_has_just_given_back(tmp_path: Path):
    with Pool.open(1, ahead=1) as pool:
        pool.submit(shell("exec sleep 1000", "first"))
        pool.submit(shell(f"touch {tmp_path}/started", "second"))
        (worker,) = pool._crew.workers.values()
        worker.recall()
        poll = select.poll()
        poll.register(worker.channel, select.POLLIN)
        assert poll.poll(PATIENCE * 1000)
        pool.cancel("second", "not needed")
        pool.cancel("first", "enough")
        found = {outcome.job: outcome.ending for outcome in outcomes_of(pool, 2)}
    assert found["second"] == Cancelled("not needed", None, escalated=False)
    assert isinstance(found["first"], Cancelled)
    assert not (tmp_path / "started").exists()


# --- waiting and ending -------------------------------------------------------------


def test_a_wake_up_descriptor_ends_the_wait():
    reader, writer = os.pipe()
    with closing(Pool(1, start_nursery(), wakes=(reader,))) as pool:
        pool.submit(shell("exec sleep 1000"))
        os.write(writer, b"x")
        assert pool.wait() == ()
    os.close(reader)
    os.close(writer)


def test_closing_kills_what_ignores_term_without_waiting_for_the_grace():
    with Pool.open(1) as pool:
        pid = start(pool, ignore_term(), grace=1000.0)
    assert pool.is_clean
    assert not is_running(pid)


def test_closing_ends_jobs_that_were_never_told_to_a_worker(tmp_path: Path):
    with Pool.open(1, ahead=5) as pool:
        pool.submit(shell("exec sleep 1000", "0"))
        for number in range(1, 6):
            pool.submit(shell(f"touch {tmp_path}/started", str(number)))
    assert not (tmp_path / "started").exists()


def test_a_worker_and_the_nursery_go_by_other_names_than_ours(pool: Pool):
    worker = worker_of(start(pool, print_ready()))
    nursery = worker_of(worker)
    names = [look_up(pid) for pid in (worker, nursery)]
    assert [found and found.command for found in names] == ["ps-worker", "ps-nursery"]


# --- starting -----------------------------------------------------------------------


def test_a_stage_that_is_not_found_keeps_all_from_starting(pool: Pool, tmp_path: Path):
    touch = stage(["touch", f"{tmp_path}/started"])
    outcome = run(pool, job(touch, stage(["no-such-program"]), touch))
    assert (outcome.status, outcome.culprit) == (127, 1)
    assert {each.pid for each in outcome.stages} == {None}
    sibling = outcome.stages[0].ending
    assert isinstance(sibling, NotStarted)
    assert sibling.culprit == "sibling"
    assert not (tmp_path / "started").exists()


def test_an_input_that_is_missing_keeps_all_from_starting(pool: Pool, tmp_path: Path):
    touch = stage(["touch", f"{tmp_path}/started"])
    missing = stage(["cat"], stdin=Input(f"{tmp_path}/none"))
    outcome = run(pool, job(missing, touch))
    assert (outcome.status, outcome.culprit) == (125, 0)
    assert not (tmp_path / "started").exists()


def test_a_stage_that_fails_to_start_takes_those_before_it_along(pool: Pool):
    outcome = run(pool, job(stage(["sleep", "1000"]), stage(["true", "x" * (1 << 17)])))
    assert (outcome.status, outcome.culprit) == (125, 1)
    first = outcome.stages[0].ending
    assert isinstance(first, Cancelled)
    assert "could not be started" in first.cause


def test_a_name_that_no_program_can_have_fails_only_its_job(pool: Pool):
    outcome = run(pool, job(stage(["a\0b"])))
    assert isinstance(outcome.ending, NotStarted)
    assert run(pool, shell("exit 0")).ok
