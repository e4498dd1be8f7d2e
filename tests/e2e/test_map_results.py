"""What ``penstock map --results`` saves, beside what GNU parallel does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.commands import PATIENCE, wait_until
from tests.conftest import plain_environment

LONG = "x" * 300


def tree_of(place: Path) -> dict[str, bytes]:
    """Every file below a directory, with what is in it."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }


def names(place: Path) -> set[str]:
    return set(tree_of(place))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("parallel") is None, reason="no GNU parallel here")
@pytest.mark.parametrize(
    "line",
    [
        "--results d 'echo {}; echo e >&2; echo $(({#} * 2))' ::: a b",
        "--results d echo ::: a ::: '1 2' /x/y",
        r"--results d printf %s ::: '\' 'a\b' '\t' $'a\tb' '*' \' é ...",
        "--results d/ echo ::: a",
        "--results d/e echo ::: a",
        "--header : --results d echo {y} {x} ::: y 1 2 ::: x a b",
        "--header : --results d -C , echo < in",
        "--results d -C , echo :::: in",
        "--results d -N2 echo ::: a b c",
        "--results d echo ::: " + " ".join(f"{n} :::" for n in range(11)) + " a",
        "--results d ::: 'echo a' 'echo b'",
        "--results d_{} echo ::: a b/c",
        "--results d_{}/ echo ::: a b/c",
        "--results d/{#}-{1.}-{2/} echo ::: a.b ::: x/y",
        "--results d --tag -k -u echo ::: a b",
        "--results d 'head -c 300000 /dev/zero | tr \"\\0\" {}' ::: a",
        "--results d 'echo {}; exit 3' ::: a",
        "--results d 'echo {}; kill -9 $$' ::: a",
        "--results d --retries 3 'echo {} >> log; wc -l < log; false' ::: a",
        "--results d --joblog log 'echo {}' ::: a; cut -f 1,6 log; rm log",
        "-j1 --results d echo ::: a a",
        "--pipe -N2 --results d/{#} cat < in",
    ],
)
def test_the_files_are_those_of_parallel(line, tmp_path, penstock_cli):
    done = {}
    for name, program in [
        ("theirs", "parallel -j2"),
        ("ours", f"{penstock_cli.program} map -j2 -q"),
    ]:
        place = tmp_path / name
        place.mkdir()
        (place / "in").write_text("b,a\n1,2\n3,4\n")
        command = ["bash", "-c", f"{program} {line}"]
        ran = subprocess.run(
            command,
            cwd=place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=plain_environment(),
            timeout=100,
            check=False,
        )
        done[name] = tree_of(place), sorted(ran.stdout.splitlines())
    assert len(done["theirs"][0]) > 1
    assert done["ours"] == done["theirs"]


def test_nothing_is_printed_and_all_is_saved(penstock_cli, tmp_path):
    done = penstock_cli("map", "--results", "d", "echo {}; echo e >&2", ":::", "a")
    assert done == (0, b"", b"")
    assert tree_of(tmp_path) == {
        "d/1/a/stdout": b"a\n",
        "d/1/a/stderr": b"e\n",
        "d/1/a/seq": b"1",
    }


def test_of_a_pipeline_the_last_stdout_and_every_stderr_are_saved(
    penstock_cli, tmp_path
):
    stages = ("seq {}; echo one >&2", "wc -l; echo two >&2")
    penstock_cli("map", "--results", "d", *stages, ":::", "3")
    files = tree_of(tmp_path / "d/1/3")
    assert files["stdout"] == b"3\n"
    assert sorted(files["stderr"].split()) == [b"one", b"two"]


def test_no_value_gets_out_and_none_is_lost(penstock_cli, tmp_path):
    values = (".", "..", "../../x", "/x", "", LONG + "a", LONG + "b", "\\", "\udcff")
    done = penstock_cli("map", "--results", "d", "echo {#}", ":::", *values)
    assert (done.status, done.err) == (0, b"")
    numbers = [path.read_bytes() for path in tmp_path.rglob("seq")]
    assert sorted(numbers) == [b"%d" % n for n in range(1, len(values) + 1)]
    assert os.listdir(tmp_path) == ["d"]
    assert os.listdir(tmp_path / "d") == ["1"]
    assert len(os.listdir(tmp_path / "d/1")) == len(values)


def test_a_failure_says_where_its_output_is(penstock_cli):
    line = ("map", "--results", "d", "echo why >&2; exit {}", ":::", "3")
    done = penstock_cli(*line)
    assert done.status == 1
    assert done.err.decode().splitlines() == [
        "penstock: job 1: exited with 3",
        "  command:  echo why >&2; exit 3",
        "  results:  d/1/3/",
    ]
    assert penstock_cli(line[0], "-q", *line[1:]) == (1, b"", b"")


@pytest.mark.slow
def test_a_job_that_timed_out_leaves_what_it_has_printed(penstock_cli, tmp_path):
    text = "echo {}; sleep 60"
    done = penstock_cli("map", "--results", "d", "-t", "3", text, ":::", "a")
    assert done.status == 124
    assert b"results:  d/1/a/" in done.err
    assert tree_of(tmp_path / "d/1/a") == {
        "stdout": b"a\n",
        "stderr": b"",
        "seq": b"1",
    }


@pytest.mark.slow
def test_a_job_that_took_too_long_by_the_median_was_run(penstock_cli, tmp_path):
    text = "echo {}; if test {} = x; then sleep 600; else sleep 0.1; fi"
    line = ("map", "-q", "-j2", "-t", "1000%", "--results", "d", text, ":::")
    done = penstock_cli(*line, "x", "a", "b", "c", timeout=PATIENCE * 4)
    assert done.status == 124
    assert (tmp_path / "d/1/x/seq").read_bytes() == b"1"


def test_resume_leaves_out_what_has_results(penstock_cli, tmp_path):
    line = ("map", "--results", "d", "--resume", "echo {} >> log; false", ":::")
    assert penstock_cli(*line, "a", "b").status == 1
    assert penstock_cli(*line, "a", "b", "c").status == 1
    assert sorted((tmp_path / "log").read_text().split()) == ["a", "b", "c"]
    template = ("map", "--results", "e/{}", "--resume", "echo {} >> log2", ":::")
    assert penstock_cli(*template, "a").status == 0
    assert penstock_cli(*template, "a", "b").status == 0
    assert (tmp_path / "log2").read_text().split() == ["a", "b"]


def test_a_job_that_was_interrupted_is_saved_but_not_done(penstock_cli, tmp_path):
    text = "echo {}; touch began; until test -e go; do sleep 0.01; done"
    line = [penstock_cli.program, "map", "--results", "d", "--resume", text]
    with subprocess.Popen([*line, ":::", "a"], cwd=tmp_path) as process:
        wait_until((tmp_path / "began").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    files = tree_of(tmp_path / "d/1/a")
    assert files == {"stdout": b"a\n", "stderr": b""}
    (tmp_path / "go").touch()
    assert penstock_cli(*line[1:], ":::", "a").status == 0
    assert names(tmp_path / "d/1/a") == {"stdout", "stderr", "seq"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_by_the_job_log_it_is_not_done_either(penstock_cli, tmp_path, number):
    text = "touch began; until test -e go; do sleep 0.01; done; echo {}"
    line = [penstock_cli.program, "map", "--joblog", "log", "--resume", text]
    with subprocess.Popen([*line, ":::", "a"], cwd=tmp_path) as process:
        wait_until((tmp_path / "began").exists)
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number
    (tmp_path / "go").touch()
    assert penstock_cli(*line[1:], ":::", "a") == (0, b"a\n", b"")
    assert penstock_cli(*line[1:], ":::", "a") == (0, b"", b"")


def test_a_second_run_replaces_what_the_first_has_left(penstock_cli, tmp_path):
    for text in ("echo first; echo e >&2", "echo"):
        penstock_cli("map", "--results", "d", text, ":::", "a")
    assert tree_of(tmp_path / "d/1/a")["stderr"] == b""
    assert names(tmp_path) == {f"d/1/a/{name}" for name in ("stdout", "stderr", "seq")}


def test_each_event_is_told_in_json_as_ever(penstock_cli):
    done = penstock_cli("map", "--json", "--results", "d", "echo", ":::", "a")
    assert b'"JobEnded"' in done.err
    assert b"results:" not in done.err


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["--results", "d", "--line-buffer", "echo"], "leave out --line-buffer"),
        (["--results", "x.csv", "echo"], "no table"),
        (["--results", "d", "--pipe", "cat"], "--results 'DIR/{#}/'"),
        (["--results", "there", "echo"], "save results in there: it is no directory"),
        (["--results", "", "echo"], "empty"),
        (["--results", "d", "--resume-failed", "echo"], "--joblog FILE"),
        (["--resume", "echo"], "--joblog FILE or --results DIR"),
        (["--group", "-u", "echo"], "--group"),
        (["--group", "--line-buffer", "echo"], "--group"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_run(
    penstock_cli, tmp_path, line, why
):
    (tmp_path / "there").touch()
    done = penstock_cli("map", *line, stdin=b"a\n")
    assert (done.status, done.out) == (2, b"")
    assert why in done.err.decode()


def test_what_cannot_be_saved_is_told(penstock_cli, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1").touch()
    done = penstock_cli("map", "--results", "d", "echo", ":::", "a")
    assert done.status == 125
    assert b"cannot save the results of job 1 in d/1/a/: " in done.err
