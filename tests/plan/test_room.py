from __future__ import annotations

import pytest

from penstock.errors import UsageError
from penstock.model.event import SlotsChanged
from penstock.model.job import Job, Pipeline
from penstock.model.policy import Policy, Service
from penstock.plan.scheduler import Scheduler
from tests.plan.ledger import BEGIN, Ledger, job


def taking(name: str, slots: int = 1, *needs: str, **resources: int) -> Job:
    policy = Policy(slots=slots, resources=tuple(resources.items()))
    return job(name, *needs, policy=policy)


def test_a_job_counts_for_as_many_slots_as_it_takes():
    ledger = Ledger([taking("a", 2), taking("b", 2), taking("c")], 3)
    ledger.begin()
    assert ledger.running == ["a"]
    ledger.end("a")
    assert ledger.running == ["b", "c"]


def test_more_slots_than_there_are_count_as_all():
    ledger = Ledger([taking("a", 99), taking("b")], 2)
    ledger.begin()
    assert ledger.running == ["a"]
    ledger.finish()
    assert ledger.started == ["a", "b"]


def test_a_job_waits_for_its_resource_and_others_use_the_slots():
    jobs = (taking("a", gpu=1), taking("b", gpu=1), taking("c"))
    ledger = Ledger(Pipeline(jobs, resources=(("gpu", 1),)), 2)
    ledger.begin()
    assert ledger.running == ["a", "c"]
    ledger.end("c")
    assert ledger.running == ["a"]
    ledger.end("a")
    assert ledger.running == ["b"]


def test_small_jobs_do_not_starve_a_large_one():
    jobs = [taking("s0"), taking("s1"), taking("large", 2)]
    ledger = Ledger([*jobs, *(taking(f"t{i}") for i in range(9))], 2)
    ledger.begin()
    ledger.end("s0")
    assert ledger.running == ["s1"], "a slot was kept for the large one"
    ledger.end("s1")
    assert ledger.running == ["large"]


def test_what_a_large_job_lacks_is_kept_for_it_and_what_it_does_not_is_not():
    jobs = (
        *(taking("a", gpu=1), taking("b", gpu=1), taking("both", gpu=2)),
        *(taking("one", gpu=1), taking("none")),
    )
    ledger = Ledger(Pipeline(jobs, resources=(("gpu", 2),)), 3)
    ledger.begin()
    assert ledger.running == ["a", "b", "none"]
    ledger.end("a")
    assert ledger.running == ["b", "none"], "the free gpu is kept"
    ledger.end("b")
    assert ledger.running == ["none", "both"]
    ledger.end("both")
    assert ledger.running == ["none", "one"]


def test_a_job_that_lacks_first_one_thing_and_then_another_gets_both():
    """Whatever it was ever found to lack is kept, or two kinds could take turns."""
    jobs = (
        *(taking("x0", x=1), taking("y0", y=1), taking("both", x=1, y=1)),
        *(taking(f"{kind}{i}", **{kind: 1}) for i in range(1, 5) for kind in "xy"),
    )
    ledger = Ledger(Pipeline(jobs, resources=(("x", 1), ("y", 1))), 4)
    ledger.begin()
    ledger.end("x0")
    ledger.end("y0")
    assert ledger.started == ["x0", "y0", "both"]


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ((taking("a", disk=1),), "job a takes disk, a resource that is not"),
        ((taking("a", gpu=3),), "job a takes 3 of gpu, and there are only 2"),
        (
            (job("a", policy=Policy(resources=(("gpu", 1),), service=Service())),),
            "service a takes resources",
        ),
    ],
)
def test_what_can_never_be_had_is_refused(jobs: tuple[Job, ...], message: str):
    with pytest.raises(UsageError, match=message):
        Scheduler(Pipeline(jobs, resources=(("gpu", 2),)), 1)


def narrowed(jobs: list[Job], slots: int, *, to: int) -> Ledger:
    """A run whose executor had so many slots, and has fewer since."""
    ledger = Ledger(jobs, slots)
    ledger.tell(BEGIN._replace(slots=slots))
    ledger.tell(SlotsChanged(to))
    return ledger


def test_with_fewer_slots_what_runs_goes_on_and_less_is_started():
    ledger = narrowed([taking(name) for name in "abcdef"], 3, to=2)
    assert ledger.running == ["a", "b", "c"]
    ledger.end("a")
    assert ledger.running == ["b", "c"]
    ledger.end("b")
    assert ledger.running == ["c", "d"]
    ledger.tell(SlotsChanged(3))
    assert ledger.running == ["c", "d", "e"]


def test_who_takes_more_slots_than_there_are_now_has_all_to_himself():
    ledger = narrowed([taking("a"), taking("large", 3), taking("b")], 3, to=1)
    ledger.end("a")
    assert ledger.running == ["large"]
    ledger.end("large")
    ledger.finish()
    assert ledger.started == ["a", "large", "b"]


def test_one_slot_remains_whatever_services_there_are():
    ledger = narrowed([taking("a"), taking("b")], 1, to=-1)
    ledger.end("a")
    assert ledger.running == ["b"]
