"""When there are no processes or descriptors to be had for a while, or never."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.executor.patient import Patient
from penstock.executor.pool import Pool
from penstock.model.outcome import Cancelled, NotStarted
from penstock.model.shortage import shortage_of
from penstock.model.stream import Handed
from penstock.proc.isolate import try_isolation
from tests.commands import print_ready, wait_until
from tests.executor.jobs import job, outcomes_of, run, shell, stage, start
from tests.executor.test_deaths import worker_of
from tests.few import Few, few_processes

clock = MonotonicClock()


@pytest.fixture
def few(marker: str) -> Iterator[Few]:
    yield from few_processes(marker)


def crowded(pool: Pool, few: Few, *, room: int) -> None:
    """Let nursery and one worker, and `room` more processes, be all there can be."""
    pid = start(pool, print_ready())
    few.admit(worker_of(pid), pool._nursery.pid)
    pool.cancel("job", "seen enough", now=True)
    outcomes_of(pool)
    few.allow(str(2 + room))


def held(patient: Patient, few: Few, times: int) -> None:
    """Wait until something was not to be had so often again."""
    until = few.refusals() + times
    wait_until(
        lambda: patient.wait(clock.now() + 0.05) == () and few.refusals() > until
    )


def test_who_finds_no_process_waits_until_there_is_one(few: Few):
    with Pool.open(2) as pool:
        crowded(pool, few, room=0)
        patient = Patient(pool)
        patient.submit(shell("exit 7", "late"))
        patient.submit(shell("exit 8", "later"))  # there is no worker for it, either
        held(patient, few, 5)
        few.allow("max")
        found = {o.job: o.status for o in outcomes_of(patient, 2)}
    assert found == {"late": 7, "later": 8}


def test_a_file_that_was_handed_is_there_at_the_next_try(few: Few, tmp_path: Path):
    told = tmp_path / "told"
    told.write_text("hello")
    with Pool.open(1) as pool, told.open("rb") as file:
        crowded(pool, few, room=0)
        patient = Patient(pool)
        first = stage(["grep", "-q", "hello"])._replace(stdin=Handed(0))
        patient.submit(job(first), [file.fileno()])
        held(patient, few, 5)
        few.allow("max")
        (outcome,) = outcomes_of(patient)
    assert outcome.ok


def test_a_pipeline_waits_for_its_second_half(few: Few):
    with Pool.open(1) as pool:
        crowded(pool, few, room=1)
        pool.submit(job(stage(["true"]), stage(["true"]), stage(["true"])))
        (outcome,) = outcomes_of(pool)  # each makes room for the next one
    assert outcome.ok
    few.allow("max")


def test_who_waits_for_a_process_can_be_ended(few: Few):
    with Pool.open(1) as pool:
        crowded(pool, few, room=0)
        patient = Patient(pool)
        patient.submit(job(stage(["true"]), name="late"))
        held(patient, few, 5)
        patient.cancel("late", "enough")
        (outcome,) = outcomes_of(patient)
    assert isinstance(outcome.ending, NotStarted | Cancelled)


@pytest.mark.slow
@pytest.mark.parametrize("most", ["1", "2"])  # none at all; none inside the namespace
def test_who_finds_no_process_for_a_namespace_waits_too(few: Few, most: str):
    why = try_isolation()
    if why:
        pytest.skip(f"not here: {why}")
    with Pool.open(2, isolate="pidns") as pool:
        run(pool, shell("exit 0"))
        nursery = pool._nursery.pid
        before = len(os.listdir(f"/proc/{nursery}/fd"))
        few.admit(nursery)
        few.allow(most)
        patient = Patient(pool)
        patient.submit(shell("sleep 60", "by the worker that is there"))
        patient.submit(shell("exit 7", "late"))
        held(patient, few, 10)
        assert len(os.listdir(f"/proc/{nursery}/fd")) < before + 5
        few.allow("max")
        assert [outcome.status for outcome in outcomes_of(patient)] == [7]


def test_a_pool_by_itself_tells_what_it_could_not_start(few: Few):
    with Pool.open(2) as pool:
        crowded(pool, few, room=0)
        pool.submit(job(stage(["true"]), name="no process"))
        pool.submit(shell("exit 0", "no worker"))
        ends = {o.job: o for o in outcomes_of(pool, 2)}
        few.allow("max")
        assert {o.status for o in ends.values()} == {125}
        assert {shortage_of(o) for o in ends.values()} == {errno.EAGAIN}
        assert run(pool, shell("exit 0")).ok


def test_what_can_never_be_started_fails_alone(pool: Pool):
    pool.submit(job(stage(["true", "x" * (1 << 17)]), name="large"))
    pool.submit(shell("exit 3", "other"))
    found = {o.job: o.status for o in outcomes_of(pool, 2)}
    assert found == {"large": 125, "other": 3}
