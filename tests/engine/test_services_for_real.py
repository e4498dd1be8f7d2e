"""Services by real processes: whatever they do to get away, they are stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.engine import Engine, RunResult
from penstock.executor.pool import Pool
from penstock.model.event import Event, JobEnded
from penstock.model.job import Job, Pipeline
from penstock.model.outcome import Outcome
from penstock.model.policy import Policy, Service
from tests.executor.jobs import shell

pytestmark = pytest.mark.slow


class Endings:
    """A sink that remembers how jobs ended."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def receive(self, event: Event) -> None:
        if isinstance(event, JobEnded):
            self.outcomes[event.job.name] = event.outcome


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool.open(3) as made:
        yield made
    assert made.is_clean


def service(script: str, ready: str | None = None, within: float = 20.0) -> Job:
    asked = None if ready is None else shell(ready).stages[0].command
    return shell(script, "db")._replace(policy=Policy(service=Service(asked, within)))


def run(pool: Pool, *jobs: Job) -> tuple[RunResult, dict[str, Outcome]]:
    endings = Endings()
    result = Engine(pool, [endings]).run(Pipeline(jobs), name="test")
    return result, endings.outcomes


# What a daemon does: fork, a session of its own, fork again, and let go of all.
DAEMON = """
echo 'echo $$ > up; exec sleep 1000' > daemon
setsid sh -c 'sh daemon </dev/null >/dev/null 2>&1 &' &
exit 0
"""
ALIVE = "kill -0 $(cat up)"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_service_that_makes_a_daemon_of_itself_runs_as_long_as_it_is_needed(
    pool: Pool,
):
    longer_than_the_linger = f"sleep 1.5; {ALIVE}"
    user = shell(longer_than_the_linger, "user")._replace(needs=("db",))
    result, outcomes = run(pool, service(DAEMON, "test -s up"), user)
    assert result.status == 0, outcomes
    assert outcomes["db"].stragglers == ()


def test_a_daemon_that_dies_fails_those_that_need_it(pool: Pool):
    until_used = "until test -e used; do sleep 0.01; done"
    daemon = DAEMON.replace("exec sleep 1000", until_used)
    user = shell("touch used; sleep 1000", "user")._replace(needs=("db",))
    result, outcomes = run(pool, service(daemon, "test -s up"), user)
    assert result.status == 1
    assert outcomes["db"].remark == "this service ended while jobs needed it"
    assert not outcomes["user"].ok


def test_a_daemon_that_is_never_ready_is_ended(pool: Pool):
    result, outcomes = run(pool, service(DAEMON, "test -e never", within=0.5))
    assert (result.status, outcomes["db"].ok) == (124, False)


def test_a_service_in_the_foreground_ends_by_term_and_that_is_success(pool: Pool):
    server = service("trap 'exit 7' TERM; touch up; sleep 1000 & wait", "test -e up")
    user = shell("test -e up", "user")._replace(needs=("db",))
    result, outcomes = run(pool, server, user)
    assert result.status == 0
    assert outcomes["db"].ok
