from __future__ import annotations

import pytest

from penstock.errors import UsageError
from penstock.model.job import Job, Pipeline
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


def test_an_unknown_job_is_a_usage_error():
    pipeline = Pipeline((Job("clients", ()),))
    with pytest.raises(UsageError, match="no job `client`; did you mean `clients`"):
        select(pipeline, ["client"])
