"""``penstock map --timeout 200%``: a limit by the median of the jobs that succeeded."""

from __future__ import annotations

import pytest

SHORT = ("0.3", "0.4", "0.5")


@pytest.mark.slow
def test_a_job_that_takes_much_longer_than_the_others_times_out(penstock_cli, tmp_path):
    line = ("map", "-j2", "--joblog", "log", "--timeout", "500%", "sleep {}; echo {}")
    done = penstock_cli(*line, ":::", "1000", *SHORT)
    assert done.status == 124
    assert done.out.split() == [short.encode() for short in SHORT]
    assert b"job 1: timed out after " in done.err
    assert b", 500% of the median, killed by SIGTERM\n" in done.err
    assert b"hint:     raise -t/--timeout (it is 500% of the median)\n" in done.err
    *_, last = (tmp_path / "log").read_bytes().splitlines()
    assert (last.split(b"\t")[0], last.split(b"\t")[6:8]) == (b"1", [b"-1", b"15"])


@pytest.mark.slow
def test_a_job_that_timed_out_so_is_tried_again_and_prints_once(penstock_cli):
    text = "echo {}; test -e {} || { touch {}; sleep {}; }"
    line = ("map", "-j1", "-k", "--retries", "2", "--timeout", "500%", text)
    done = penstock_cli(*line, ":::", *SHORT, "1000")
    assert done == (0, b"0.3\n0.4\n0.5\n1000\n", b"")


@pytest.mark.parametrize("text", ["0%", "%", "-1%", "1.%", ".5%", "1e3%", "9999999%"])
def test_what_is_no_share_is_refused(penstock_cli, text):
    done = penstock_cli("map", f"--timeout={text}", "true", ":::", "a")
    assert done.status == 2
    assert b"is no part of the median: write `200%`" in done.err
