"""Which services nobody will need, by what is done already."""

from __future__ import annotations

import pytest

from penstock.model.job import Family, Job, Pipeline
from penstock.model.policy import Policy, Service
from penstock.state.idle import Idle

SERVE = Policy(service=Service())


def job(name: str, *needs: str, policy: Policy | None = None) -> Job:
    return Job(name, (), needs=needs, policy=policy or Policy())


DB, WEB = job("db", policy=SERVE), job("web", "db", policy=SERVE)


@pytest.mark.parametrize(
    ("jobs", "done", "idle"),
    [
        ((), "", False),  # nobody needs it: it is what is wanted
        ((job("a", "db"),), "a", True),
        ((job("a", "db"),), "", False),
        ((job("a", "db"), job("b", "db")), "a", False),
        ((job("a", "db", "first"), job("first")), "a", False),
        ((job("a", "db", "first"), job("first")), "a first", True),
        ((job("a", "db"), job("after", "a")), "a", True),
        ((WEB, job("a", "web")), "a", True),
        ((WEB, job("a", "web")), "", False),
        ((WEB, job("a", "web", "db")), "a", True),
        ((WEB,), "", False),  # nobody needs that one
    ],
)
def test_a_service_is_idle_if_all_that_needs_it_is_done(jobs, done, idle):
    pipeline = Pipeline((DB, *jobs))
    assert Idle(pipeline, lambda job: job.name in done.split()).includes(DB) == idle


def test_a_family_is_never_known_to_be_done():
    family = Family("f", ("db",), lambda: iter(()))
    pipeline = Pipeline((DB,), families=(family,))
    assert not Idle(pipeline, lambda _: True).includes(DB)


def test_what_needs_a_family_is_not_looked_at_before_that_has_run():
    family = Family("f", (), lambda: iter(()))
    pipeline = Pipeline((DB, job("a", "f", "db")), families=(family,))
    assert not Idle(pipeline, lambda job: pytest.fail(job.name)).includes(DB)


def test_a_long_chain_is_no_trouble():
    chain = [job("j0", "db"), *(job(f"j{n}", f"j{n - 1}") for n in range(1, 5000))]
    last = job("last", "db", "j4999")
    assert Idle(Pipeline((DB, *chain, last)), lambda _: True).includes(DB)
