from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.event import (
    ErrandEnded,
    Event,
    Interrupted,
    JobEnded,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
    RunEnded,
    RunStarted,
)
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    OutOfMemory,
    TimedOut,
)
from penstock.model.stream import Inherit
from penstock.report.encode import ending_to_dict, event_to_dict, timestamp
from tests.report.examples import LEFT, TERM, job, outcome

TERM_DICT = {"kind": "Signaled", "signal": 15, "signal_name": "SIGTERM", "core": False}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_795_000_000.25, "2026-11-18T11:06:40.250Z"),
        (59.9996, "1970-01-01T00:01:00.000Z"),
    ],
)
def test_instants_are_utc_with_milliseconds(at: float, text: str):
    assert timestamp(at) == text


@pytest.mark.parametrize(
    ("ending", "fields"),
    [
        (Exited(3), {"kind": "Exited", "code": 3}),
        (TERM, TERM_DICT),
        (
            TimedOut(30.0, "job", TERM, escalated=False),
            {
                "kind": "TimedOut",
                "timeout": 30.0,
                "limit_of": "job",
                "status": TERM_DICT,
                "escalated": False,
            },
        ),
        (
            Cancelled("why", None, escalated=True),
            {"kind": "Cancelled", "cause": "why", "status": None, "escalated": True},
        ),
        (
            OutOfMemory(64, 65, TERM),
            {
                "kind": "OutOfMemory",
                "limit_bytes": 64,
                "held_bytes": 65,
                "status": TERM_DICT,
            },
        ),
        (
            NotStarted(2, "x: not found", "command"),
            {
                "kind": "NotStarted",
                "errno": 2,
                "reason": "x: not found",
                "culprit": "command",
            },
        ),
        (Lost("why"), {"kind": "Lost", "reason": "why"}),
    ],
)
def test_an_ending_is_tagged_by_its_kind(ending: Ending, fields: dict[str, object]):
    assert ending_to_dict(ending) == fields


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (
            RunStarted("r", 0.0, ("a",), 2, None),
            {"run": "r", "jobs": ["a"], "slots": 2, "file": None},
        ),
        (
            JobSkipped(job(), "job x failed", 0.0),
            {"job": "clients", "because": "job x failed"},
        ),
        (
            JobPassed(job(), "up to date", 0.0),
            {"job": "clients", "because": "up to date"},
        ),
        (Interrupted(2, 0.0), {"signal": 2, "signal_name": "SIGINT"}),
        (RunEnded(1, 0.0, 2.500_000_3), {"status": 1, "elapsed": 2.5}),
    ],
)
def test_events_without_stages(event: Event, fields: dict[str, object]):
    head = {"event": type(event).__name__, "at": "1970-01-01T00:00:00.000Z"}
    assert event_to_dict(event) == head | fields


def test_a_job_that_starts_is_told_as_it_will_be_run():
    pipe = job("zcat log.gz", "sort")
    fields = event_to_dict(JobStarted(pipe, 0.0))
    assert fields["links"] == [[0, 1]]
    assert fields["stages"] == [
        {
            "name": name,
            "argv": typed.split(),
            "command": typed,
            "place": "penstock.yaml:14:9",
            "timeout": None,
            "grace": 5.0,
            "log": f"logs/{name}.log",
        }
        for name, typed in (("zcat", "zcat log.gz"), ("sort", "sort"))
    ]


def test_an_outcome_is_told_whole():
    false = job("false")
    ended = outcome(false, Exited(1), tail=b"oh \xff")._replace(stragglers=LEFT)
    fields = event_to_dict(JobEnded(false, ended, 0.0))
    assert (fields["ok"], fields["status"], fields["culprit"]) == (False, 1, 0)
    assert fields["stragglers"] == [{"pid": 4321, "command": "sleep 1000"}]
    assert isinstance(fields["stages"], list)
    assert fields["stages"][0] == {
        "name": "false",
        "argv": ["false"],
        "command": "false",
        "place": "penstock.yaml:14:9",
        "timeout": None,
        "grace": 5.0,
        "log": "logs/false.log",
        "ok": False,
        "ending": {"kind": "Exited", "code": 1},
        "pid": 100,
        "elapsed": 0.41,
        "user": 0.5,
        "system": 0.02,
        "maxrss_bytes": 34 << 20,
        "waits": 0,
        "preemptions": 0,
        "tail": "oh \\xff",
        "log_error": None,
    }


def test_a_stage_that_never_ran_used_nothing_and_may_have_no_log_or_place():
    bare = job()
    stage = bare.stages[0]._replace(stderr=Inherit(2), place=None)
    ended = outcome(bare)
    never = ended.stages[0]._replace(usage=None, pid=None)
    fields = event_to_dict(
        JobEnded(bare._replace(stages=(stage,)), ended._replace(stages=(never,)), 0.0)
    )
    assert isinstance(fields["stages"], list)
    told = fields["stages"][0]
    assert {told[key] for key in ("pid", "user", "maxrss_bytes", "log", "place")} == {
        None
    }


@given(st.lists(st.integers(0, 0x10FFFF).map(chr)).map("".join), st.binary())
def test_whatever_a_command_is_called_or_writes_is_valid_json(text: str, tail: bytes):
    odd = job(name=text)
    odd = odd._replace(
        stages=(
            odd.stages[0]._replace(
                command=odd.stages[0].command._replace(argv=(text,))
            ),
        )
    )
    fields = event_to_dict(JobEnded(odd, outcome(odd, Exited(1), tail=tail), 0.0))
    line = json.dumps(fields, ensure_ascii=False).encode("utf-8", "strict")
    assert json.loads(line) == fields


def test_a_retry_tells_the_outcome_of_the_attempt_and_when_the_next_one_is():
    false = job("false")
    fields = event_to_dict(JobRetried(false, outcome(false, Exited(1)), 2, 4.0, 0.0))
    assert (fields["event"], fields["ok"]) == ("JobRetried", False)
    assert (fields["attempt"], fields["after"]) == (2, 4.0)


def test_an_errand_tells_its_kind():
    fields = event_to_dict(ErrandEnded(job(), "ready", outcome(job()), 0.0))
    assert (fields["event"], fields["kind"]) == ("ErrandEnded", "ready")
    assert fields["ok"] is True
