"""Who belongs to which run: the decision, and one look at this machine."""

from __future__ import annotations

import os

from penstock.executor.pool import Pool
from penstock.proc.census import (
    Census,
    Seen,
    ancestors_of,
    dead_families,
    is_still,
    live_families,
    look,
    look_at,
)
from penstock.proc.marker import RunName, run_marker
from tests.commands import print_ready
from tests.executor.jobs import start

DEAD = RunName(100, 1, 1, "0" * 8)
OTHER = RunName(200, 1, 1, "0" * 8)
LIVE = RunName(300, 1, 1, "0" * 8)
STRANGE = RunName(400, 1, 2, "0" * 8)


def seen(
    pid: int,
    parent: int = 1,
    session: int | None = None,
    run: RunName | None = None,
    guards: RunName | None = None,
) -> Seen:
    own = pid if session is None else session
    return Seen(pid, parent, own, 1, is_dead=False, run=run, guards=guards)


def census(*processes: Seen) -> Census:
    return Census(
        {each.pid: each for each in (seen(1), *processes)},
        dead=frozenset((DEAD, OTHER)),
        live=frozenset((LIVE,)),
    )


def left(*processes: Seen, spared: frozenset[int] = frozenset()) -> dict[int, set[int]]:
    """By PID of the dead run: the PIDs of its guards and of what it left."""
    return {
        family.run.pid: {each.pid for each in (*family.guards, *family.members)}
        for family in dead_families(census(*processes), spared)
    }


def test_nothing_is_left_where_nothing_is_marked():
    assert left(seen(2), seen(3, 2)) == {}


def test_what_carries_the_name_of_a_dead_run_is_left():
    assert left(seen(10, run=DEAD), seen(11, run=LIVE), seen(12, run=STRANGE)) == {
        100: {10}
    }


def test_each_dead_run_has_its_own():
    assert left(seen(10, run=DEAD), seen(11, run=OTHER)) == {100: {10}, 200: {11}}


def test_who_shares_the_session_belongs_to_the_run():
    assert left(seen(10, run=DEAD), seen(11, session=10), seen(12)) == {100: {10, 11}}


def test_who_shares_a_session_that_is_older_than_the_run_is_a_stranger():
    run = DEAD._replace(started=5)
    shell, other = seen(10, session=10), seen(12, 10, session=10)
    ours = seen(11, 1, session=10, run=run)._replace(started=6)
    everybody = {each.pid: each for each in (shell, other, ours)}
    (family,) = dead_families(Census(everybody, frozenset((run,)), frozenset()))
    assert family.members == (ours,)


def test_a_session_that_is_not_seen_leads_to_nobody():
    assert left(seen(10, session=0, run=DEAD), seen(11, session=0)) == {100: {10}}


def test_who_is_below_belongs_to_the_run_at_any_depth():
    line = (seen(10, run=DEAD), seen(11, 10), seen(12, 11), seen(13, 12, session=12))
    assert left(*line) == {100: {10, 11, 12, 13}}


def test_guards_belong_to_the_run_and_so_does_what_is_below_them():
    line = (seen(10, guards=DEAD), seen(11, 10, guards=DEAD), seen(12, 11))
    assert left(*line) == {100: {10, 11, 12}}


def test_what_is_below_a_live_run_belongs_to_that():
    line = (seen(300), seen(10, 300, run=DEAD), seen(11, 10))
    assert left(*line, seen(20, run=LIVE)) == {}


def test_a_live_run_that_was_started_in_a_dead_one_is_left_alone():
    outer = seen(10, run=DEAD)
    inner = (
        seen(300, 10, session=10, run=DEAD),
        seen(301, 300, run=DEAD, guards=LIVE),
        seen(302, 301, run=LIVE),
    )
    assert left(outer, *inner) == {100: {10}}


def test_the_guards_of_a_dead_run_in_a_dead_run_are_its_own():
    line = (seen(10, run=DEAD), seen(11, run=DEAD, guards=OTHER), seen(12, 11))
    assert left(*line) == {100: {10}, 200: {11, 12}}


def test_what_carries_a_name_that_cannot_be_judged_is_left_alone():
    assert left(seen(10, run=DEAD), seen(11, 10, session=10, run=STRANGE)) == {
        100: {10}
    }


def test_who_asks_is_spared():
    line = (seen(10, run=DEAD), seen(11, 10, run=DEAD), seen(12, 10, run=DEAD))
    assert left(*line, spared=frozenset((1, 10, 11))) == {100: {12}}


def test_the_commands_of_a_live_run_are_what_its_guards_have_for_children():
    line = (
        *(seen(300), seen(301, 300, guards=LIVE), seen(302, 301, guards=LIVE)),
        *(seen(303, 302, run=LIVE), seen(304, 303, run=LIVE), seen(305, run=LIVE)),
    )
    (family,) = live_families(census(*line))
    assert family.run == LIVE
    assert [each.pid for each in family.guards] == [301, 302]
    assert [each.pid for each in family.members] == [303]


def test_a_pool_and_its_commands_are_seen():
    with Pool.open(1) as pool:
        pid = start(pool, print_ready())
        found = look()
        name = RunName.read(run_marker())
        assert name in found.live
        assert found.seen[pid].run == name
        worker = found.seen[found.seen[pid].parent]
        assert worker.guards == name
        (family,) = (f for f in live_families(found) if f.run == name)
        assert [each.pid for each in family.members] == [pid]
        assert is_still(found.seen[pid])
        assert not is_still(found.seen[pid]._replace(started=1))
    assert look_at(pid) is None
    assert not is_still(found.seen[pid])


def test_those_above_us_are_our_ancestors():
    above = ancestors_of(os.getpid())
    assert {os.getpid(), os.getppid()} <= above
