"""``penstock.proc.function``, as `python:` in a definition starts it."""

from __future__ import annotations

import subprocess
import sys

import pytest

TOOLS = """
import sys

def upper():
    for line in sys.stdin:
        sys.stdout.write(line.upper())

def flood():
    while True:
        print("x" * 1000)

def three(): return 3
def refuse(): return "no"
def odd(): return [1]
def fail(): raise ValueError("oh")

class Group:
    @staticmethod
    def member(): print(sys.argv)

not_one = 1
"""


@pytest.fixture
def call(tmp_path):
    (tmp_path / "tools.py").write_text(TOOLS)
    (tmp_path / "needs_more.py").write_text("import no_such_module")
    (tmp_path / "signal.py").write_text("raise SystemExit('the wrong module')")

    def run(target, data=b""):
        argv = [sys.executable, "-P", "-m", "penstock.proc.function", target]
        return subprocess.run(
            argv, input=data, capture_output=True, cwd=tmp_path, check=False
        )

    return run


def test_a_function_reads_stdin_and_writes_stdout(call):
    done = call("tools:upper", b"one\ntwo\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"ONE\nTWO\n", b"")


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        ("tools:three", 3, b""),
        ("tools:refuse", 1, b"no\n"),
        ("tools:odd", 1, b"tools:odd returned a list, not an exit code\n"),
        ("tools:nothing", 127, b"there is no function nothing in tools\n"),
        ("tools:not_one", 127, b"there is no function not_one in tools\n"),
        ("toolz:x", 127, b"there is no Python module toolz\n"),
    ],
)
def test_how_it_ended_is_the_exit_status(call, target, status, words):
    done = call(target)
    assert (done.returncode, done.stderr) == (status, words)


def test_what_it_raises_is_told_as_python_does(call):
    assert b"ValueError: oh" in call("tools:fail").stderr
    assert b"No module named 'no_such_module'" in call("needs_more:x").stderr


def test_a_function_may_stand_in_a_class(call):
    assert call("tools:Group.member").stdout == b"['tools:Group.member']\n"


def test_it_ends_by_sigpipe_when_nobody_reads(tmp_path):
    (tmp_path / "tools.py").write_text(TOOLS)
    argv = [sys.executable, "-P", "-m", "penstock.proc.function", "tools:flood"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait() == -13
