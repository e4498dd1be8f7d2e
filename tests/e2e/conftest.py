"""Real input for the tests that want it."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def access_log() -> Path:
    """A real access log, 10,000 lines; the test is skipped where there is none."""
    log = ROOT.parent / "shared" / "data" / "access.log.gz"
    if not log.exists():
        pytest.skip("no access log beside the project")
    return log
