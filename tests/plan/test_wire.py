from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UsageError
from penstock.model.command import Command
from penstock.model.job import Job, Link, Stage, chain
from penstock.model.stream import Inherit, Log, Null
from penstock.model.wiring import PipeEnd
from penstock.plan.wire import wire


def job(stages: int, links: tuple[Link, ...]) -> Job:
    command = Command(("x",), "x")
    return Job("j", tuple(Stage(str(i), command) for i in range(stages)), links)


@st.composite
def legal_jobs(draw: st.DrawFn) -> Job:
    """Any job whose links share no stream; chains, gaps, and links that lead back."""
    stages = draw(st.integers(1, 12))
    sources = draw(st.permutations(range(stages)))
    targets = draw(st.permutations(range(stages)))
    size = draw(st.integers(0, stages))
    pairs = zip(sources[:size], targets[:size], strict=True)
    return job(stages, tuple(Link(*pair) for pair in pairs if pair[0] != pair[1]))


def ends_of(subject: Job) -> list[PipeEnd]:
    return [PipeEnd(pipe, side) for pipe in range(len(subject.links)) for side in "rw"]


@given(legal_jobs())
def test_every_pipe_is_opened_once_and_by_its_first_user(subject: Job):
    wiring = wire(subject)
    opened = Counter(pipe for stage in wiring for pipe in stage.opens)
    assert opened == Counter(range(len(subject.links)))
    for position, stage in enumerate(wiring):
        assert all(min(subject.links[pipe]) == position for pipe in stage.opens)


@given(legal_jobs())
def test_every_end_is_given_to_the_one_stage_that_its_link_names(subject: Job):
    given_to = {
        end: position
        for position, stage in enumerate(wire(subject))
        for end in (stage.stdin, stage.stdout)
        if isinstance(end, PipeEnd)
    }
    expected = {}
    for pipe, link in enumerate(subject.links):
        expected[PipeEnd(pipe, "w")] = link.source
        expected[PipeEnd(pipe, "r")] = link.target
    assert given_to == expected


@given(legal_jobs())
def test_only_reading_ends_are_stdin_and_only_writing_ends_stdout(subject: Job):
    for stage in wire(subject):
        assert not isinstance(stage.stdin, PipeEnd) or stage.stdin.side == "r"
        assert not isinstance(stage.stdout, PipeEnd) or stage.stdout.side == "w"


@given(legal_jobs())
def test_every_end_is_closed_once_right_after_its_stage_has_started(subject: Job):
    wiring = wire(subject)
    closed = Counter(end for stage in wiring for end in stage.closes)
    assert closed == Counter(ends_of(subject))
    for stage in wiring:
        used = {e for e in (stage.stdin, stage.stdout) if isinstance(e, PipeEnd)}
        assert set(stage.closes) == used


@given(legal_jobs())
def test_the_worker_never_closes_what_it_does_not_hold_and_keeps_nothing(subject: Job):
    held: set[PipeEnd] = set()
    for stage in wire(subject):
        held |= {PipeEnd(pipe, side) for pipe in stage.opens for side in "rw"}
        assert held.issuperset(stage.closes)
        held.difference_update(stage.closes)
    assert held == set()


@given(st.integers(1, 50))
def test_while_a_chain_starts_the_worker_holds_one_end_at_most(stages: int):
    held = 0
    for stage in wire(job(stages, chain(stages))):
        held += 2 * len(stage.opens) - len(stage.closes)
        assert held in (0, 1)


def test_what_is_not_linked_stays_as_the_stage_says():
    first, last = wire(job(2, chain(2)))
    assert (first.stdin, first.stderr) == (Null(), Log(None))
    assert (last.stdout, last.stderr) == (Inherit(1), Log(None))


@given(legal_jobs(), st.data())
def test_a_stream_that_is_linked_twice_is_refused(subject: Job, data: st.DataObject):
    if not subject.links:
        return
    again = data.draw(st.sampled_from(subject.links))
    with pytest.raises(UsageError, match="linked twice"):
        wire(subject._replace(links=(*subject.links, again)))


@given(legal_jobs(), st.integers() | st.sampled_from([-1, 12, 13]), st.booleans())
def test_a_link_to_a_stage_that_is_not_there_is_refused(
    subject: Job,
    number: int,
    is_source: bool,  # noqa: FBT001 (drawn)
):
    if number in range(len(subject.stages)):
        return
    link = Link(number, 0) if is_source else Link(0, number)
    with pytest.raises(UsageError):
        wire(subject._replace(links=(*subject.links, link)))
