"""Graphs: fan-out, merge, FIFOs and coprocs, by real processes."""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.executor.pool import Pool
from penstock.model.job import Job, Link, Stage
from penstock.model.limits import Limits
from penstock.model.link import path_token
from penstock.model.outcome import (
    Cancelled,
    Exited,
    NotStarted,
    Outcome,
    Signaled,
    TimedOut,
)
from penstock.model.stream import Direct, Handed
from tests.commands import children, ready_pid, sh, wait_until
from tests.executor.jobs import outcomes_of, run, stage

COUNT = "seq 1 200000"
COUNTED = b"".join(b"%d\n" % n for n in range(1, 200001))


def named(name: str, script: str, out: Path | None = None) -> Stage:
    made = stage(sh(script))._replace(name=name)
    return made._replace(stdout=Direct(str(out))) if out else made


def graph(stages: Sequence[Stage], *links: Link, name: str = "job") -> Job:
    return Job(name, tuple(stages), links)


def counted(outcome: Outcome) -> list[tuple[str, int]]:
    """The edges where bytes are counted; a job of a second has others, too."""
    found = [(edge.name, edge.n_bytes) for edge in outcome.edges]
    return [(name, n_bytes) for name, n_bytes in found if n_bytes is not None]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- what arrives -------------------------------------------------------------------


def test_each_reader_of_a_fan_out_gets_all(pool: Pool, tmp_path: Path):
    outs = [tmp_path / name for name in "abc"]
    readers = [named(out.name, "cat", out) for out in outs]
    links = [Link(3, position) for position in range(3)]
    outcome = run(pool, graph([*readers, named("source", COUNT)], *links))
    assert outcome.ok
    assert [out.read_bytes() for out in outs] == [COUNTED] * 3
    (relay,) = outcome.relays
    assert (relay.name, relay.ending) == ("fan-out of source", Exited(0))
    assert relay.usage is not None
    assert counted(outcome) == [(f"source -> {n}", len(COUNTED)) for n in "abc"]


def test_a_merge_has_every_line_of_every_source(pool: Pool, tmp_path: Path):
    stages = [
        named("a", COUNT),
        named("b", COUNT),
        named("sorted", "sort -n | uniq -c", tmp_path / "out"),
    ]
    outcome = run(pool, graph(stages, Link(0, 2), Link(1, 2)))
    assert outcome.ok
    lines = (tmp_path / "out").read_text().splitlines()
    assert [line.split() for line in lines] == [["2", str(n)] for n in range(1, 200001)]


def test_stderr_may_be_read_apart_and_along(pool: Pool, tmp_path: Path):
    both = named("both", "echo out; echo err >&2")
    apart = named("apart", "cat", tmp_path / "apart")
    along = named("along", "sort", tmp_path / "along")
    err, out = Link(0, 1, "stderr"), Link(0, 2)
    assert run(pool, graph([both, apart, along], err, out, Link(0, 2, "stderr"))).ok
    assert (tmp_path / "apart").read_text() == "err\n"
    assert (tmp_path / "along").read_text() == "err\nout\n"


@pytest.mark.parametrize("as_descriptor", [False, True])
def test_a_diamond_of_named_pipes(
    pool: Pool,
    tmp_path: Path,
    as_descriptor: bool,  # noqa: FBT001 (a parameter)
):
    script = f"paste {path_token('l')} '{path_token('r')}'"
    stages = [
        named("source", COUNT),
        named("left", "cat"),
        named("right", "sed s/^/-/"),
        named("pairs", script, tmp_path / "out"),
    ]
    fifos = [
        Link(side, 3, name=name, as_descriptor=as_descriptor)
        for side, name in ((1, "l"), (2, "r"))
    ]
    assert run(pool, graph(stages, Link(0, 1), Link(0, 2), *fifos)).ok
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines == [f"{n}\t-{n}" for n in range(1, 200001)]


def test_a_coproc_is_asked_and_answers(pool: Pool, tmp_path: Path):
    asks = f"echo 20; read answer; echo $answer >{tmp_path}/out"
    stages = [named("asks", asks), named("adds", "read n; echo $((n + 1))")]
    pair = Link(0, 1, is_coproc=True), Link(1, 0, is_coproc=True)
    assert run(pool, graph(stages, *pair)).ok
    assert (tmp_path / "out").read_text() == "21\n"


def test_the_disk_lets_one_command_read_two_branches_in_turn(
    pool: Pool, tmp_path: Path
):
    script = f"cat {path_token('a')} {path_token('b')}"
    stages = [named("source", "seq 1 1000000"), named("r", script, tmp_path / "out")]
    links = [Link(0, 1, name=name, buffer="disk") for name in "ab"]
    assert run(pool, graph(stages, *links)).ok
    twice = b"".join(b"%d\n" % n for n in range(1, 1000001)) * 2
    assert digest(tmp_path / "out") == hashlib.sha256(twice).hexdigest()


@pytest.mark.slow
def test_lines_of_100_mb_pass_through_a_merge_unmixed_in_little_memory(
    pool: Pool, tmp_path: Path
):
    stages = [
        *[named(n, f"head -c 100M /dev/zero | tr '\\0' {n}; echo") for n in "xy"],
        named("m", "tr -s xy | sort", tmp_path / "out"),
    ]
    outcome = run(pool, graph(stages, Link(0, 2), Link(1, 2)))
    assert (tmp_path / "out").read_text() == "x\ny\n"
    assert [n_bytes for _, n_bytes in counted(outcome)] == [(100 << 20) + 1] * 2
    usage = outcome.relays[0].usage
    assert usage is not None
    assert (usage.maxrss_bytes or 0) < 64 << 20


# --- who ends early -----------------------------------------------------------------


def test_a_reader_that_ends_early_is_dropped(pool: Pool, tmp_path: Path):
    stages = [
        named("source", COUNT),
        named("first", "head -n 1"),
        named("all", "cat", tmp_path / "out"),
    ]
    assert run(pool, graph(stages, Link(0, 1), Link(0, 2))).ok
    assert (tmp_path / "out").read_bytes() == COUNTED


def test_a_reader_that_ends_early_may_end_all(pool: Pool):
    stages = [named("source", "exec yes"), named("one", "head -n 1"), named("c", "cat")]
    outcome = run(pool, graph(stages, Link(0, 1, on_close="stop"), Link(0, 2)))
    assert outcome.ok
    assert outcome.stages[0].ending == Signaled(13, core=False)


def test_when_all_readers_have_ended_the_source_gets_sigpipe(pool: Pool):
    stages = [named("source", "exec yes"), *[named(n, "head -n 1") for n in "ab"]]
    outcome = run(pool, graph(stages, Link(0, 1), Link(0, 2)))
    assert outcome.ok
    assert outcome.stages[0].ending == Signaled(13, core=False)


def test_the_reader_that_failed_is_to_blame_and_not_the_sigpipe_it_caused(pool: Pool):
    stages = [named("reader", "read x; exit 3"), named("source", "exec yes")]
    outcome = run(pool, graph(stages, Link(1, 0)))
    assert (outcome.culprit, outcome.status) == (0, 3)


def test_a_fifo_that_is_never_opened_is_told_and_ends_its_writer(pool: Pool):
    stages = [named("source", "exec yes"), named("r", f": {path_token('f')}")]
    outcome = run(pool, graph(stages, Link(0, 1, name="f")))
    assert outcome.ok
    assert outcome.stages[0].ending == Signaled(13, core=False)
    (edge,) = outcome.edges
    assert edge.name == "source -> r (f)"
    assert "never opened" in (edge.note or "")


def test_who_is_killed_before_it_opens_its_fifo_does_not_hold_up_its_writer(
    pool: Pool,
):
    reader = named("r", f": {path_token('f')}; kill -9 $$")
    stages = [named("source", "exec yes"), reader]
    outcome = run(pool, graph(stages, Link(0, 1, name="f")))
    assert outcome.elapsed < 30
    assert (outcome.culprit, outcome.status) == (1, 137)
    assert "never opened" in (outcome.edges[0].note or "")


def test_a_writer_that_has_ended_is_read_by_who_opens_late(pool: Pool, tmp_path: Path):
    late = f"read gone; cat {path_token('f')}"
    stages = [
        named("source", "echo data"),
        named("r", late, tmp_path / "out"),
        named("sleeper", "sleep 0.3; echo"),
    ]
    assert run(pool, graph(stages, Link(0, 1, name="f"), Link(2, 1))).ok
    assert (tmp_path / "out").read_text() == "data\n"


def test_a_writer_that_is_not_found_starts_nobody(pool: Pool):
    missing = stage(["not-to-be-found"])._replace(name="missing")
    reader = named("r", f"cat {path_token('f')}")
    outcome = run(pool, graph([missing, reader], Link(0, 1, name="f")))
    assert (outcome.culprit, outcome.status) == (0, 127)
    assert isinstance(outcome.stages[1].ending, NotStarted)


def relays() -> list[int]:
    """The relays that run below this process."""
    return [c.pid for c in children(os.getpid()) if "ps-relay" in c.command]


def test_a_relay_that_is_killed_ends_the_job_and_is_named(pool: Pool):
    stages = [named("source", "exec sleep 1000"), *[named(n, "cat") for n in "ab"]]
    pool.submit(graph(stages, Link(0, 1), Link(0, 2)))
    os.kill(wait_until(relays)[0], signal.SIGKILL)
    (outcome,) = outcomes_of(pool)
    assert not outcome.ok
    assert outcome.relays[0].ending == Signaled(9, core=False)
    source = outcome.stages[0].ending
    assert isinstance(source, Cancelled)
    assert source.cause == "fan-out of source failed: it was killed"


def test_a_record_that_is_cut_short_is_no_success(pool: Pool):
    stages = [named(n, "printf '\\0\\0\\0\\5ab'") for n in "ab"] + [named("c", "cat")]
    links = [Link(position, 2, framing="length") for position in (0, 1)]
    outcome = run(pool, graph(stages, *links))
    assert outcome.trouble == "merge into c failed: a record was cut short"
    assert outcome.status == 125


# --- deadlocks ----------------------------------------------------------------------


def standstill(
    pool: Pool, limits: Limits, stages: Sequence[Stage], *links: Link
) -> tuple[str, dict[str, str]]:
    """What ended a job in which nothing moved, and the notes of its edges."""
    outcome = run(pool, graph(stages, *links)._replace(limits=limits))
    assert outcome.status == 124
    assert outcome.elapsed < 30
    assert isinstance(outcome.ending, TimedOut)
    assert outcome.ending.timeout == 0.4
    notes = {edge.name: edge.note for edge in outcome.edges if edge.note is not None}
    return outcome.ending.limit_of, notes


def deadlock(pool: Pool, stages: Sequence[Stage], *links: Link) -> dict[str, str]:
    """Who waits where in a job that was ended for that, which must not take long."""
    what, notes = standstill(pool, Limits(stall=0.4), stages, *links)
    assert what == "deadlock"
    return notes


def test_two_branches_that_are_read_in_turn_are_a_deadlock(pool: Pool):
    script = f"cat {path_token('a')} {path_token('b')}"
    stages = [named("source", "exec yes"), named("r", script)]
    what = deadlock(pool, stages, Link(0, 1, name="a"), Link(0, 1, name="b"))
    assert what == {
        "source -> its 2 readers": "source waits to write",
        "source -> r (a)": "r waits to read",
        "source -> r (b)": "is full",
    }


def test_a_coproc_of_which_nobody_begins_is_a_deadlock(pool: Pool):
    own = "cat | cat"  # with a pipe of its own
    stages = [named("asks", own), named("answers", "read x; echo $x")]
    pair = Link(0, 1, is_coproc=True), Link(1, 0, is_coproc=True)
    what = deadlock(pool, stages, *pair)
    assert what == {
        "answers -> asks": "asks waits to read",
        "asks -> answers": "answers waits to read",
    }


def test_a_fifo_that_is_opened_again_is_a_deadlock(pool: Pool):
    first, again = path_token("a"), path_token("b")
    script = f"cat {first} {again}; cat < {again}"
    stages = [named("source", "echo once"), named("r", script)]
    what = deadlock(pool, stages, Link(0, 1, name="a"), Link(0, 1, name="b"))
    assert what == {"source -> r (b)": "r opens it, and nobody writes to it"}


def test_a_deadlock_is_found_whatever_the_processes_are_called(pool: Pool):
    rename = "printf '\\377' >/proc/self/comm"  # is no UTF-8; a process may write that
    stages = [named("asks", f"{rename}; read x"), named("answers", f"{rename}; read x")]
    pair = Link(0, 1, is_coproc=True), Link(1, 0, is_coproc=True)
    assert len(deadlock(pool, stages, *pair)) == 2


def test_a_full_quota_is_told_as_the_deadlock_that_it_is(pool: Pool):
    script = f"cat {path_token('a')} {path_token('b')}"
    stages = [named("source", "exec yes"), named("r", script)]
    links = [Link(0, 1, name=n, buffer="disk", quota_bytes=1 << 20) for n in "ab"]
    assert deadlock(pool, stages, *links)["source -> r (b)"] == "is full"


@pytest.mark.slow
def test_who_waits_for_the_world_outside_is_no_deadlock(pool: Pool):
    reader, writer = os.pipe()
    sleeper = named("sleeper", "sleep 1.2; echo")
    fed = named("fed", "cat")._replace(stdin=Handed(0))
    for source, given in ((sleeper, ()), (fed, (reader,))):
        stages = [source, named("a", "cat"), named("b", "cat")]
        what = graph(stages, Link(0, 1), Link(0, 2))
        pool.submit(what._replace(limits=Limits(stall=0.3)), given)
        if given:
            with pytest.raises(TimeoutError):
                wait_until(lambda: pool.wait(0.0), 1.2)
            os.close(reader)
            os.close(writer)
        (outcome,) = outcomes_of(pool)
        assert outcome.ok


@pytest.mark.slow
@pytest.mark.parametrize("script", ["cat {}", "exec 3<>{}; read x <&3"])
def test_a_fifo_from_outside_is_no_deadlock(pool: Pool, tmp_path: Path, script: str):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    stages = [named("fed", script.format(fifo)), named("a", "cat"), named("b", "cat")]
    what = graph(stages, Link(0, 1), Link(0, 2))._replace(limits=Limits(stall=0.3))
    pool.submit(what)
    with pytest.raises(TimeoutError):
        wait_until(lambda: pool.wait(0.0), 1.2)
    fifo.write_text("\n")
    (outcome,) = outcomes_of(pool)
    assert outcome.ok


POLLS = """exec python3 -c 'import select, sys; select.select([sys.stdin], [], [])'"""


def test_who_polls_has_a_limit_if_it_was_given_one(pool: Pool):
    stages = [named("a", POLLS), named("b", POLLS)]
    pair = Link(0, 1, is_coproc=True), Link(1, 0, is_coproc=True)
    what, notes = standstill(pool, Limits(still=0.4), stages, *pair)
    assert what == "stall"
    assert set(notes) == {"a -> b", "b -> a"}
    assert re.fullmatch(r"(\w waits in \w+, )?\w waits in \w+", notes["a -> b"])


def test_a_chain_has_the_limit_too(pool: Pool):
    stages = [named("sleeper", "exec sleep 1000"), named("c", "cat")]
    what, notes = standstill(pool, Limits(still=0.4), stages, Link(0, 1))
    assert what == "stall"
    assert notes["sleeper -> c"].endswith("c waits to read")


def test_who_waits_at_a_fifo_from_outside_is_told_with_it(pool: Pool, tmp_path: Path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    stages = [named("fed", f"exec cat {fifo}"), named("c", "cat")]
    what, notes = standstill(pool, Limits(still=0.4), stages, Link(0, 1))
    assert what == "stall"
    assert notes[str(fifo)] == "fed opens it, and nobody writes to it"


@pytest.mark.slow
def test_what_moves_a_byte_or_takes_time_has_not_stalled(pool: Pool):
    writes = "for i in $(seq 20); do echo; sleep 0.15; done"
    works = "import time\nwhile time.process_time() < 2.5: pass"
    for script in (writes, f"exec python3 -c '{works}'"):
        stages = [named("source", script), named("c", "cat >/dev/null")]
        what = graph(stages, Link(0, 1))._replace(limits=Limits(still=2))
        assert run(pool, what).ok


# --- what is left -------------------------------------------------------------------


def test_every_process_has_only_the_ends_it_needs(pool: Pool):
    ls = "ls /proc/self/fd | tr '\\n' ' ' >&2"
    stages = [
        named("source", f"{ls}; {COUNT}"),
        named("left", f"{ls}; cat"),
        named("right", f"{ls}; cat"),
        named("last", f"{ls}; cat {path_token('f')} >/dev/null; cat"),
    ]
    links = (Link(0, 1), Link(0, 2), Link(1, 3, name="f"), Link(2, 3, buffer="disk"))
    outcome = run(pool, graph(stages, *links))
    assert outcome.ok
    assert [s.tail for s in outcome.stages] == [b"0 1 2 3 "] * 4


def test_a_relay_has_only_the_ends_it_needs(pool: Pool):
    stages = [named("source", "exec sleep 1000"), *[named(n, "cat") for n in "ab"]]
    pool.submit(graph(stages, Link(0, 1), Link(0, 2)))
    (relay,) = wait_until(relays)

    def held() -> list[str]:
        folder = f"/proc/{relay}/fd"
        found = []
        for number in os.listdir(folder):
            with suppress(FileNotFoundError):  # closed since it was listed
                found += [os.readlink(f"{folder}/{number}")] * (int(number) > 2)
        return sorted(name.partition(":")[0] for name in found)

    wait_until(lambda: held() == ["/dev/null", "pipe", "pipe", "pipe"])
    pool.cancel("job", "enough", now=True)
    outcomes_of(pool)


def test_a_graph_that_is_cancelled_leaves_nothing(pool: Pool):
    ready = named("reader", f"echo ready $$; cat {path_token('f')}")
    stages = [named("source", "exec sleep 1000"), ready, named("also", "cat")]
    reader, writer = os.pipe()
    stages[1] = stages[1]._replace(stdout=Handed(0))
    links = (Link(0, 1, name="f"), Link(0, 2))
    pool.submit(graph(stages, *links), (writer,))
    os.close(writer)
    with open(reader, "rb", buffering=0) as stream:
        ready_pid(stream)
        pool.cancel("job", "enough")
        (outcome,) = outcomes_of(pool)
    assert {type(each.ending) for each in outcome.stages} == {Cancelled}
    assert not outcome.stragglers


@pytest.mark.slow
def test_graphs_side_by_side_are_right_again_and_again(tmp_path: Path):
    expected = hashlib.sha256(COUNTED).hexdigest()
    with Pool.open(2) as pool:
        for round_ in range(100):
            outs = [tmp_path / f"{round_}-{n}" for n in (0, 1)]
            for out in outs:
                stages = [
                    named("source", COUNT),
                    named("even", "sed -n 'n;p'"),
                    named("odd", "sed -n 'p;n'"),
                    named("all", "sort -n", out),
                ]
                links = (Link(0, 1), Link(0, 2), Link(1, 3), Link(2, 3))
                pool.submit(graph(stages, *links, name=out.name))
            for outcome in outcomes_of(pool, 2):
                out = tmp_path / outcome.job
                assert (outcome.ok, digest(out)) == (True, expected)
                out.unlink()


# --- who is slow --------------------------------------------------------------------


@pytest.mark.slow
def test_who_waits_at_a_plain_pipe_is_seen(pool: Pool):
    slow = "exec python3 -c 'import os, time\nwhile os.read(0, 4096): time.sleep(0.01)'"
    stages = [named("fast", "head -c 2500000 /dev/zero"), named("slow", slow)]
    late = [named("late", "sleep 2; echo"), named("c", "exec cat")]
    job = Job("job", (*stages, *late), (Link(0, 1), Link(2, 3)))
    outcome = run(pool, job)
    assert outcome.ok
    edges = {edge.name: edge for edge in outcome.edges}
    full, empty = edges["fast -> slow"], edges["late -> c"]
    assert full.n_bytes is None
    assert (full.source_waited or 0) > 1
    assert (empty.target_waited or 0) > 1
    assert empty.source_waited == 0
