"""Retries, families, services, conditions, setup and teardown, as a user meets them."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.commands import alive, wait_until


@pytest.fixture
def define(tmp_path):
    def write(text: str) -> None:
        (tmp_path / "penstock.yaml").write_text(text)

    return write


def events(tmp_path: Path) -> list[dict[str, Any]]:
    (path,) = tmp_path.glob(".penstock/runs/*/journal.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def told(tmp_path: Path) -> list[str]:
    return [f"{e['event']} {e['job']}" for e in events(tmp_path) if "job" in e]


FLAKY = """
jobs:
  flaky:
    run: test -e seen || { touch seen; echo no luck >&2; exit 3; }
    retries: {times: 2, backoff: 100ms}
"""


def test_a_flaky_job_succeeds_at_its_second_attempt(penstock_cli, define, tmp_path):
    define(FLAKY)
    done = penstock_cli("run")
    assert done.status == 0
    assert b"retry flaky  attempt 1 of 3 exited with 3; again in 0.1s" in done.err
    assert told(tmp_path) == [
        *("JobStarted flaky", "JobRetried flaky"),
        *("JobStarted flaky", "JobEnded flaky"),
    ]
    retried = next(e for e in events(tmp_path) if e["event"] == "JobRetried")
    ended = next(e for e in events(tmp_path) if e["event"] == "JobEnded")
    logs = [e["stages"][0]["log"] for e in (retried, ended)]
    assert Path(tmp_path, logs[0]).read_text() == "no luck\n"
    assert logs[1] != logs[0]


FAMILY = """
resources: {gpu: 1}
jobs:
  each:
    for: {n: [1, 2, 3]}
    run: mkdir busy && sleep 0.05 && rmdir busy && echo {{n}} >> all
    resources: {gpu: 1}
  last: {needs: each, run: cat all}
"""


def test_a_family_shares_a_counted_resource_and_is_needed_as_one(penstock_cli, define):
    define(FAMILY)
    done = penstock_cli("run", "-j4")
    assert (done.status, done.out) == (0, b"1\n2\n3\n")


SERVICE = """
jobs:
  db:
    run: touch up; trap 'rm up' EXIT; sleep 1000 & wait
    service: {ready: test -e up, within: 20s}
  tests: {needs: db, run: test -e up && echo tested}
"""


def test_a_service_runs_for_its_tests_even_with_one_slot(
    penstock_cli, define, tmp_path
):
    define(SERVICE)
    done = penstock_cli("run", "-j1")
    assert (done.status, done.out) == (0, b"tested\n")
    assert told(tmp_path)[-2:] == ["JobEnded tests", "JobEnded db"]


AROUND = """
setup: mkdir room
teardown: rmdir room
notify:
  on_success: echo never
  on_failure: echo "$PENSTOCK_STATUS $PENSTOCK_FAILED" > heard
  always: "false"
jobs:
  maybe: {when: "false", run: echo never}
  good: {needs: maybe, run: test -d room}
  bad: {needs: good, run: exit 3}
"""


def test_what_runs_around_the_jobs(penstock_cli, define, tmp_path):
    define(AROUND)
    done = penstock_cli("run")
    assert (done.status, done.out) == (1, b"")
    assert not (tmp_path / "room").exists()
    assert (tmp_path / "heard").read_text() == "1 bad\n"
    assert b"pass  maybe  its `when` said no" in done.err
    assert b"warn  always  exited with 1" in done.err


INTERRUPTED = """
teardown: touch torn
jobs:
  db: {run: sleep 1001, service: true}
  long: {needs: db, run: "touch long; exec sleep 1002"}
"""


def test_after_a_signal_the_jobs_end_then_services_then_teardown(
    penstock_cli, define, tmp_path, marker
):
    define(INTERRUPTED)
    with penstock_cli.start("run") as process:
        wait_until((tmp_path / "long").exists)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=25)
    assert process.returncode == -signal.SIGTERM
    assert (tmp_path / "torn").exists()
    assert alive(marker) == []
    ends = [line for line in told(tmp_path) if line.startswith("JobEnded")]
    assert ends == ["JobEnded long", "JobEnded db", "JobEnded teardown"]
