"""The Makefiles in `pipelines/make/` do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import alive
from tests.conftest import plain_environment
from tests.peers import BIN, NINJA

ROOT = Path(__file__).parents[2]
FILES = ROOT / "pipelines" / "make"

COUNTING_CC = """\
#!/bin/sh
echo + >>{log}
cc "$@"
status=$?
echo - >>{log}
exit $status
"""


@pytest.fixture
def run(tmp_path: Path, marker: str):
    """Run a command as at the top of the project; its output. A `cc` counts itself."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "counting-cc").write_text(COUNTING_CC.format(log=tmp_path / "compilers"))
    (bin_ / "counting-cc").chmod(0o755)
    top = tmp_path / "top"  # as at the top of the project
    top.mkdir()
    for name in ("pipelines", "README.md"):
        (top / name).symlink_to(ROOT / name)

    def run(*argv: str) -> str:
        done = subprocess.run(
            argv,
            cwd=top,
            env=plain_environment() | {"PATH": f"{bin_}:{BIN}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert alive(marker) == []
        return done.stdout + done.stderr

    return run


def _needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")


def _most_compilers(directory: Path) -> tuple[int, int]:
    """How many there were at once, and in all."""
    now = most = total = 0
    for line in (directory / "compilers").read_text().split():
        now += 1 if line == "+" else -1
        total += line == "+"
        most = max(most, now)
    return most, total


def test_words_are_counted(run, tmp_path):
    _needs("make")
    out = run("make", "-f", "pipelines/make/words.mk", f"OUT={tmp_path}/words")
    assert out.startswith(f"{tmp_path}/words/words.txt: ")
    counts = (tmp_path / "words" / "words.txt").read_text().splitlines()
    assert re.fullmatch(r" +\d+ \w+", counts[0])


@pytest.mark.slow
def test_definitions_run_side_by_side_quietly(run):
    _needs("make")
    assert run("make", "-j4", "-f", "pipelines/make/checks.mk") == ""


@pytest.mark.slow
def test_the_project_is_built_by_make_alone(run, tmp_path):
    _needs("make", "cc")
    run("make", "-sj4", "-C", "pipelines/make/project", f"OUT={tmp_path}/build")
    assert run(f"{tmp_path}/build/sums") == "19\n"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_three_makes_share_four_compilers(run, tmp_path):
    _needs("make", "cc")
    definition = "pipelines/make/build.yaml"
    line = ("penstock", "run", "-q", "-j4", "--jobserver=pipe", definition)
    run(*line, "--set", f"out={tmp_path}/build", "--set", "cc=counting-cc")
    for flags in ("-g", "-O1", "-O2"):
        assert run(f"{tmp_path}/build/{flags}/sums") == "19\n"
    most, total = _most_compilers(tmp_path)
    assert total == 33
    assert 2 <= most <= 4


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_three_ninjas_share_four_compilers(run, tmp_path):
    if NINJA is None:
        pytest.skip("ninja is missing")
    _needs("cc")
    version = subprocess.check_output([NINJA, "--version"], text=True)
    if tuple(map(int, version.split(".")[:2])) < (1, 13):
        pytest.skip("this ninja knows no jobserver: 1.13 does")
    project = shutil.copytree(FILES / "project", tmp_path / "project")
    ninja = (project / "build.ninja").read_text()
    (project / "build.ninja").write_text(ninja.replace("cc = cc", "cc = counting-cc"))
    definition = "pipelines/make/ninja.yaml"
    line = ("penstock", "run", "-q", "-j4", "--jobserver=fifo", definition)
    settings = (f"out={tmp_path}/build", f"project={project}", f"ninja={NINJA}")
    run(*line, *(word for setting in settings for word in ("--set", setting)))
    for copy in ("one", "two", "three"):
        assert run(f"{tmp_path}/build/{copy}/sums") == "19\n"
    most, total = _most_compilers(tmp_path)
    assert total == 33
    assert 2 <= most <= 4


def test_the_document_names_every_makefile():
    text = (ROOT / "docs" / "make.md").read_text()
    for path in [
        *FILES.glob("*.mk"),
        *FILES.glob("*.yaml"),
        FILES / "project/Makefile",
    ]:
        assert f"pipelines/make/{path.relative_to(FILES)}" in text


@pytest.mark.parametrize("path", [*FILES.glob("*.mk")], ids=lambda path: path.stem)
def test_a_makefile_tells_how_to_run_it(path):
    assert f"\n# make -f pipelines/make/{path.name}" in path.read_text()
