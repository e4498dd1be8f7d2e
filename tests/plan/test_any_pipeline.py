"""Whatever a pipeline asks for and whatever happens to it, its run comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hypothesis import given, note
from hypothesis import strategies as st

from penstock.model.command import Command
from penstock.model.event import AlarmRang, Finished, Interrupted, JobPassed, News
from penstock.model.job import Family, Job, Pipeline
from penstock.model.outcome import Exited, Lost, NotStarted, Outcome, Signaled
from penstock.model.policy import Policy, Retry, Service
from penstock.plan.frame import plan_run
from tests.plan.ledger import Ledger, job

ASK = Command(("ask",), "ask")
CAPACITY = (("gpu", 2), ("port", 1))
ENDINGS = (
    *(Exited(0), Exited(0), Exited(1), Exited(127), Signaled(9, core=False)),
    *(Lost("killed"), NotStarted(2, "no such file", "command")),
)


@st.composite
def policies(draw: st.DrawFn, *, may_serve: bool = True) -> Policy:
    when = draw(st.sampled_from([None, None, ASK]))
    retry = Retry(draw(st.integers(0, 2)), backoff=draw(st.sampled_from([0.0, 5.0])))
    if may_serve and draw(st.integers(0, 3)) == 0:
        ready = draw(st.sampled_from([None, ASK]))
        return Policy(retry=retry, service=Service(ready), when=when)
    taken = tuple((name, draw(st.integers(0, most))) for name, most in CAPACITY)
    resources = draw(st.sampled_from([(), taken]))
    slots = draw(st.integers(1, 3))
    return Policy(retry=retry, slots=slots, resources=resources, when=when)


def members(name: str, number: int, policy: Policy) -> Iterator[Job]:
    return (job(f"{name}.{i}", policy=policy) for i in range(number))


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    jobs: list[Job] = []
    families: list[Family] = []
    for i in range(draw(st.integers(1, 7))):
        earlier = [f"u{k}" for k in range(i)]
        needs = draw(st.lists(st.sampled_from(earlier), max_size=3)) if i else []
        if draw(st.integers(0, 3)):
            jobs.append(job(f"u{i}", *needs, policy=draw(policies())))
        else:
            policy, number = draw(policies(may_serve=False)), draw(st.integers(0, 4))
            make = partial(members, f"u{i}", number, policy)
            families.append(Family(f"u{i}", tuple(needs), make))
    around = [
        draw(st.sampled_from([None, None, job(name)]))
        for name in ("setup", "teardown", "on_success", "on_failure", "always")
    ]
    jobs = draw(st.permutations(jobs))
    return Pipeline(tuple(jobs), None, tuple(families), CAPACITY, *around)


@given(pipelines(), st.integers(1, 3), st.data())
def test_any_run_comes_to_rest_and_tells_of_each_job_once(
    pipeline: Pipeline, slots: int, data: st.DataObject
):
    keep_going = data.draw(st.booleans(), "keep going")
    plan = plan_run(pipeline, slots, keep_going=keep_going)
    ledger = Ledger(pipeline, slots, keep_going=keep_going, plan=plan)
    ledger.begin()
    signals = data.draw(st.integers(0, 2), "signals")
    for _ in range(400):
        if plan.is_done:
            break
        news: list[News] = [
            Finished(job(name), Outcome(name, ending, ending == Exited(0)))
            for name in (*ledger.running, *ledger.errands)
            for ending in ENDINGS
        ]
        news += [AlarmRang(name) for name in ledger.alarms]
        news += [JobPassed(each, "", 0.0) for each in ledger.passing]
        news += [Interrupted(2, 0.0)] * bool(signals)
        happens = data.draw(st.sampled_from(news), "news")
        note(f"{happens}")
        signals -= isinstance(happens, Interrupted)
        ledger.hear(happens)
    assert plan.is_done
    assert not any((ledger.running, ledger.errands, ledger.resting, ledger.passing))
    assert set(ledger.started) <= set(ledger.ended)
    for unit in pipeline.jobs:
        told = (ledger.ended, ledger.skipped, ledger.passed)
        assert sum(unit.name in each for each in told) == 1
    for family in pipeline.families:
        total = sum(1 for _ in family.members())
        known = [f"{family.name}.{i}" for i in range(total)]
        final = {*ledger.ended, *ledger.skipped, *ledger.passed}
        assert final.issuperset(known) or family.name in ledger.skipped
