from __future__ import annotations

import pytest

from penstock.errors import UsageError
from penstock.model.job import Family, Job, Pipeline
from penstock.spec.select import select

PIPELINE = Pipeline(
    (
        Job("d", (), needs=("b", "c")),
        Job("b", (), needs=("a",)),
        Job("a", ()),
        Job("c", (), needs=("a",)),
        Job("e", ()),
    ),
    "f",
)


def names(pipeline):
    return [job.name for job in pipeline.jobs]


def test_no_name_is_every_job():
    assert select(PIPELINE, ()) == PIPELINE


def test_a_job_comes_with_what_it_needs_in_the_order_of_the_file():
    assert names(select(PIPELINE, ["d"])) == ["d", "b", "a", "c"]
    assert names(select(PIPELINE, ["c", "e", "c"])) == ["a", "c", "e"]
    assert select(PIPELINE, ["a"]).file == "f"


def family(name, needs=()):
    def members():
        return (Job(f"{name}[{n}]", (), needs=needs) for n in range(3))

    return Family(name, needs, members)


def test_a_family_is_needed_and_wanted_as_a_job_is():
    jobs = (Job("a", ()), Job("z", (), needs=("f",)))
    pipeline = Pipeline(jobs, families=(family("f", ("a",)), family("g")))
    chosen = select(pipeline, ["z"])
    assert (names(chosen), [f.name for f in chosen.families]) == (["a", "z"], ["f"])
    assert [f.name for f in select(pipeline, ["g"]).families] == ["g"]


def test_a_member_of_a_family_is_a_job():
    pipeline = Pipeline((Job("a", ()),), families=(family("f", ("a",)),))
    chosen = select(pipeline, ["f[1]"])
    assert (names(chosen), chosen.families) == (["a", "f[1]"], ())
    assert names(select(pipeline, ["f[1]", "f"])) == ["a"]
    with pytest.raises(UsageError, match=r"`f` has no member `f\[3\]`"):
        select(pipeline, ["f[3]"])


def test_an_unknown_job_is_a_usage_error():
    pipeline = Pipeline((Job("clients", ()),))
    with pytest.raises(UsageError, match="no job `client`; did you mean `clients`"):
        select(pipeline, ["client"])
