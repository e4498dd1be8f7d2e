from __future__ import annotations

import tracemalloc
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import DefinitionError
from penstock.model.stream import Output
from penstock.spec.family import _label, _value
from penstock.spec.load import load
from tests.spec.definitions import Files, members, mistakes, read


def names(pipeline, family="a"):
    return [job.name for job in members(pipeline, family)]


def words(job):
    return job.stages[0].command.argv


def test_there_is_one_job_for_each_value():
    pipeline = read("""
        jobs:
          b: {run: x}
          a:
            needs: b
            for: {status: [404, 500]}
            run: grep {{status}} log
            stdout: status-{{status}}.txt
    """)
    first, second = members(pipeline, "a")
    assert (first.name, second.name) == ("a[404]", "a[500]")
    assert words(first) == ("grep", "404", "log")
    assert first.stages[0].stdout == Output(
        "status-404.txt", ".status-404.txt.a[404].part"
    )
    assert dict(second.stages[0].command.env) == {"status": "500"}
    assert [job.name for job in pipeline.jobs] == ["b"]
    assert pipeline.families[0].needs == ("b",)


def test_lists_multiply_and_the_last_changes_first():
    text = "jobs: {a: {for: {x: [1, 2], y: [a, b]}, run: 'echo {{x}} {{y}}'}}"
    assert names(read(text)) == ["a[1,a]", "a[1,b]", "a[2,a]", "a[2,b]"]


def test_values_may_come_from_file_names_and_from_lines():
    files = {"logs/b.gz": "", "logs/a.gz": "", "other": "", "urls": "u/1\n\nu/1\nv\n"}
    text = "jobs: {a: {for: {f: {%s}}, run: 'get {{f}}'}}"
    assert [
        words(job)[1] for job in members(read(text % "glob: logs/*.gz", files), "a")
    ] == [
        "logs/a.gz",
        "logs/b.gz",
    ]
    pipeline = read(text % "lines: urls", files)
    assert names(pipeline) == ["a[1:u^1]", "a[3:u^1]", "a[4:v]"]
    assert words(members(pipeline, "a")[0]) == ("get", "u/1")


def test_what_a_pattern_finds_is_what_is_there_when_it_is_their_turn():
    files = {"one.in": ""}
    text = "jobs: {a: {for: {f: {glob: '*.in'}}, run: 'x {{f}}'}}"
    pipeline = read(text, files)
    assert names(pipeline) == ["a[one.in]"]
    files["two.in"] = ""
    assert names(pipeline) == ["a[one.in]", "a[two.in]"]


def test_a_variable_in_a_pattern_matches_only_itself_unless_raw():
    files = {"a*/1": "", "ab/1": ""}
    text = "{vars: {d: 'a*'}, jobs: {a: {for: {f: {glob: '%s/*'}}, run: 'x {{f}}'}}}"
    assert len(names(read(text % "{{d}}", files))) == 1
    assert len(names(read(text % "{{raw d}}", files))) == 2


def test_a_million_values_need_no_memory():
    listed = ", ".join(map(str, range(1000)))
    text = f"jobs: {{a: {{for: {{x: [{listed}], y: [{listed}]}}, run: 'x {{{{x}}}}'}}}}"
    pipeline = load(text, file="f")
    found = pipeline.families[0].members()
    next(found)
    tracemalloc.start()
    assert sum(1 for _ in islice(found, 1999)) == 1999
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20  # what the garbage collector lets grow


def test_lines_are_read_as_they_are_needed():
    disk = Files({"urls": "u\n" * 100_000})
    text = "jobs: {a: {for: {u: {lines: urls}}, run: 'x {{u}}'}}"
    pipeline = load(text, file="f", disk=disk)
    assert disk.lines_read == 0
    assert len(list(islice(pipeline.families[0].members(), 3))) == 3
    assert disk.lines_read == 3


VALUES = st.text(max_size=80) | st.text(alphabet="/^_,~a", max_size=4)


@given(st.lists(st.tuples(VALUES, VALUES), unique=True, max_size=20))
def test_names_of_members_are_unique_and_names_of_files(combinations):
    labels = [_label((_value(a), _value(b))) for a, b in combinations]
    assert len(set(labels)) == len(labels)
    for label in labels:
        assert "/" not in label
        assert label.isprintable()
        assert len(label.encode()) <= 70


def test_the_mistakes_of_members_are_told_once():
    found = mistakes("""
        jobs:
          a:
            for: {n: [1, 2, 3]}
            run: echo {{m}} {{n}}
            stdout: same
    """)
    assert found == [
        "f:5:15: there is no variable `m`; expected one of `n`",
        "f:6:13: `same` is written twice, also by `stdout` of job `a[1]` on line 6",
    ]


@pytest.mark.parametrize("source", ["{glob: '*'}", "{lines: x}"])
def test_members_that_are_not_known_yet_may_not_write_one_file_either(source):
    text = f"jobs: {{a: {{for: {{n: {source}}}, run: x, stdout: same}}}}"
    (found,) = mistakes(text, {"x": "1"})
    assert "`same` is written twice, also by `stdout` of job `a[1]`" in found


def test_a_value_that_no_command_can_take_ends_the_family_with_its_place():
    text = "jobs: {a: {for: {n: {lines: x}}, run: 'y {{n}}'}}"
    pipeline = read(text, {"x": "1\n\0"})
    with pytest.raises(
        DefinitionError,
        match="f:1:8: a value of `n` is what no command can take: "
        "line 2 of `x` has a NUL in it",
    ):
        list(pipeline.families[0].members())


def test_a_file_of_lines_that_is_not_there_ends_the_family_with_its_place():
    pipeline = read("jobs: {a: {for: {n: {lines: x}}, run: 'y {{n}}'}}")
    with pytest.raises(DefinitionError, match="f:1:29: cannot read `x`: No such file"):
        list(pipeline.families[0].members())


def test_the_name_of_a_variable_is_taken():
    found = mistakes("{vars: {n: 1}, jobs: {a: {for: {n: [1]}, run: x}}}")
    assert found == ["f:1:33: `n` is the name of a variable of `vars` already"]
