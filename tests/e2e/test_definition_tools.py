"""``penstock check``, ``graph``, ``schema``, ``init`` and ``run --dry-run``."""

from __future__ import annotations

import json
import os

import pytest

TEXT = """\
vars: {top: 3, unused: 1}
jobs:
  list: {run: seq 9, stdout: list.txt}
  head: {needs: list, run: "head -n {{top}} list.txt"}
"""


@pytest.fixture
def definition(tmp_path):
    path = tmp_path / "penstock.yaml"
    path.write_text(TEXT)
    return path


@pytest.mark.usefixtures("definition")
def test_check_warns_of_what_nothing_uses(penstock_cli):
    done = penstock_cli("check")
    assert (done.status, done.out) == (
        0,
        b"penstock.yaml: 2 jobs, 2 commands, no mistakes\n",
    )
    assert done.err == b"penstock.yaml:1:16: nothing here uses `unused` (a warning)\n"


def test_check_tells_all_in_json(penstock_cli, definition):
    told = json.loads(penstock_cli("check", "--json").out)
    assert (told["ok"], told["mistakes"]) == (True, [])
    assert told["warnings"][0]["line"] == 1
    definition.write_text("jobs: {a: {run: x, timeout: 5}}")
    done = penstock_cli("check", "--json", "--set", "q=1")
    told = json.loads(done.out)
    assert (done.status, told["ok"]) == (2, False)
    assert [(m["line"], m["column"]) for m in told["mistakes"]] == [
        (None, None),
        (1, 29),
    ]
    assert "has no unit" in told["mistakes"][1]["message"]


def test_check_warns_of_a_for_that_finds_nothing(penstock_cli, definition):
    definition.write_text("""\
jobs:
  a: {for: {f: {glob: "*.none"}}, run: "x {{f}}"}
  b: {for: {f: {lines: none}}, run: "x {{f}}"}
  c: {for: {f: {lines: made}}, run: "x {{f}}", needs: a}
""")
    done = penstock_cli("check")
    assert done.status == 0
    assert b"penstock.yaml:2:3: its `for` finds nothing here" in done.err
    assert b"penstock.yaml:3:24: cannot read `none`: No such file" in done.err
    assert b"made" not in done.err


@pytest.mark.usefixtures("definition")
def test_a_variable_may_be_the_content_of_a_file(penstock_cli, tmp_path):
    (tmp_path / "number").write_text("2\n")
    done = penstock_cli("run", "--set-file", "top=number", "-q")
    assert (done.status, done.out) == (0, b"1\n2\n")
    done = penstock_cli("run", "--set-file", "top=nowhere")
    assert done.status == 2
    assert b"cannot read nowhere: No such file" in done.err


@pytest.mark.usefixtures("definition")
def test_a_dry_run_prints_lines_for_a_shell_and_runs_nothing(penstock_cli, tmp_path):
    done = penstock_cli("run", "-n", "head", "--set", "top=2")
    lines = done.out.decode().splitlines()
    assert lines[-2:] == ["# head: after list", "head -n 2 list.txt </dev/null"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["penstock.yaml"]


def test_a_dry_run_prints_the_very_bytes_of_a_name(penstock_cli, definition, tmp_path):
    definition.write_text("jobs: {a: {for: {f: {glob: x*}}, run: cat, stdin: '{{f}}'}}")
    (tmp_path / os.fsdecode(b"x\xff")).write_text("found\n")
    script = penstock_cli("run", "-n").out
    assert b"x\xff" in script
    (tmp_path / "script").write_bytes(script)
    assert penstock_cli("exec", "--", "sh", "script").out == b"found\n"


@pytest.mark.usefixtures("definition")
@pytest.mark.parametrize(
    ("form", "begin"),
    [
        ("text", b"head: head -n 3 list.txt\n"),
        ("mermaid", b"flowchart LR\n"),
        ("dot", b"digraph"),
        ("svg", b"<svg"),
    ],
)
def test_a_graph_is_drawn(penstock_cli, form, begin):
    done = penstock_cli("graph", "--format", form)
    assert (done.status, done.err) == (0, b"")
    assert done.out.startswith(begin)


def test_what_init_writes_runs_and_is_not_overwritten(penstock_cli, tmp_path):
    assert penstock_cli("init").status == 0
    text = (tmp_path / "penstock.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=penstock.schema.json\n")
    schema = (tmp_path / "penstock.schema.json").read_bytes()
    assert json.loads(schema) == json.loads(penstock_cli("schema").out)
    done = penstock_cli("run")
    assert (done.status, len(done.out.splitlines())) == (0, 5)
    again = penstock_cli("init")
    assert again.status == 2
    assert b"is there already, and is left alone" in again.err
    assert (tmp_path / "penstock.yaml").read_text() == text
    assert penstock_cli("init", "other.yaml").status == 0
    assert penstock_cli("init", "no/where.yaml").status == 2


@pytest.mark.parametrize("name", ["sub/x.yaml", "a 'b' #c.yaml", "{{top}}.yaml"])
def test_what_init_writes_runs_whatever_its_name(penstock_cli, tmp_path, name):
    (tmp_path / "sub").mkdir()
    assert penstock_cli("init", name).status == 0
    done = penstock_cli("run", name, "--set", "top=1")
    assert (done.status, len(done.out.splitlines())) == (0, 1)


def test_init_writes_a_file_whole_or_not_at_all(penstock_cli, tmp_path):
    done = penstock_cli("init", os.fsdecode(b"\xff.yaml"))
    assert done.status == 2
    assert b"its name is not UTF-8" in done.err
    text = f"ulimit -f 0; trap '' XFSZ; exec {penstock_cli.program} init"
    done = penstock_cli("exec", "--", "sh", "-c", text)
    assert done.status == 2
    assert b"cannot write penstock.yaml: File too large" in done.err
    assert [*tmp_path.iterdir()] == []


def test_a_dry_run_says_what_is_up_to_date_and_why_not(penstock_cli, definition):
    definition.write_text("""\
vars: {top: 3}
jobs:
  list: {run: seq 9, stdout: list.txt, outputs: list.txt}
  head: {run: "seq {{top}}", stdout: head.txt, outputs: head.txt}
""")
    assert b"# list: needs no other; never run\n" in penstock_cli("run", "-n").out
    assert penstock_cli("run").status == 0
    done = penstock_cli("run", "-n").out
    assert b"# list: up to date\n\n# head: up to date\n" in done
    assert b"seq" not in done
    assert b"seq 9" in penstock_cli("run", "-n", "--fresh").out
    changed = penstock_cli("run", "-n", "--set", "top=2").out
    assert b"# head: needs no other; command changed: was `seq 3" in changed


@pytest.mark.slow
def test_a_file_without_an_end_is_no_definition(penstock_cli):
    done = penstock_cli("check", "/dev/zero")
    assert done.status == 2
    assert b"cannot read /dev/zero: longer than 256 MiB" in done.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "status"),
    [
        (("map", "-a", "/dev/zero", "echo"), 125),
        (("map", "--joblog", "/dev/zero", "--resume", "echo", ":::", "a"), 2),
        (("run",), 2),
    ],
)
def test_nor_is_a_line_that_has_none_one(penstock_cli, definition, line, status):
    definition.write_text(
        "jobs: {a: {for: {l: {lines: /dev/zero}}, run: 'echo {{l}}'}}"
    )
    done = penstock_cli(*line)
    assert done.status == status
    assert b"/dev/zero" in done.err
    assert b"longer than 256 MiB" in done.err
