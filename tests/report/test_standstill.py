from __future__ import annotations

from penstock.model.job import Job
from penstock.model.link import Link
from penstock.model.outcome import EdgeOutcome, Outcome, TimedOut
from penstock.report.failure import format_failure
from tests.report.examples import TERM, job, outcome

FULL = EdgeOutcome("source -> r (b)", 1 << 21, 0.0, 9.0, "is full")
READ = EdgeOutcome("source -> r (a)", 1 << 21, 9.0, 0.0, "r waits to read")


def stood(what: str, *edges: EdgeOutcome) -> tuple[Job, Outcome]:
    pair = job("source", "r")
    links = tuple(Link(0, 1, name=name) for name in "ab")
    ending = TimedOut(10.0, what, TERM, escalated=False)
    ended = outcome(pair, ending, ending)._replace(edges=edges)
    return pair._replace(links=links), ended


def test_a_deadlock_is_told_with_its_stages_its_edges_and_the_remedy():
    assert format_failure(*stood("deadlock", READ, FULL)) == (
        "clients: deadlock: nothing has moved for 10s\n"
        "  defined:  penstock.yaml:11:3\n"
        "  stage:    penstock.yaml:14:9: source: source\n"
        "  stage:    penstock.yaml:14:9: r: r\n"
        "  edge:     source -> r (a): r waits to read\n"
        "  edge:     source -> r (b): is full\n"
        "  hint:     `buffer: disk` of r lets wait in a file what it reads later\n"
    )


def test_where_the_disk_has_been_filled_it_is_the_quota():
    pair, ended = stood("deadlock", FULL)
    links = tuple(link._replace(buffer="disk") for link in pair.links)
    text = format_failure(pair._replace(links=links), ended)
    assert "hint:     raise `quota` of r: its buffer on disk is full\n" in text


def test_where_nothing_is_full_there_may_be_no_advice():
    assert "hint" not in format_failure(*stood("deadlock", READ))
    note = "r opens it, and nobody writes to it"
    again = READ._replace(note=note)
    assert "hint:     a FIFO can be read once" in format_failure(
        *stood("deadlock", again)
    )


def test_a_stall_is_a_limit_that_can_be_raised():
    text = format_failure(*stood("stall", READ))
    assert text.startswith("clients: stall: nothing has moved for 10s\n")
    assert "hint:     raise `stall` of the job (it is 10s)\n" in text
