"""Each line of ``docs/coming-from-*.md`` does what the peer's does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


def lines_of(name: str) -> list[str]:
    """The lines in the blocks of a document."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


FROM_PARALLEL = lines_of("coming-from-parallel.md")
FROM_XARGS = lines_of("coming-from-xargs.md")


KEEPS_ORDER = re.compile(r" (-k|-j1|--dry-run) ")


def run(line: str, place: Path) -> tuple[bytes, bool]:
    """What a line prints, and whether it succeeded."""
    place.mkdir()
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=100,
        check=False,
    )
    return done.stdout, done.returncode == 0


def ours(line: str, word: str, program: Path) -> str:
    """The line, with the word that stands for the peer changed."""
    changed = re.sub(rf"(^|[|;] ){word} ", rf"\1{program} map ", line + " ")
    assert changed != line + " "
    return changed.rstrip()


def test_there_are_fifty_lines():
    assert len(FROM_PARALLEL) >= 50


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("parallel") is None, reason="no GNU parallel here")
@pytest.mark.parametrize("line", FROM_PARALLEL)
def test_a_line_for_parallel_does_the_same(line, tmp_path, penstock_cli):
    theirs = run(line, tmp_path / "theirs")
    line = ours(line, "parallel", penstock_cli.program)
    out, ok = run(line, tmp_path / "ours")
    assert ok == theirs[1]
    if KEEPS_ORDER.search(line):
        assert out == theirs[0]
    else:  # whichever job is first, there and here
        assert sorted(out.splitlines()) == sorted(theirs[0].splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("pair", FROM_XARGS)
def test_a_line_for_xargs_does_the_same(pair, tmp_path, penstock_cli):
    line, changed = re.split(r" +\| : map ", pair)
    source = line[: line.index("xargs")]
    theirs = run(line, tmp_path / "theirs")
    line = f"{source}{penstock_cli.program} map {changed}"
    assert run(line, tmp_path / "ours") == theirs
