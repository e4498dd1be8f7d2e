"""A pool that asks a jobserver before it starts a job."""

from __future__ import annotations

import os
import subprocess

from penstock.executor.gated import Gated
from penstock.executor.nursery import fork_nursery
from penstock.executor.pool import Pool
from penstock.make.jobserver import join
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
