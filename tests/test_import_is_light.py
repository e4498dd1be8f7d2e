"""Importing the library is cheap: what is heavy is loaded when it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"click", "psutil", "pydantic", "rich", "sh", "typer", "yaml"}


def modules_after(statement: str) -> set[str]:
    """The top-level names in `sys.modules` of a fresh interpreter."""
    text = f"{statement}\nimport sys\nprint(*sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", text], text=True)
    return {name.partition(".")[0] for name in out.split()}


def test_import_loads_nothing_heavy():
    assert modules_after("import penstock") & HEAVY == set()


def test_import_leaves_the_command_line_alone():
    text = "import penstock, sys; print('penstock.cli' in sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", text], text=True)
    assert out == "False\n"


@pytest.mark.parametrize("name", sorted(HEAVY & {"psutil", "sh", "typer", "yaml"}))
def test_a_heavy_module_would_be_seen(name):
    assert name in modules_after(f"import {name}")
