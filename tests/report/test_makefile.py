"""A definition as a Makefile: what it does, and what it cannot do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.make.recipe import split_pipeline
from penstock.model.command import Command
from penstock.model.job import Job, Pipeline, Stage, chain
from penstock.model.link import Link
from penstock.model.policy import Policy, Service
from penstock.report.makefile import format_makefile
from penstock.spec.load import load
from tests.conftest import plain_environment

DEFINITION = r"""
jobs:
  words:
    run: printf 'b\na\nb\n'
    stdout: words.txt
  sorted:
    needs: words
    stdin: words.txt
    pipe: [sort, uniq -c, "tr -d ' '"]
    stdout: sorted.txt
  odd:
    argv:
      [printf, '%s|', $HOME, "it's", "two\nlines", '@x', '#y', "back\\\nendef\n", '$$']
    stdout: odd.txt
  one:
    run: exit 1
    ok: [0, 1]
  all:
    run: echo $((1 + 1)) "$A" >&2
    env: {A: a  $b}
    cwd: sub
"""


@pytest.fixture
def make(tmp_path, marker):  # noqa: ARG001 (looks for leaks)
    if shutil.which("make") is None:
        pytest.skip("make is missing")
    (tmp_path / "sub").mkdir()

    def run(pipeline: Pipeline, *words: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "Makefile").write_text(format_makefile(pipeline))
        return subprocess.run(
            ["make", "-s", *words],
            cwd=tmp_path,
            env=plain_environment() | {"HOME": "/home"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_make_does_what_penstock_does(make, tmp_path):
    done = make(load(DEFINITION, file="x.yaml"), "-j2")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "2 a  $b\n"
    assert (tmp_path / "sorted.txt").read_text() == "1a\n2b\n"
    odd = "$HOME|it's|two\nlines|@x|#y|back\\\nendef\n|$$|"
    assert (tmp_path / "odd.txt").read_text() == odd
    assert [*tmp_path.glob("*.partial")] == []


def test_a_command_that_may_fail_is_a_stage_of_a_pipeline_to_penstock_sh():
    stages = "[{run: 'echo x; exit 4', ok: [0, 5]}, {run: 'cat; exit 6', ok: 6}]"
    text = format_makefile(load(f"jobs: {{a: {{pipe: {stages}}}}}", file="x"))
    recipe = text.splitlines()[-1].removeprefix("\t").replace("$$", "$")
    statuses = [
        subprocess.run(["/bin/sh", "-c", stage], input=b"", check=False).returncode
        for stage in split_pipeline(recipe)
    ]
    assert statuses == [4, 0]


def test_a_failure_leaves_no_output(make, tmp_path):
    a = "a: {run: 'echo half; exit 3', stdout: x}"
    done = make(load(f"jobs: {{{a}, b: {{run: echo b, needs: a}}}}", file="x"))
    assert done.returncode == 2
    assert "a] Error 3" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "x").exists()


def test_a_family_is_a_target_of_all_its_members(make):
    text = (
        "jobs: {f: {for: {x: [1, 2]}, run: 'echo {{x}}'}, g: {run: echo g, needs: f}}"
    )
    assert make(load(text, file="x"), "g").stdout == "1\n2\ng\n"


def _job(name: str, *texts: str, **fields) -> Job:
    stages = tuple(Stage(t, Command(("sh", "-c", t), t)) for t in texts)
    return Job(name, stages, chain(len(stages)))._replace(**fields)


def test_names_that_mean_something_to_make(make):
    jobs = (
        _job(".PHONY", "echo 1"),
        _job("a:b $c", "echo 2"),
        _job("a;b %c", "echo 3"),
    )
    assert make(Pipeline(jobs)).stdout == "1\n2\n3\n"


def test_commands_of_several_lines_whatever_their_names(make):
    jobs = (_job("by-status", "echo 1\necho 2"), _job("by.status", "echo 3\necho 4"))
    assert make(Pipeline(jobs)).stdout == "1\n2\n3\n4\n"


def test_a_command_that_looks_like_a_mark_of_make(make):
    job = Job("a", (Stage("x", Command(("@true",), "@true")),))
    assert "@true: not found" in make(Pipeline((job,))).stderr


def test_setup_goes_before_all(make):
    pipeline = Pipeline((_job("a", "echo a"),), setup=_job("s", "echo s"))
    assert make(pipeline, "a").stdout == "s\na\n"


def test_what_is_lost_is_named():
    limits = Stage("x", Command(("x",), "x")).limits._replace(timeout=90)
    pipeline = Pipeline(
        (_job("a", "x", limits=limits, policy=Policy(slots=2)),),
        teardown=_job("t", "x"),
    )
    text = format_makefile(pipeline)
    assert "#   a: its timeout (1m30s)\n" in text
    assert "#   a: its retries, slots, resources or condition\n" in text
    assert "#   teardown\n" in text


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (_job("a", "x", policy=Policy(service=Service())), "is a service"),
        (_job("a", "x", "y", links=(Link(0, 1, name="f"),)), "more than a chain"),
    ],
)
def test_what_no_makefile_can_say_is_refused(job, why):
    with pytest.raises(UsageError, match=why):
        format_makefile(Pipeline((job,)))


@pytest.mark.parametrize("name", ["identifiers", "packages"])
def test_the_pipelines_of_the_project_can_be_exported(name):
    path = Path(__file__).parents[2] / "pipelines" / f"{name}.yaml"
    assert ".PHONY: all " in format_makefile(load(path.read_bytes(), file=str(path)))
