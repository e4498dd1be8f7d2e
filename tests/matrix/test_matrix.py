"""P1, P7: nothing survives, whatever the victim, and however it is ended.

Each victim is run in a PID namespace of its own for each ending, so that whatever is
left is seen, whatever it did to hide.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest

from tests.matrix.cell import Cell, Fate, can_cage, run_cells
from tests.matrix.fuzz import trials, what_is_wrong
from tests.matrix.ours import cells, endings, expected
from tests.matrix.victims import VICTIMS, victim

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not can_cage(), reason="PID namespaces need unshare and root"),
]

victims = pytest.mark.parametrize("name", VICTIMS, ids=lambda n: n.replace(" ", "-"))


def wrong(name: str, fate: Fate) -> str | None:
    """What is wrong with the fate of victim `name`, in a line."""
    if fate.status not in expected(name, fate.name):
        return f"{fate.name}: status {fate.status}: {fate.err}"
    if fate.survivors:
        return f"{fate.name}: left {fate.survivors}"
    if fate.at_return and "KILL" not in fate.name:
        return f"{fate.name}: returned before the end of {fate.at_return}"
    return None


@victims
def test_nothing_survives(name: str, tmp_path: Path):
    fates = [*run_cells(cells(name), tmp_path)]
    assert tuple(fate.name for fate in fates) == endings()
    assert [line for fate in fates if (line := wrong(name, fate))] == []


@victims
def test_nothing_survives_an_unprivileged_user(name: str):
    os.chmod(tempfile.gettempdir(), 0o755)
    with tempfile.TemporaryDirectory() as directory:
        fates = [*run_cells(cells(name, nobody=True), Path(directory))]
    assert [line for fate in fates if (line := wrong(name, fate))] == []


def test_what_another_tool_leaves_is_seen(tmp_path: Path):
    argv = ("timeout", "-k", "0.2", "0.3", *victim("setsid"))
    (fate,) = run_cells([Cell("timeout", argv)], tmp_path)
    assert fate.status == 124
    assert len(fate.survivors) == 1


def test_random_kills_leave_nothing(tmp_path: Path):
    seed = random.SystemRandom().randrange(10**9)
    fates = [*trials(seed, range(25), tmp_path)]
    wrong = [f"{f.name}: {text}" for f in fates if (text := what_is_wrong(f))]
    assert wrong == [], f"again: python -m tests.matrix.fuzz --seed {seed}"
