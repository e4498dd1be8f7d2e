"""A pool that asks a jobserver before it starts a job."""

from __future__ import annotations

import os
import subprocess

from penstock.clock import MonotonicClock
from penstock.executor.gated import Gated
from penstock.executor.nursery import fork_nursery
from penstock.executor.pool import Pool
from penstock.make.jobserver import join, serve_pipe
from penstock.model.policy import Policy, Service
from tests.executor.jobs import shell


def test_a_close_does_not_wait_for_a_token_that_somebody_else_has_by_then():
    reader, writer = os.pipe()
    os.write(writer, b"+")
    jobserver = join(f"{reader},{writer}")
    gated = Gated(Pool(2, fork_nursery(jobserver)), jobserver)
    for name in ("one", "two"):
        gated.submit(shell("sleep 60", name))
    assert (jobserver.held, jobserver.in_pouch()) == (1, 1)
    argv = ["head", "-c1"]  # takes it as soon as the nursery has put it back
    with subprocess.Popen(argv, stdin=reader, stdout=subprocess.PIPE) as other:
        gated.close()
        assert other.communicate()[0] == b"+"
    assert (jobserver.held, jobserver.in_pouch()) == (0, 0)
    jobserver.close()
    os.close(reader)
    os.close(writer)


def test_it_tells_when_a_job_starts_that_waited_for_a_token():
    reader, writer = os.pipe()
    jobserver = join(f"{reader},{writer}")
    gated = Gated(Pool(2, fork_nursery(jobserver)), jobserver)
    started: list[str] = []
    gated.tell_of_starts(started.append)
    gated.submit(shell("true", "one"))
    gated.submit(shell("true", "two"))  # there is no token but our own slot
    assert started == ["one"]
    ended: list[str] = []
    while len(ended) < 2:
        ended += [outcome.job for outcome in gated.wait()]
    assert started == ended == ["one", "two"]
    gated.close()
    jobserver.close()
    os.close(reader)
    os.close(writer)


def test_a_service_needs_no_token_and_what_its_makes_hold_is_not_lost():
    jobserver = serve_pipe()
    jobserver.fill(1)
    gated = Gated(Pool(4, fork_nursery(jobserver)), jobserver)
    started: list[str] = []
    gated.tell_of_starts(started.append)
    for name in ("db", "cache"):
        service = shell("sleep 60", name)._replace(policy=Policy(service=Service()))
        gated.submit(service)
    assert jobserver.held == 0
    os.read(jobserver.reader, 1)  # as a make in the service would do
    gated.submit(shell("true", "one"))
    gated.submit(shell("true", "two"))
    assert started == ["db", "cache", "one"]
    assert gated.room == 0
    ended: list[str] = []
    while len(ended) < 2:
        ended += [outcome.job for outcome in gated.wait()]
    assert started == ["db", "cache", "one", "two"]
    assert (ended, gated.room) == (["one", "two"], 2)
    assert not jobserver.take()
    gated.close()
    assert (jobserver.take(), jobserver.take()) == (True, False)
    jobserver.give()
    jobserver.close()
    for descriptor in jobserver.passed:
        os.close(descriptor)


def test_tokens_that_there_is_no_room_for_do_not_wake_it(tmp_path):
    jobserver = serve_pipe()
    jobserver.fill(3)
    jobserver.capacity = 1
    gated = Gated(Pool(4, fork_nursery(jobserver)), jobserver)
    started: list[str] = []
    gated.tell_of_starts(started.append)
    end = tmp_path / "end"
    os.mkfifo(end)
    for name in ("one", "two", "three"):
        gated.submit(shell(f": <{end}", name))
    assert started == ["one", "two"]
    clock = MonotonicClock()
    deadline = clock.now() + 0.2
    waits = 0
    while clock.now() < deadline:
        gated.wait(deadline)
        waits += 1
    assert waits < 10  # and not thousands
    ended: list[str] = []
    writer = os.open(end, os.O_RDWR)  # who opens it to read goes on
    while len(ended) < 3:
        ended += [outcome.job for outcome in gated.wait()]
    assert started == ["one", "two", "three"]
    os.close(writer)
    gated.close()
    assert jobserver.in_pouch() == 0
    jobserver.close()
    for descriptor in jobserver.passed:
        os.close(descriptor)
