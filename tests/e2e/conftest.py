"""Real input, and a terminal, for the tests that want them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminals import Terminal

ROOT = Path(__file__).parent.parent.parent


def access_log() -> Path:
    """A real access log, 10,000 lines; the test is skipped where there is none."""
    log = ROOT.parent / "shared" / "data" / "access.log.gz"
    if not log.exists():
        pytest.skip("no access log beside the project")
    return log


@pytest.fixture
def terminal(penstock_cli) -> Iterator[Terminal]:
    if shutil.which("bash") is None or shutil.which("setsid") is None:
        pytest.skip("needs bash and setsid(1)")
    made = Terminal(penstock_cli.cwd)
    yield made
    made.close()
