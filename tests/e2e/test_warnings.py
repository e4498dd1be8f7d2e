"""Where Python warns of what nobody has closed."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import plain_environment

pytestmark = pytest.mark.slow

STRICT = [{"PYTHONWARNINGS": "error"}, {"PYTHONDEVMODE": "1"}]
TEXT = """
jobs:
  a: {run: echo a, stdout: made}
  b: {needs: a, pipe: [cat made, cat]}
  tree:
    stages:
      head: echo x
      left: {from: head, run: cat >/dev/null}
      right: {from: head, run: cat >/dev/null}
"""
QUIET = [
    ("exec", "true"),
    ("exec", "--", "sh", "-c", "sleep 0.1 & exit 3"),
    ("pipe", "echo a", "cat"),
    ("map", "-j2", "-k", "echo", ":::", "a", "b"),
    ("map", "--line-buffer", "-j2", "echo", ":::", "a", "b"),
    ("map", "--pipe", "wc"),
    ("run", "-q", "-j3"),
    ("run", "-n"),
    ("graph",),
    ("sh", "-c", "echo a | cat"),
    ("sh", "-c", "sleep 0.1 & exit 3"),
]
TOLD = [
    (("exec", "-t", "0.1", "sleep", "1000"), b"timed out"),
    (("map", "--group", "-u", "echo", ":::", "a"), b"leave one out"),
    (("run", "--resume", "--fresh"), b"--fresh"),
    (("sh", "-t", "0.1", "-c", "sleep 1000"), b"timed out"),
]


@pytest.fixture(autouse=True)
def _definition(tmp_path):
    (tmp_path / "penstock.yaml").write_text(TEXT)


@pytest.mark.parametrize("strict", STRICT, ids=str)
@pytest.mark.parametrize("line", QUIET, ids=" ".join)
def test_nothing_is_left_to_warn_of(penstock_cli, line, strict):
    assert penstock_cli(*line, stdin=b"a\n", env=strict).err == b""


@pytest.mark.parametrize("strict", STRICT, ids=str)
@pytest.mark.parametrize(("line", "part"), TOLD)
def test_what_fails_leaves_nothing_to_warn_of(penstock_cli, line, part, strict):
    err = penstock_cli(*line, env=strict).err
    assert part in err
    assert b"Warning" not in err


@pytest.mark.parametrize("strict", STRICT, ids=str)
def test_nor_does_the_shell_for_make(penstock_cli, strict):
    shell = penstock_cli.program.with_name("penstock-sh")
    done = subprocess.run(
        [shell, "-c", "echo a | cat"],
        env=plain_environment() | strict,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a\n", b"")
