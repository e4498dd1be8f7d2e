from __future__ import annotations

import json
import pickle
import textwrap

import pytest

from penstock.errors import DefinitionError
from penstock.model.job import Link, Place
from penstock.model.limits import Limits
from penstock.model.stream import Direct, Inherit, Input, Log, Null, Output
from penstock.spec.load import load


def read(text, **settings):
    return load(textwrap.dedent(text), file="f", settings=settings)


def job(text, **settings):
    return read(text, **settings).jobs[0]


def stage(text, **settings):
    return job(text, **settings).stages[0]


def mistakes(text, **settings):
    with pytest.raises(DefinitionError) as error:
        read(text, **settings)
    return error.value.mistakes


def test_one_command_is_a_job_of_one_stage():
    pipeline = read("""
        jobs:
          hello:
            run: date -u
    """)
    (only,) = pipeline.jobs
    (first,) = only.stages
    assert (pipeline.file, only.name, only.needs, only.links) == ("f", "hello", (), ())
    assert only.place == Place("f", 3, 3)
    assert first.name == "date"
    assert first.command.argv == ("date", "-u")
    assert first.place == Place("f", 4, 10)
    assert (first.stdin, first.stdout, first.stderr) == (Null(), Inherit(1), Log(None))
    assert only.limits == first.limits == Limits()


def test_a_pipe_is_a_chain_whose_ends_are_files():
    only = job("""
        jobs:
          top:
            pipe:
              - grep -v x
              - {argv: [sort, -k, 1 2], stderr: sort.err}
              - head >&2
            stdin: in.txt
            stdout: out/top.txt
    """)
    first, second, third = only.stages
    assert [s.name for s in only.stages] == ["1-grep", "2-sort", "3-head"]
    assert only.links == (Link(0, 1), Link(1, 2))
    assert first.stdin == Input("in.txt")
    assert second.command.argv == ("sort", "-k", "1 2")
    assert second.command.typed == "sort -k '1 2'"
    assert second.stderr == Direct("sort.err")
    assert third.command.argv == ("/bin/sh", "-c", "head >&2")
    assert third.stdout == Output("out/top.txt", "out/.top.txt.top.part")
    assert second.place == Place("f", 6, 9)


def test_the_nearest_option_holds():
    only = job("""
        defaults: {timeout: 2m, grace: 1s, env: {A: d, B: d}, cwd: /d, ok: [0, 1]}
        jobs:
          a:
            grace: 2s
            env: {B: j}
            pipe: [x, {run: y, timeout: 3s, grace: 0s, env: {A: s}, cwd: /s, ok: 2}]
    """)
    x, y = only.stages
    assert only.limits == Limits(timeout=None, grace=2)
    assert x.limits == Limits(timeout=120, grace=2)
    assert x.command[2:5] == ((("A", "d"), ("B", "j")), "/d", (0, 1))
    assert y.limits == Limits(timeout=3, grace=0)
    assert y.command[2:5] == ((("A", "s"), ("B", "j")), "/s", (2,))


def test_the_limit_of_a_job_replaces_the_default_of_its_commands():
    text = "{defaults: {timeout: 1m}, jobs: {a: {timeout: 2m, %s}}}"
    for command in ("run: x", "pipe: [x]"):
        only = job(text % command)
        assert only.limits.timeout == 120
        assert only.stages[0].limits.timeout is None


def test_a_job_with_one_command_may_have_every_stream_in_a_file():
    only = stage("{jobs: {a: {argv: [x], stdin: i, stdout: o, stderr: e}}}")
    assert only.stdin == Input("i")
    assert only.stdout == Output("o", ".o.a.part")
    assert only.stderr == Direct("e")


def test_variables_are_in_texts_and_in_the_environment():
    only = stage("""
        vars: {top: 10, my-dir: a b, no: on, empty: ''}
        jobs:
          a:
            run: head -n {{top}} {{my-dir}}/x {{ no }} {{empty}}
            env: {B: "{{top}}", top: mine}
            cwd: "{{my-dir}}"
            stdin: "{{my-dir}}/in"
            stdout: "{{raw my-dir}}/out"
            stderr: "{{top}}"
    """)
    assert only.command.argv == ("head", "-n", "10", "a b/x", "on", "")
    env = (("top", "mine"), ("no", "on"), ("empty", ""), ("B", "10"))
    assert only.command.env == env
    assert only.command.cwd == "a b"
    assert only.stdin == Input("a b/in")
    assert only.stdout == Output("a b/out", "a b/.out.a.part")
    assert only.stderr == Direct("10")


def test_settings_override_variables():
    text = "{vars: {a: 1, b: }, jobs: {a: {argv: [x, '{{a}}', '{{b}}']}}}"
    assert stage(text, a="2", b="").command.argv == ("x", "2", "")


def test_a_list_takes_values_as_they_are():
    text = "{vars: {a: \"it's $x\"}, jobs: {a: {argv: ['{{a}}', '-{{raw a}}']}}}"
    assert stage(text).command.argv == ("it's $x", "-it's $x")


def test_raw_opts_out_of_quoting():
    text = "{vars: {a: b | c}, jobs: {a: {run: 'x {{raw a}}'}}}"
    assert stage(text).command.argv == ("/bin/sh", "-c", "x b | c")


def test_nothing_is_said_by_keys_without_a_value():
    only = stage("vars:\ndefaults:\njobs: {a: {run: x, env: , needs: []}}\n")
    assert only.command.env == ()


@pytest.mark.parametrize(
    ("run", "name"),
    [
        ("/usr/bin/sort -u", "sort"),
        ("LC_ALL=C sort", "sort"),
        ("'my prog' x", "my_prog"),
        ("(cd x; ls)", "cd"),
        ("if :; then a; fi", "if"),
        ("A=1", "command"),
        ("..", "command"),
        ("é x", "command"),
        ("a" * 60, "a" * 40),
    ],
)
def test_a_stage_is_named_after_its_program(run, name):
    assert stage(json.dumps({"jobs": {"a": {"run": run}}})).name == name


def test_a_partial_name_fits_into_a_directory():
    text = "{jobs: {%s: {run: x, stdout: d/%s}, b: {run: x, stdout: d/%s}}}"
    pipeline = read(text % ("j" * 200, "é" * 120, "é" * 119 + "e"))
    partials = [job.stages[0].stdout.partial for job in pipeline.jobs]
    assert partials[0].startswith("d/.éé")
    assert partials[0].endswith(".part")
    assert len(partials[0].removeprefix("d/").encode()) <= 200


def test_long_partial_names_differ():
    text = "{jobs: {a%s: {run: x, stdout: %s}, b%s: {run: x, stdout: %s}}}"
    pipeline = read(text % ("j" * 150, "n" * 200, "j" * 150, "n" * 201))
    assert len({job.stages[0].stdout.partial for job in pipeline.jobs}) == 2


def test_devices_may_be_shared():
    read("{jobs: {a: {run: x, stdout: /dev/null}, b: {run: x, stdout: /dev/null}}}")


def test_a_pipeline_travels():
    pipeline = read("{jobs: {a: {pipe: [x, y], needs: [b]}, b: {run: x}}}")
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline


def test_bytes_are_utf8_with_or_without_a_mark():
    text = "jobs: {a: {run: cat é}}"
    for data in (text, text.encode(), "\ufeff" + text, b"\xef\xbb\xbf" + text.encode()):
        assert load(data, file="f").jobs[0].stages[0].command.argv == ("cat", "é")


def test_a_byte_that_is_not_utf8_is_placed():
    with pytest.raises(DefinitionError) as error:
        load("a: é\nb: é".encode() + b"\xff", file="f")
    assert error.value.mistakes == (
        "f:2:5: byte 0xff is not UTF-8\n    b: é\ufffd\n        ^",
    )


def test_a_very_long_chain_of_needs_is_no_trouble():
    text = "jobs:\n  j0: {run: x}\n" + "".join(
        f"  j{i}: {{run: x, needs: j{i - 1}}}\n" for i in range(1, 3000)
    )
    assert len(read(text).jobs) == 3000


def test_a_long_circle_is_shown_by_its_ends():
    text = "jobs:\n" + "".join(
        f"  j{i}: {{run: x, needs: j{(i + 1) % 30}}}\n" for i in range(30)
    )
    (mistake,) = mistakes(text)
    assert "j0 -> j1 -> j2 -> j3 -> ... -> j27 -> j28 -> j29 -> j0" in mistake


def test_every_knot_of_jobs_is_reported_once():
    found = mistakes("""
        jobs:
          a: {run: x, needs: [b, c]}
          b: {run: x, needs: a}
          c: {run: x, needs: [a, d]}
          d: {run: x, needs: e}
          e: {run: x, needs: d}
          f: {run: x, needs: [b, d]}
    """)
    assert ["a -> b -> a" in found[0], "d -> e -> d" in found[1]] == [True, True]
    assert len(found) == 2


def test_an_argument_that_the_kernel_refuses_is_a_mistake():
    text = "{vars: {a: %s}, jobs: {a: {run: 'x {{a}}'}, b: {argv: [x, '{{a}}']}}}"
    read(text % ("a" * 131_000))
    assert len(mistakes(text % ("a" * 131_072))) == 2


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_setting_that_no_command_can_take_is_a_mistake(value):
    (mistake,) = mistakes("{vars: {a: 1}, jobs: {a: {run: '{{a}}'}}}", a=value)
    assert mistake == "f: --set: `a` holds what no command can take"


def test_an_unknown_setting_is_a_mistake():
    text = "{vars: {log: x}, jobs: {a: {run: x}}}"
    assert mistakes(text, lgo="1", zzz="1") == (
        "f: --set: there is no variable `lgo`; did you mean `log`?",
        "f: --set: there is no variable `zzz`; expected one of `log`",
    )
    assert "; there are no `vars`" in mistakes("{jobs: {a: {run: x}}}", a="1")[0]


def test_an_unusable_text_from_an_escape_is_a_mistake():
    (mistake,) = mistakes('{jobs: {a: {run: "x \\0"}}}')
    assert "`run` holds a character that no command can take" in mistake


def test_a_place_that_is_written_otherwise_is_that_of_its_text():
    found = mistakes('{jobs: {a: {run: "x {{\\u0061}} {{b}}"}}}')
    assert [mistake.split(": ")[0] for mistake in found] == ["f:1:18", "f:1:32"]


def test_a_long_job_name_is_a_mistake():
    (mistake,) = mistakes("jobs: {%s: {run: x}}" % ("é" * 101))
    assert "it is longer than 200 bytes" in mistake


TEN = (
    "f:6:14: `timeout`: `10` has no unit: write `10s` for seconds, `10m` for minutes, "
    "`10h` for hours"
)


def test_five_different_mistakes_are_all_reported_with_their_places():
    found = mistakes("""\
        vars:
          log: a.gz
        jobs:
          a:
            run: zcat {{lgo}}
            timeout: 10
          b:
            needs: [c]
            pipe: [{run: x, stdout: y}, z]
            retries: two
            tiemout: 3s
    """)
    assert [mistake.partition(";")[0].partition("\n")[0] for mistake in found] == [
        "f:5:15: there is no variable `lgo`",
        TEN,
        "f:8:13: there is no job `c`",
        "f:9:21: stdout of stage 1 feeds stage 2",
        "f:10:14: `retries` must be a whole number, 0 or more",
        "f:11:5: `tiemout` is not a key that may stand in a job",
    ]
