from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UsageError
from penstock.model.action import CancelJob, RetryJob, SkipJob, StartJob
from penstock.model.command import Command
from penstock.model.event import Interrupted
from penstock.model.job import Job, Pipeline
from penstock.model.policy import Policy, Retry, Service
from penstock.plan.scheduler import Scheduler
from tests.plan.ledger import BEGIN, Ledger, job, over


def test_an_empty_run_is_done_before_it_begins():
    assert Scheduler(Pipeline(()), 1).is_done


def test_jobs_start_in_the_order_of_the_file_as_far_as_slots_go():
    ledger = Ledger([job("b"), job("a"), job("c")], slots=2)
    assert ledger.begin() == (StartJob(job("b")), StartJob(job("a")))


def test_the_end_of_a_job_makes_room_for_the_next():
    ledger = Ledger([job("a"), job("b")])
    ledger.begin()
    assert ledger.end("a") == (StartJob(job("b")),)


def test_a_job_waits_for_all_that_it_needs():
    last = job("last", "a", "b", "a")
    ledger = Ledger([last, job("a"), job("b")], slots=3)
    ledger.begin()
    assert ledger.end("b") == ()
    assert ledger.end("a") == (StartJob(last),)


def test_of_two_ready_jobs_the_earlier_in_the_file_starts_first():
    jobs = [job("a"), job("early", "b"), job("b"), job("late")]
    ledger = Ledger(jobs)
    ledger.begin()
    ledger.end("a")
    assert ledger.started == ["a", "b"]
    ledger.end("b")
    assert ledger.started == ["a", "b", "early"]


def test_a_failure_cancels_what_runs_and_skips_the_rest():
    ledger = Ledger([job("a"), job("b"), job("c"), job("d", "b")], slots=2)
    ledger.begin()
    assert ledger.end("a", ok=False) == (
        CancelJob("b", "job a failed"),
        SkipJob(job("c"), "job a failed"),
        SkipJob(job("d", "b"), "job a failed"),
    )


def test_a_second_failure_after_the_first_says_nothing_new():
    ledger = Ledger([job("a"), job("b"), job("c")], slots=3)
    ledger.begin()
    ledger.end("a", ok=False)
    assert ledger.end("b", ok=False) == ()
    assert ledger.end("c") == ()
    assert ledger.plan.is_done


def test_keep_going_runs_what_does_not_depend_on_the_failed():
    ledger = Ledger([job("a"), job("b", "a"), job("c")], keep_going=True)
    ledger.begin()
    assert ledger.end("a", ok=False) == (
        SkipJob(job("b", "a"), "job a failed"),
        StartJob(job("c")),
    )


@pytest.mark.parametrize("service", [None, Service(Command(("ask",), "ask"))])
def test_who_fails_before_it_hears_that_its_service_has_died_is_not_tried_again(
    service: Service | None,
):
    user = job("user", "db", policy=Policy(Retry(times=2), service=service))
    db = job("db", policy=Policy(service=Service()))
    ledger = Ledger([db, user], keep_going=True)
    ledger.begin()
    assert ledger.end("db", ok=False) == (CancelJob("user", "job db failed"),)
    told = ledger.tell(over("user", ok=False)._replace(job=user))
    assert not any(isinstance(action, RetryJob) for action in told)
    for errand in [*ledger.errands]:
        ledger.tell(over(errand, ok=False))
    assert ledger.plan.is_done


def test_keep_going_names_the_job_at_the_root_and_not_the_skipped_between():
    chain = [job("a"), job("b", "a"), job("c", "b"), job("d", "b", "c")]
    ledger = Ledger(chain, keep_going=True)
    ledger.begin()
    ledger.end("a", ok=False)
    assert ledger.skipped == dict.fromkeys("bcd", "job a failed")


def test_keep_going_skips_a_job_once_though_two_that_it_needs_fail():
    ledger = Ledger([job("a"), job("b"), job("c", "a", "b")], 2, keep_going=True)
    ledger.begin()
    ledger.end("a", ok=False)
    assert ledger.end("b", ok=False) == ()
    assert ledger.skipped == {"c": "job a failed"}


def test_keep_going_does_not_start_a_skipped_job_when_its_other_need_succeeds():
    ledger = Ledger([job("a"), job("b"), job("c", "a", "b")], 2, keep_going=True)
    ledger.begin()
    ledger.end("a", ok=False)
    assert ledger.end("b") == ()


def test_the_first_interruption_cancels_with_grace_and_skips_the_rest():
    ledger = Ledger([job("a"), job("b")], keep_going=True)
    ledger.begin()
    assert ledger.interrupt(2) == (
        CancelJob("a", "interrupted by SIGINT"),
        SkipJob(job("b"), "interrupted by SIGINT"),
    )


def test_the_second_interruption_cancels_without_grace():
    ledger = Ledger([job("a")])
    ledger.begin()
    ledger.interrupt(2)
    assert ledger.interrupt(15) == (CancelJob("a", "interrupted by SIGTERM", now=True),)


def test_an_interruption_during_a_failure_leaves_the_grace_to_what_is_ending():
    ledger = Ledger([job("a"), job("b")], slots=2)
    ledger.begin()
    ledger.end("a", ok=False)
    assert ledger.interrupt() == ()
    assert ledger.interrupt() == (CancelJob("b", "interrupted by SIGINT", now=True),)


def test_a_job_that_succeeds_while_it_is_cancelled_starts_nothing():
    ledger = Ledger([job("a"), job("b", "a")])
    ledger.begin()
    ledger.interrupt()
    assert ledger.end("a") == ()


def test_an_ending_of_a_job_that_does_not_run_is_refused():
    scheduler = Scheduler(Pipeline((job("a"),)), 1)
    with pytest.raises(UsageError, match="job a ended, but it was not running"):
        scheduler.handle(over("a"))


@pytest.mark.parametrize(
    ("jobs", "slots", "message"),
    [
        ([job("a")], 0, "0 slots"),
        ([job("a"), job("a")], 1, "same name"),
        ([job("a", "b")], 1, "job a needs b, which does not exist"),
        ([job("a", "b"), job("b", "a")], 1, "a -> b -> a"),
    ],
)
def test_what_could_never_come_to_rest_is_refused(
    jobs: list[Job], slots: int, message: str
):
    with pytest.raises(UsageError, match=message):
        Scheduler(Pipeline(tuple(jobs)), slots)


@st.composite
def graphs(draw: st.DrawFn) -> list[Job]:
    """Jobs in any order of the file, whose needs contain no cycle."""
    names = [f"j{i}" for i in range(draw(st.integers(1, 12)))]
    jobs = []
    for i, name in enumerate(names):
        earlier = st.lists(st.sampled_from(names[:i]), max_size=3) if i else st.just([])
        jobs.append(job(name, *draw(earlier)))
    return draw(st.permutations(jobs))


def play(ledger: Ledger, data: st.DataObject, *, interruptions: int) -> None:
    """Any order of endings, good or bad, with signals between them."""
    ledger.begin()
    while ledger.running:
        if interruptions and data.draw(st.booleans(), "interrupt"):
            interruptions -= 1
            ledger.interrupt()
        else:
            name = data.draw(st.sampled_from(ledger.running), "ended")
            ledger.end(name, ok=data.draw(st.booleans(), "ok"))


@given(graphs(), st.integers(1, 4), st.data())
def test_any_order_of_events_comes_to_rest_and_settles_each_job_once(
    jobs: list[Job], slots: int, data: st.DataObject
):
    ledger = Ledger(jobs, slots, keep_going=data.draw(st.booleans(), "keep going"))
    play(ledger, data, interruptions=data.draw(st.integers(0, 3), "interruptions"))
    assert ledger.plan.is_done
    assert sorted([*ledger.started, *ledger.skipped]) == sorted(j.name for j in jobs)


@given(graphs(), st.integers(1, 4))
def test_if_all_goes_well_all_jobs_run_and_no_slot_is_idle_without_need(
    jobs: list[Job], slots: int
):
    ledger = Ledger(jobs, slots)
    ledger.begin()
    while ledger.running:
        idle = slots - len(ledger.running)
        waiting = [j for j in jobs if j.name not in ledger.started]
        ready = [j for j in waiting if set(j.needs) <= set(ledger.ended)]
        assert not (idle and ready)
        ledger.end(ledger.running[-1])
    assert len(ledger.started) == len(jobs)


@given(graphs(), st.integers(1, 4), st.data())
def test_keep_going_skips_exactly_what_depends_on_a_failure(
    jobs: list[Job], slots: int, data: st.DataObject
):
    bad = data.draw(st.sets(st.sampled_from([j.name for j in jobs])))
    ledger = Ledger(jobs, slots, keep_going=True)
    ledger.begin()
    ledger.finish(ok=lambda name: name not in bad)
    doomed = {j.name for j in jobs if any(n in bad for n in ancestors(j.name, jobs))}
    assert set(ledger.skipped) == doomed


def ancestors(name: str, jobs: list[Job]) -> set[str]:
    needs = {each.name: each.needs for each in jobs}
    found: set[str] = set()
    todo = list(needs[name])
    while todo:
        found.add(need := todo.pop())
        todo.extend(needs[need])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("keep_going", [False, True])
def test_the_end_of_100_000_jobs_that_wait_takes_seconds(*, keep_going: bool):
    jobs = [job("first"), *(job(f"ready{i}") for i in range(50_000))]
    jobs += [job(f"unmet{i}", "first") for i in range(50_000)]
    scheduler = Scheduler(Pipeline(tuple(jobs)), 1, keep_going=keep_going)
    started = time.process_time()
    scheduler.handle(BEGIN)
    told = scheduler.handle(over("first", ok=False))
    told += scheduler.handle(Interrupted(2, 0.0))
    assert sum(isinstance(action, SkipJob) for action in told) >= 99_999
    assert time.process_time() - started < 10


@pytest.mark.slow
def test_100_000_jobs_take_seconds_and_not_minutes():
    jobs = [job(f"j{i}", *([f"j{i - 1}"] if i % 3 else [])) for i in range(100_000)]
    started = time.process_time()
    scheduler = Scheduler(Pipeline(tuple(jobs)), 8)
    todo = list(scheduler.handle(BEGIN))
    while todo:
        action = todo.pop()
        assert isinstance(action, StartJob)
        _, *others = scheduler.handle(over(action.job.name))
        todo.extend(others)
    assert scheduler.is_done
    assert time.process_time() - started < 10
