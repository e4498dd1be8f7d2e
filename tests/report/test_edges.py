from __future__ import annotations

from penstock.model.outcome import EdgeOutcome, Outcome
from penstock.report.edges import bottleneck, edge_lines
from tests.report.examples import job, outcome

CHAIN = job("a", "b", "c")


def waited(ab: tuple[float, float], bc: tuple[float, float]) -> Outcome:
    """What the source and the target of each edge of `CHAIN` waited, in 10 seconds."""
    edges = (EdgeOutcome("a -> b", 1 << 20, *ab), EdgeOutcome("b -> c", None, *bc))
    return outcome(CHAIN)._replace(edges=edges, elapsed=10.0)


def test_the_slow_stage_is_the_one_behind_a_full_pipe_and_before_an_empty_one():
    assert bottleneck(CHAIN, waited((9, 0), (0, 9))) == 1
    assert bottleneck(CHAIN, waited((9, 0), (8, 0))) == 2
    assert bottleneck(CHAIN, waited((0, 9), (0, 8))) == 0


def test_who_waited_little_waited_for_nobody():
    assert bottleneck(CHAIN, waited((0.5, 0), (0, 0.4))) is None
    assert bottleneck(CHAIN, outcome(CHAIN)) is None


def test_edges_are_told_with_what_is_known():
    assert list(edge_lines(CHAIN, waited((9, 0), (0, 8.5)))) == [
        "a -> b  1 MiB  writer waited 9s  reader waited 0s",
        "b -> c  writer waited 0s  reader waited 8.5s",
        "the others waited for b",
    ]
    note = EdgeOutcome("a -> b", note="is full")
    assert list(edge_lines(CHAIN, outcome(CHAIN)._replace(edges=(note,)))) == [
        "a -> b  is full"
    ]
