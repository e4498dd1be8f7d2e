from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UsageError
from penstock.model.circle import circle_in
from penstock.model.command import Command
from penstock.model.job import Job, Link, Stage, chain
from penstock.model.stream import Inherit, Keep, Log, Null
from penstock.model.wiring import PipeEnd, RelayWiring, StageWiring, Wiring
from penstock.plan.wire import wire


def job(stages: int, links: tuple[Link, ...]) -> Job:
    command = Command(("x",), "x")
    return Job("j", tuple(Stage(str(i), command) for i in range(stages)), links)


@st.composite
def chains(draw: st.DrawFn) -> Job:
    """Any job whose links share no stream: chains, and gaps."""
    stages = draw(st.integers(1, 12))
    order = draw(st.permutations(range(stages)))
    joined = draw(st.lists(st.booleans(), min_size=stages, max_size=stages))
    pairs = zip(order, order[1:], joined, strict=False)
    return job(stages, tuple(Link(a, b) for a, b, is_joined in pairs if is_joined))


@st.composite
def graphs(draw: st.DrawFn) -> Job:
    """Any job that can work: links of every kind, coprocs, no circles."""
    stages = draw(st.integers(2, 8))
    order = draw(st.permutations(range(stages)))
    links: dict[tuple[object, ...], Link] = {}
    for _ in range(draw(st.integers(0, 14))):
        first, second = sorted(draw(st.sets(st.integers(0, stages - 1), min_size=2)))[
            :2
        ]
        name = draw(st.sampled_from([None, "a", "fd.b"]))
        is_coproc = draw(st.booleans())
        source, target = order[first], order[second]
        if is_coproc and draw(st.booleans()):
            source, target = target, source
        link = Link(
            source,
            target,
            draw(st.sampled_from(["stdout", "stderr"])),
            name,
            as_descriptor=name == "fd.b",
            is_coproc=is_coproc,
            on_close=draw(st.sampled_from(["drop", "stop"])),
            buffer=draw(st.sampled_from(["pipe", "disk"])),
        )
        links.setdefault(link[:4], link)
    return job(stages, tuple(links.values()))


def users(wiring: Wiring) -> Iterator[tuple[StageWiring | RelayWiring, set[PipeEnd]]]:
    """Every process in the order of the starts, with the ends that it is given."""
    by_path = {fifo.pipe for fifo in wiring.fifos}
    for relay in wiring.relays:
        yield relay, {*relay.inputs, *relay.outputs}
    for stage in wiring.stages:
        streams = (stage.stdin, stage.stdout, stage.stderr)
        ends = {end for end in streams if isinstance(end, PipeEnd)}
        ends |= {end for _, end in stage.named if end.pipe not in by_path}
        yield stage, ends


def ends_of(wiring: Wiring) -> list[PipeEnd]:
    """Every end that a process is given: of a FIFO, only the one to write to."""
    by_path = {PipeEnd(fifo.pipe, "r") for fifo in wiring.fifos}
    every = [PipeEnd(pipe, side) for pipe in range(len(wiring.pipes)) for side in "rw"]
    return [end for end in every if end not in by_path]


@given(graphs())
def test_every_pipe_is_opened_once_and_by_its_first_user(subject: Job):
    wiring = wire(subject)
    opened = {fifo.pipe for fifo in wiring.fifos}
    for user, ends in users(wiring):
        assert set(user.opens) == {end.pipe for end in ends} - opened
        assert opened.isdisjoint(user.opens)
        opened.update(user.opens)
    assert opened == set(range(len(wiring.pipes)))


@given(graphs())
def test_every_end_is_given_to_one_process_and_closed_once_it_has_started(subject: Job):
    wiring = wire(subject)
    given_to = Counter(end for _, ends in users(wiring) for end in ends)
    assert given_to == Counter(ends_of(wiring))
    for user, ends in users(wiring):
        assert Counter(user.closes) == Counter(ends)


@given(graphs())
def test_only_reading_ends_are_read_and_only_writing_ends_written(subject: Job):
    wiring = wire(subject)
    for relay in wiring.relays:
        assert {end.side for end in relay.inputs} == {"r"}
        assert {end.side for end in relay.outputs} == {"w"}
    for stage in wiring.stages:
        assert not isinstance(stage.stdin, PipeEnd) or stage.stdin.side == "r"
        assert all(end.side == "r" for _, end in stage.named)
        for stream in (stage.stdout, stage.stderr):
            assert not isinstance(stream, PipeEnd) or stream.side == "w"


@given(graphs())
def test_the_worker_never_closes_what_it_does_not_hold_and_keeps_nothing(subject: Job):
    wiring = wire(subject)
    held = {PipeEnd(fifo.pipe, "w") for fifo in wiring.fifos}
    for user, _ in users(wiring):
        held |= {PipeEnd(pipe, side) for pipe in user.opens for side in "rw"}
        assert held.issuperset(user.closes)
        held.difference_update(user.closes)
    assert held == set()


@given(graphs())
def test_each_stream_reaches_all_that_it_is_linked_to_and_nothing_else(subject: Job):
    wiring = wire(subject)
    flows: dict[int, set[int]] = {}
    for relay in wiring.relays:
        for end in relay.inputs:
            flows.setdefault(end.pipe, set()).update(o.pipe for o in relay.outputs)
    places: dict[int, tuple[int, str | None]] = {}
    for position, stage in enumerate(wiring.stages):
        if isinstance(stage.stdin, PipeEnd):
            places[stage.stdin.pipe] = (position, None)
        places |= {end.pipe: (position, name) for name, end in stage.named}

    def reached(pipe: int) -> set[tuple[int, str | None]]:
        further = set().union(*map(reached, flows.get(pipe, ())))
        return further | ({places[pipe]} if pipe in places else set())

    for position, stage in enumerate(wiring.stages):
        for name, stream in (("stdout", stage.stdout), ("stderr", stage.stderr)):
            found = reached(stream.pipe) if isinstance(stream, PipeEnd) else set()
            assert found == {
                (link.target, link.name)
                for link in subject.links
                if (link.source, link.stream) == (position, name)
            }


@given(graphs())
def test_there_is_a_relay_where_ends_are_shared_or_the_disk_is_wanted_only(
    subject: Job,
):
    links = subject.links
    streams = Counter((link.source, link.stream) for link in links)
    places = Counter((link.target, link.name) for link in links)
    assert Counter(relay.kind for relay in wire(subject).relays) == +Counter(
        fan=sum(count > 1 for count in streams.values()),
        merge=sum(count > 1 for count in places.values()),
        spool=sum(link.buffer == "disk" for link in links),
    )


@given(chains())
def test_a_pipe_without_relays_has_the_number_of_its_link(subject: Job):
    wiring = wire(subject)
    assert (wiring.relays, wiring.fifos) == ((), ())
    for number, link in enumerate(subject.links):
        assert wiring.stages[link.source].stdout == PipeEnd(number, "w")
        assert wiring.stages[link.target].stdin == PipeEnd(number, "r")


@given(st.integers(1, 50))
def test_while_a_chain_starts_the_worker_holds_one_end_at_most(stages: int):
    held = 0
    for stage in wire(job(stages, chain(stages))).stages:
        held += 2 * len(stage.opens) - len(stage.closes)
        assert held in (0, 1)


def test_streams_of_one_number_are_not_taken_for_each_other():
    for stream in (Inherit(1), Keep(1), Inherit(1)):
        alone = Job("j", (Stage("s", Command(("x",), "x"), stdout=stream),))
        assert type(wire(alone).stages[0].stdout) is type(stream)


def test_what_is_not_linked_stays_as_the_stage_says():
    first, last = wire(job(2, chain(2))).stages
    assert (first.stdin, first.stderr) == (Null(), Log(None))
    assert (last.stdout, last.stderr) == (Inherit(1), Log(None))


@given(graphs(), st.data())
def test_two_ends_that_are_linked_twice_are_refused(subject: Job, data: st.DataObject):
    if not subject.links:
        return
    again = data.draw(st.sampled_from(subject.links))
    with pytest.raises(UsageError, match="linked twice"):
        wire(subject._replace(links=(*subject.links, again)))


@given(chains(), st.integers() | st.sampled_from([-1, 12, 13]), st.booleans())
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


def test_links_into_one_place_must_agree_on_where_a_record_ends():
    links = (Link(0, 2), Link(1, 2, framing="nul"))
    with pytest.raises(UsageError, match="at odds"):
        wire(job(3, links))


@pytest.mark.parametrize(
    "links",
    [
        (Link(0, 0),),
        (Link(0, 1), Link(1, 0)),
        (Link(0, 1), Link(1, 2, name="a"), Link(2, 0, "stderr")),
        (Link(0, 1, is_coproc=True), Link(1, 2), Link(2, 1)),
    ],
)
def test_a_circle_is_refused_and_named(links: tuple[Link, ...]):
    with pytest.raises(UsageError, match=r"wait for each other: (\d) -> (.* -> )?\1$"):
        wire(job(3, links))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_a_circle_is_found_exactly_where_there_is_no_order(
    pairs: list[tuple[int, int]],
):
    links = tuple(Link(*pair) for pair in pairs)
    circle = circle_in(links)
    left = set(pairs)
    while ends := {a for a, _ in left} - {b for _, b in left}:
        left = {pair for pair in left if pair[0] not in ends}
    assert bool(circle) == bool(left)
    steps = zip(circle, (*circle[1:], *circle[:1]), strict=True)
    assert set(steps) <= set(pairs)
