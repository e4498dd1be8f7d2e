"""``penstock run --deadline``, as a user meets it."""

from __future__ import annotations

import signal

import pytest

from tests.commands import PATIENCE, alive

FILE = """
jobs:
  quick: {run: echo quick}
  slow: {run: sleep 1000, needs: quick}
  last: {run: echo last, needs: slow}
"""


@pytest.mark.slow
def test_all_that_runs_at_the_deadline_has_timed_out(penstock_cli, tmp_path, marker):
    (tmp_path / "penstock.yaml").write_text(FILE)
    done = penstock_cli("run", "--deadline", "3")
    assert done.status == 124
    assert done.out == b"quick\n"
    assert b"slow: timed out: the run was to take 3s at most" in done.err
    assert b"the deadline of the run has passed" in done.err
    assert b"raise --deadline" in done.err
    assert alive(marker) == []


def test_a_run_that_is_done_in_time_is_none_the_wiser(penstock_cli, tmp_path):
    (tmp_path / "penstock.yaml").write_text("jobs: {quick: {run: echo quick}}")
    done = penstock_cli("run", "--deadline", "1000")
    assert (done.status, done.out) == (0, b"quick\n")


def test_a_wait_may_be_longer_than_the_kernel_takes(penstock_cli, tmp_path):
    text = "jobs: {a: {run: echo a}, b: {run: 'echo b; exit 1', needs: a}}"
    (tmp_path / "penstock.yaml").write_text(text)
    done = penstock_cli("run", "--deadline", "36500d", "-j1")
    assert (done.status, done.out) == (1, b"a\nb\n")
    done = penstock_cli("map", "-t", "36500d", "-g", "36500d", "echo", ":::", "a")
    assert done == (0, b"a\n", b"")


@pytest.mark.slow
def test_a_grace_may_be_as_long(penstock_cli):
    script = "trap 'exit 7' INT TERM; echo ready; while :; do sleep 0.1; done"
    line = ("exec", "-g", "30d", "sh", "-c", script)
    with penstock_cli.start(*line) as process:
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(PATIENCE) == -signal.SIGTERM
        assert b"Traceback" not in process.stderr.read()


def test_a_deadline_counts_also_while_no_job_runs(penstock_cli, tmp_path, marker):
    text = "jobs: {asked: {run: echo ran, when: sleep 1000}}"
    (tmp_path / "penstock.yaml").write_text(text)
    done = penstock_cli("run", "--deadline", "1")
    assert (done.status, done.out) == (124, b"")
    assert alive(marker) == []


def test_who_is_notified_hears_that_it_was_too_late(penstock_cli, tmp_path, marker):
    text = """
jobs: {slow: {run: sleep 1000}}
notify: {on_failure: echo "$PENSTOCK_STATUS $PENSTOCK_FAILED" > heard}
"""
    (tmp_path / "penstock.yaml").write_text(text)
    assert penstock_cli("run", "--deadline", "1").status == 124
    assert (tmp_path / "heard").read_text() == "124 slow\n"
    assert alive(marker) == []


def test_a_deadline_in_the_setup_skips_the_jobs(penstock_cli, tmp_path, marker):
    text = "setup: sleep 1000\njobs: {job: {run: echo ran}}\nteardown: echo down\n"
    (tmp_path / "penstock.yaml").write_text(text)
    done = penstock_cli("run", "--deadline", "1")
    assert (done.status, done.out) == (124, b"down\n")
    assert b"SIGALRM" not in done.err
    assert alive(marker) == []
