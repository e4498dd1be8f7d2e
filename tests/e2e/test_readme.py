"""Every example of the README is run, and does what the README says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, access_log
from tests.e2e.dialogue import replay, steps

README = (ROOT / "README.md").read_text()
BROKEN = "jobs:\n  a:\n    timout: 5s\n    run: zcat {{lgo}}\n"

_VARYING = (
    (re.compile(r"\d+(\.\d+)?(ms|s)\b"), "TIME"),
    (re.compile(r"  \d+ MiB"), ""),  # told only where it is more than the worker's own
    (re.compile(r"^ +\d+ [A-Za-z_]+$", re.MULTILINE), "COUNT"),
    (re.compile(r"^.*hint: +is it installed.*\n", re.MULTILINE), ""),
    (re.compile(r"^  command:  no_such_program\n", re.MULTILINE), ""),
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def settled(text: str) -> str:
    """`text` without what differs from machine to machine."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (definition,) = blocks("yaml")
    (tmp_path / "penstock.yaml").write_text(definition)
    (tmp_path / "broken.yaml").write_text(BROKEN)
    (tmp_path / "pipelines").symlink_to(ROOT / "pipelines")
    return tmp_path


@pytest.mark.parametrize("block", blocks("console"))
def test_what_the_readme_shows_is_what_happens(block, world, penstock_cli, cage):
    if "check" in block:
        (world / "access.log.gz").symlink_to(access_log())
    path = f"PATH={penstock_cli.program.parent}:{os.environ['PATH']}"

    def shell(script: str) -> str:
        out: bytes = cage("env", path, "bash", "-c", script).out
        return out.decode()

    printed = replay(block, shell)
    said = [out for _, out in steps(block)]
    assert [settled(text) for text in printed] == [settled(text) for text in said]


def test_the_first_screen_has_examples():
    assert len(blocks("console")) >= 5


@pytest.mark.parametrize("shell", ["", *blocks("make")[1:]], ids=["sh", "penstock-sh"])
def test_the_makefile_of_the_readme_runs(shell, tmp_path, penstock_cli, cage):
    makefile = shell + blocks("make")[0]
    (tmp_path / "Makefile").write_text(makefile)
    (tmp_path / "analyse.sh").write_text("#!/bin/sh\nzcat $1 | wc -l\n")
    (tmp_path / "analyse.sh").chmod(0o755)
    (tmp_path / "access.log.gz").symlink_to(access_log())
    path = f"PATH={penstock_cli.program.parent}:{os.environ['PATH']}"
    done = cage("env", path, "make", "-j2", "report.txt", "clients.txt")
    assert done.status == 0
    assert done.err == b""
    assert (tmp_path / "report.txt").read_text() == "10000\n"
    assert (tmp_path / "clients.txt").read_text().startswith("    482 66.249.73.135\n")
