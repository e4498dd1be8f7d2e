from __future__ import annotations

from penstock.spec.load import load
from tests.spec.definitions import Files, mistakes, read

MAIN = """
    include: [parts/a.yaml, parts/b.yaml]
    vars: {x: main}
    jobs:
      last: {run: "echo {{x}} {{y}}", needs: [a, b]}
"""

NOT_INCLUDED = "cannot stand in a file that is included: it belongs in"
NO_KEY = "is not a key that may stand in a job"


def test_jobs_of_other_files_come_first_and_may_be_needed():
    files = {
        "parts/a.yaml": """
            include: c.yaml
            vars: {x: a, y: 1}
            jobs: {a: {run: "p {{x}}"}}
        """,
        "parts/b.yaml": "include: [c.yaml]\ndefaults: {nice: 3}\njobs: {b: {run: q}}",
        "parts/c.yaml": "jobs: {c: {run: r}}",
    }
    pipeline = read(MAIN, files)
    assert [job.name for job in pipeline.jobs] == ["c", "a", "b", "last"]
    _, a, b, last = pipeline.jobs
    assert a.stages[0].command.argv == ("p", "main")
    assert last.stages[0].command.typed == "echo main 1"
    assert str(a.place) == "parts/a.yaml:4:8"
    assert (b.stages[0].command.nice, last.stages[0].command.nice) == (3, 0)


def test_every_mistake_names_its_own_file():
    files = {
        "parts/a.yaml": "jobs: {a: {run: 'x {{z}}', needs: [c]}, last: {run: y}}",
        "parts/b.yaml": "setup: x\njobs: {b: {rum: q, stdout: o}}\nvars: {y: }",
    }
    assert mistakes(MAIN, files) == [
        "parts/a.yaml:1:20: there is no variable `z`; expected one of `y`, `x`",
        "parts/a.yaml:1:36: there is no job `c`",
        f"parts/b.yaml:1:1: `setup` {NOT_INCLUDED} f",
        f"parts/b.yaml:2:12: `rum` {NO_KEY}; did you mean `run`?",
        "parts/b.yaml:3:8: `y` has no value: give it with `--set y=...`",
        "f:5:3: there is a job `last` already, in parts/a.yaml:1",
    ]


def test_a_circle_of_files_is_a_mistake():
    files = {
        "a.yaml": "include: b.yaml\njobs: {a: {run: x}}",
        "b.yaml": "include: [./f]",
    }
    (found,) = mistakes("include: a.yaml\njobs: {c: {run: x}}", files)
    assert found == (
        "b.yaml:1:11: files that include each other: f -> a.yaml -> b.yaml -> f"
    )


def test_a_file_that_is_not_there_is_a_mistake():
    found = mistakes("include: [no, '']\njobs: {c: {run: x}}")
    assert found == [
        "f:1:11: cannot read `no`: No such file or directory",
        "f:1:15: `include` must not be empty; found an empty text",
    ]


def test_a_file_may_do_nothing_but_include():
    pipeline = read("include: a", {"a": "jobs: {a: {run: x}}"})
    assert [job.name for job in pipeline.jobs] == ["a"]


def test_a_byte_of_an_included_file_that_is_not_utf8_is_placed():
    (found,) = mistakes("include: a\njobs: {b: {run: x}}", {"a": b"x: \xff"})
    assert found == "a:1:4: byte 0xff is not UTF-8"


def test_two_files_may_not_disagree_on_what_there_is():
    files = {"a": "resources: {gpu: 1}\njobs: {a: {run: x}}"}
    (found,) = mistakes("include: a\nresources: {gpu: 2, db: 1}", files)
    assert found == "f:2:13: another file says 1 of `gpu`"


def test_a_definition_without_a_disk_can_include_nothing():
    text = "include: x\njobs: {a: {run: x}}"
    assert mistakes(text)
    assert load(text, file="f", disk=Files({"x": "jobs: {b: {run: x}}"}))
