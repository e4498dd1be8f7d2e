"""The scripts explain themselves, and the size gate counts right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"
NAMES = sorted(
    path.name
    for path in SCRIPTS.iterdir()
    if path.is_file() and os.access(path, os.X_OK)
    if path.name != "penstock"  # its help is the program's
)


@pytest.mark.parametrize("name", NAMES)
def test_script_explains_itself_without_doing_anything(name, tmp_path):
    done = subprocess.run(
        [SCRIPTS / name, "--help"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        check=True,
    )
    assert done.stderr == ""
    assert 1 <= len(done.stdout.splitlines()) <= 5
    assert "#" not in done.stdout


@pytest.mark.parametrize("name", [*NAMES, "penstock"])
def test_script_is_short_plain_sh(name):
    lines = (SCRIPTS / name).read_text().splitlines()
    assert lines[0] == "#!/bin/sh"
    assert len(lines) <= 50


def size_gate(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPTS / "size_gate.py", folder],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("n_lines", "status", "said"),
    [(250, 0, ""), (251, 0, "warning"), (400, 0, "warning"), (401, 1, "401 lines")],
)
def test_size_gate_counts_the_lines_of_a_file(n_lines, status, said, tmp_path):
    (tmp_path / "module.py").write_text("x = 1\n" * n_lines)
    done = size_gate(tmp_path)
    assert done.returncode == status
    assert said in done.stderr
    assert bool(done.stderr) == bool(said)


@pytest.mark.parametrize(("n_lines", "status"), [(60, 0), (61, 1)])
def test_size_gate_counts_the_lines_of_a_function(n_lines, status, tmp_path):
    body = "    x = 1\n" * (n_lines - 1)
    (tmp_path / "module.py").write_text(f"class A:\n  def long(self):\n{body}")
    done = size_gate(tmp_path)
    assert done.returncode == status
    assert ("long has 61 lines" in done.stderr) == bool(status)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["penstock", "penstock-sh"])
def test_launcher_is_python_that_warns_of_nothing(name):
    compile((SCRIPTS / "launcher" / name).read_text(), name, "exec")
