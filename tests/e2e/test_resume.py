"""Runs that follow one another, and runs that meet; with real kills."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.state.record import NAME, last_run
from tests.commands import alive, wait_until

JOBS = 200

WRITE = "for i in 1 2 3; do echo {n} $i; done"
"""Three lines: an output that is not whole has fewer."""


@pytest.fixture
def define(tmp_path: Path):
    def write(text: str) -> None:
        (tmp_path / "penstock.yaml").write_text(text)

    return write


def many(*, outputs: bool) -> str:
    """200 jobs: half in four chains, half alone; each leaves a trace of its end.

    With `outputs`, each writes its file by itself, and says so.
    """
    lines = ["jobs:"]
    for n in range(JOBS):
        needs = f"needs: j{n - 4}, " if 4 <= n < JOBS // 2 else ""
        write = WRITE.format(n=n) + (f" > out/{n}" if outputs else "")
        key = "outputs" if outputs else "stdout"
        run = f"{write}; echo {n} >> ended"
        lines.append(f'  j{n}: {{{needs}run: "{run}", {key}: out/{n}}}')
    return "\n".join(lines) + "\n"


def successes(directory: Path) -> int:
    """How many are recorded; a run begins with those of the last one."""
    found = directory.glob(f".penstock/runs/*/{NAME}")
    return max((path.read_bytes().count(b"\n") - 1 for path in found), default=0)


def journaled(directory: Path) -> Iterator[str]:
    """Each job that the journals of all runs together tell the success of."""
    for path in directory.glob(".penstock/runs/*/journal.jsonl"):
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event["event"] == "JobEnded" and event["ok"]:
                yield event["job"]


def kill_at(cli, number: int, marker: str) -> None:
    """Start a run, and kill it once so many successes are recorded."""
    with cli.start("run", "-j4", "--resume") as process:
        wait_until(
            lambda: process.poll() is not None or successes(cli.cwd) >= number, 60
        )
        process.send_signal(signal.SIGKILL)
        process.communicate()
    wait_until(lambda: not alive(marker))


def check_outputs(directory: Path) -> None:
    """Whatever has its final name is whole."""
    for path in (directory / "out").iterdir():
        if not path.name.startswith("."):
            assert path.read_text().count("\n") == 3, path


SEEDS = [("3 kills", 3), *((f"10 kills, {n}", 10) for n in range(5))]


@pytest.mark.parametrize(
    ("seed", "kills"),
    [
        pytest.param(*seed, id=seed[0], marks=[pytest.mark.long] if seed[1] > 3 else [])
        for seed in SEEDS
    ],
)
@pytest.mark.parametrize("outputs", [False, True], ids=["plain", "outputs"])
@pytest.mark.timeout(120)
def test_killed_at_any_instant_a_run_goes_on_where_it_was(
    penstock_cli, marker, seed, kills, outputs
):
    tmp_path = penstock_cli.cwd
    (tmp_path / "penstock.yaml").write_text(many(outputs=outputs))
    (tmp_path / "out").mkdir()
    chance = random.Random(seed)
    for _ in range(kills):
        done = successes(tmp_path)
        kill_at(penstock_cli, done + chance.randrange(2 * JOBS // kills + 3), marker)
        if not outputs:  # what a command writes itself is removed by the next run
            check_outputs(tmp_path)
    done = penstock_cli("run", "-j4", "--resume", "-q", timeout=60)
    assert (done.status, done.out) == (0, b"")
    check_outputs(tmp_path)
    names = {f"j{n}" for n in range(JOBS)}
    past = last_run(str(tmp_path / ".penstock/runs"), "penstock.yaml")
    assert past is not None
    assert set(past.done) == names
    told = Counter(journaled(tmp_path))
    assert set(told) <= names
    assert max(told.values()) == 1
    # What ended just as penstock was killed is run twice: at most one for each slot.
    ended = Counter((tmp_path / "ended").read_text().split())
    assert set(ended) == {str(n) for n in range(JOBS)}
    assert sum(ended.values()) - JOBS <= 4 * kills
    assert penstock_cli("run", "--resume", "-q").status == 0
    assert Counter(journaled(tmp_path)) == told


def test_it_says_from_where_it_goes_on(penstock_cli, define):
    define("jobs: {a: {run: echo a}, b: {needs: a, run: test -e here}}")
    first = penstock_cli("run", "--resume")
    assert b"penstock: there is no earlier run to go on from" in first.err
    (penstock_cli.cwd / "here").touch()
    second = penstock_cli("run", "--resume")
    assert (second.status, second.out) == (0, b"")
    assert b", in which 1 job had succeeded\n" in second.err
    assert b"\npass  a  it succeeded in 20" in second.err
    assert b"2 jobs: 1 ok, 1 passed over in " in second.err


def test_a_definition_is_known_again_by_whatever_name(penstock_cli, define):
    text = "jobs: {a: {run: echo a}}"
    define(text)
    (penstock_cli.cwd / "link.yaml").symlink_to("penstock.yaml")
    penstock_cli("run")
    done = penstock_cli("run", str(penstock_cli.cwd / "link.yaml"), "--resume")
    assert done.out == b""
    lines = [
        penstock_cli("run", "/dev/stdin", "--resume", stdin=text.encode()).out
        for _ in range(2)
    ]
    assert lines == [b"a\n", b""]


def test_a_definition_may_be_called_by_any_bytes(penstock_cli):
    name = os.fsdecode(b"\xff.yaml")
    (penstock_cli.cwd / name).write_text("jobs: {a: {run: 'echo > o', outputs: o}}")
    assert penstock_cli("run", name).status == 0
    assert penstock_cli("why", name).out.startswith(b"a: up to date since 20")
    resumed = penstock_cli("run", "--resume", name)
    assert (resumed.status, passed(resumed)) == (0, ["a"])


def test_what_is_not_over_cannot_be_resumed(penstock_cli, define, marker):
    define("jobs: {a: {run: sleep 300}}")
    with penstock_cli.start("run") as process:
        wait_until(lambda: any("sleep" in f.command for f in alive(marker)))
        done = penstock_cli("run", "--resume")
        process.terminate()
        process.communicate()
    assert done.status == 125
    told = re.search(rb"is not over yet\nhint: .*, or end it: `(.*)`\n", done.err)
    assert told is not None
    assert told[1].startswith(b"penstock stop 20")
    assert told[1].endswith(b"-%d" % process.pid)


def test_fresh_and_resume_together_make_no_sense(penstock_cli, define):
    define("jobs: {a: {run: echo a}}")
    done = penstock_cli("run", "--resume", "--fresh")
    assert (done.status, done.out) == (2, b"")


def test_two_runs_do_not_make_the_same_file(penstock_cli, define, marker):
    define("jobs: {a: {run: sleep 300, stdout: here/a}, b: {run: echo b}}")
    (penstock_cli.cwd / "here").mkdir()
    (penstock_cli.cwd / "there").symlink_to("here")
    with penstock_cli.start("run", "a") as process:
        wait_until(lambda: any("sleep" in f.command for f in alive(marker)))
        define("jobs: {a: {run: echo a, stdout: there/a}, b: {run: echo b}}")
        refused = penstock_cli("run")
        other = penstock_cli("run", "b")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    pid = str(process.pid).encode()
    assert (refused.status, refused.out) == (125, b"")
    assert b"penstock: another run is making here/a: 20" in refused.err
    assert b"(PID " + pid + b", `penstock run a`, since " in refused.err
    assert b"\nhint: wait until it is over, or end it: `penstock stop " in refused.err
    assert (other.status, other.out) == (0, b"b\n")
    assert penstock_cli("run").status == 0  # the dead do not count
    assert os.listdir(penstock_cli.cwd / ".penstock" / "claims") == []


@pytest.mark.parametrize(
    "text",
    [
        'jobs: {b: {run: "true", stderr: there/ERR}}',
        'jobs: {b: {stages: {s: {run: "true", stderr: there/ERR}}}}',
        'jobs: {b: {for: {x: [1]}, run: "true", stderr: there/ERR}}',
        '{setup: {run: "true", stderr: there/ERR}, jobs: {b: {run: "true"}}}',
    ],
    ids=["job", "stage", "family", "setup"],
)
def test_two_runs_do_not_write_the_same_diagnostics(penstock_cli, define, text):
    define("jobs: {a: {run: echo told >&2; sleep 300, stderr: ERR}}")
    (penstock_cli.cwd / "there").symlink_to(".")
    told = penstock_cli.cwd / "ERR"
    with penstock_cli.start("run") as process:
        wait_until(lambda: told.exists() and told.read_bytes() == b"told\n")
        define(text)
        refused = penstock_cli("run")
        process.terminate()
        process.communicate()
    assert (refused.status, refused.out) == (125, b"")
    assert b"penstock: another run is making ERR: 20" in refused.err
    assert told.read_bytes() == b"told\n"


def test_two_runs_may_add_to_the_same_file(penstock_cli, define):
    define("jobs: {a: {run: echo one; sleep 300, append: LOG}}")
    log = penstock_cli.cwd / "LOG"
    with penstock_cli.start("run") as process:
        wait_until(lambda: log.exists() and log.read_bytes() == b"one\n")
        define("jobs: {b: {run: echo two, append: LOG}}")
        assert penstock_cli("run").status == 0
        process.terminate()
        process.communicate()
    assert log.read_bytes() == b"one\ntwo\n"


def partials(directory: Path) -> list[str]:
    """The unfinished outputs in it."""
    return sorted(name for name in os.listdir(directory) if ".part." in name)


def test_the_next_run_removes_what_a_dead_one_left_and_nothing_of_a_live_one(
    penstock_cli, define, cage, marker
):
    (penstock_cli.cwd / "sub").mkdir()
    (penstock_cli.cwd / "link").symlink_to("sub/o")
    define("jobs: {a: {run: echo half; touch begun; sleep 300, stdout: link}}")
    # The first process of a PID namespace takes all others along: KILL for each layer.
    watch = f"{penstock_cli.program} run & until test -e begun; do sleep 0.01; done"
    cage("/bin/sh", "-c", watch)
    left = penstock_cli.cwd / "sub"
    assert [name[:12] for name in partials(left)] == [".link.a.part"]
    (left / ".o.a.part.another.1").touch()
    define("jobs: {b: {run: sleep 300, stdout: sub/b}, c: {run: echo c, stdout: c}}")
    with penstock_cli.start("run", "b") as process:
        wait_until(lambda: any("sleep" in f.command for f in alive(marker)))
        begun = partials(left)
        assert penstock_cli("run", "c").status == 0
        assert partials(left) == begun
        process.terminate()
        process.communicate()
    assert [name[:9] for name in begun] == [".b.b.part", ".o.a.part"]
    assert os.listdir(left) == [".o.a.part.another.1"]
    assert os.listdir(penstock_cli.cwd / ".penstock" / "claims") == []


def test_where_nothing_can_be_kept_all_is_run(penstock_cli, define):
    define("jobs: {a: {run: echo a, stdout: a.txt}, b: {run: echo b}}")
    (penstock_cli.cwd / ".penstock").touch()
    done = penstock_cli("run", "--resume")
    assert (done.status, done.out) == (0, b"b\n")
    assert done.err.count(b"penstock: no journal and no logs are kept") == 1


def test_without_outputs_nothing_of_it_is_imported(penstock_cli, define):
    define("jobs: {a: {run: echo a}}")
    python = penstock_cli.program.with_name("python")
    told = subprocess.run(
        [python, "-X", "importtime", "-m", "penstock", "run"],
        cwd=penstock_cli.cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "penstock.state.record" in names
    assert not names & {"sqlite3", "hashlib", "penstock.state.store", "glob"}


# --- up to date ---------------------------------------------------------------------

SORTED = """
jobs:
  sort:
    run: sort in.txt > sorted.txt
    inputs: in.txt
    outputs: sorted.txt
  count:
    needs: sort
    run: wc -l
    stdin: sorted.txt
    stdout: count.txt
    outputs: count.txt
  tell: {needs: count, run: cat count.txt}
"""


@pytest.fixture
def sorted_once(penstock_cli, define):
    define(SORTED)
    (penstock_cli.cwd / "in.txt").write_text("b\na\n")
    assert penstock_cli("run", "-q").out == b"2\n"
    return penstock_cli


def passed(done) -> list[str]:
    lines = done.err.decode().splitlines()
    return [line.split()[1] for line in lines if line.startswith("pass")]


def test_what_is_up_to_date_is_told_and_not_run(sorted_once):
    done = sorted_once("run")
    assert (done.status, done.out) == (0, b"2\n")
    assert passed(done) == ["sort", "count"]
    assert b"pass  sort   up to date\n" in done.err
    assert passed(sorted_once("run", "--fresh")) == []
    (sorted_once.cwd / "in.txt").write_text("a\nb\n")
    assert passed(sorted_once("run")) == ["count"]  # it is the same when it is sorted


def test_why_tells_what_changed(sorted_once):
    first = sorted_once("why")
    assert first.status == 0
    up_to_date, rest = first.out.decode().split("tell: ")
    assert re.fullmatch(r"(\w+: up to date since [-0-9]+ [:0-9]+\n){2}", up_to_date)
    assert rest.startswith("will be run\n  it has no `outputs`")
    (sorted_once.cwd / "in.txt").write_text("c\n")
    (sorted_once.cwd / "count.txt").unlink()
    changed = SORTED.replace("sort in", "sort -u in")
    (sorted_once.cwd / "penstock.yaml").write_text(changed)
    assert sorted_once("why", "sort", "count").out.decode() == (
        "sort: will be run\n"
        "  command changed: was `sort in.txt > sorted.txt`, "
        "is `sort -u in.txt > sorted.txt`\n"
        "  input in.txt changed\n"
        "count: will be run\n"
        "  output count.txt is missing\n"
    )


def test_why_looks_at_what_is_needed_too(sorted_once):
    (sorted_once.cwd / "in.txt").write_text("c\n")
    told = sorted_once("why", "count").out
    assert told.endswith(b", unless what it needs changes: sort\n")
    answer = json.loads(sorted_once("why", "--json", "sort").out)
    assert answer["reasons"] == ["input in.txt changed"]
    assert answer["up_to_date"] is False


def test_why_makes_nothing_and_knows_its_jobs(penstock_cli, define):
    define(SORTED)
    assert penstock_cli("why", "sort").out == b"sort: will be run\n  never run\n"
    unknown = penstock_cli("why", "srot")
    assert (unknown.status, unknown.out) == (2, b"")
    assert b"srot" in unknown.err
    assert os.listdir(penstock_cli.cwd) == ["penstock.yaml"]


def test_why_takes_a_variable_from_a_file_as_run_does(penstock_cli, define):
    define("vars: {x: }\njobs: {a: {run: 'echo {{x}} > o', outputs: o}}")
    (penstock_cli.cwd / "x.txt").write_text("1\n")
    setting = ("--set-file", "x=x.txt")
    assert penstock_cli("run", *setting).status == 0
    assert penstock_cli("why", *setting).out.startswith(b"a: up to date")
    again = penstock_cli("why", "--set", "x=2").out
    assert again.startswith(b"a: will be run\n  command changed: was ")


def test_why_can_follow_a_long_chain(penstock_cli, define):
    jobs = [
        f"  j{n}: {{needs: j{n - 1}, run: x, outputs: o{n}}}" for n in range(1, 1500)
    ]
    define("\n".join(["jobs:", "  j0: {run: x, outputs: o0}", *jobs]))
    assert penstock_cli("why", "j1499").out == b"j1499: will be run\n  never run\n"


def test_a_failed_job_leaves_no_output_and_the_next_run_knows(penstock_cli, define):
    define("jobs: {a: {run: 'echo half > out; test -e go', outputs: out}}")
    assert penstock_cli("run", "-q").status == 1
    assert not (penstock_cli.cwd / "out").exists()
    told = penstock_cli("why").out
    assert told == b"a: will be run\n  its last run failed\n  it has never succeeded\n"
    (penstock_cli.cwd / "go").touch()
    assert penstock_cli("run", "-q").status == 0
    assert passed(penstock_cli("run")) == ["a"]


@pytest.mark.parametrize("end", ["timeout", "cancel"])
def test_what_is_ended_leaves_no_output(penstock_cli, define, marker, end):
    define("jobs: {a: {run: 'echo half > out; sleep 300', outputs: out}}")
    options = ["-t", "0.3"] if end == "timeout" else []
    with penstock_cli.start("run", *options) as process:
        if end == "cancel":
            wait_until(lambda: any("sleep" in f.command for f in alive(marker)))
            process.terminate()
        process.communicate()
    assert process.returncode == (124 if end == "timeout" else -signal.SIGTERM)
    assert not (penstock_cli.cwd / "out").exists()


def test_an_output_that_was_not_made_is_a_failure_that_names_it(penstock_cli, define):
    define("jobs: {a: {run: 'echo a > a', outputs: [a, sub/b]}}")
    done = penstock_cli("run")
    assert done.status == 1
    assert b"FAIL  a: exited with 0: did not make sub/b\n" in done.err
    assert not (penstock_cli.cwd / "a").exists()


def test_a_broken_memory_is_told_and_costs_no_run(sorted_once):
    state = sorted_once.cwd / ".penstock" / "state.db"
    state.write_bytes(b"\xff" * 8192)
    done = sorted_once("run")
    assert (done.status, done.out, passed(done)) == (0, b"2\n", [])
    assert b"penstock: .penstock/state.db is broken (" in done.err
    assert passed(sorted_once("run")) == ["sort", "count"]


def test_two_runs_may_share_the_memory(penstock_cli):
    for name in "ab":
        made = [f"{name}{n}" for n in range(50)]
        jobs = [f"  {each}: {{run: 'echo > {each}', outputs: {each}}}" for each in made]
        (penstock_cli.cwd / f"{name}.yaml").write_text("\n".join(["jobs:", *jobs]))
    with (
        penstock_cli.start("run", "a.yaml") as one,
        penstock_cli.start("run", "b.yaml") as two,
    ):
        told = [process.communicate() for process in (one, two)]
        assert (one.returncode, two.returncode) == (0, 0)
    assert all(b"penstock: " not in err for _, err in told)
    for name in "ab":
        assert len(passed(penstock_cli("run", f"{name}.yaml"))) == 50
