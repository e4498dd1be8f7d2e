"""Runs for which there is too little of something: nothing is lost, and all is told."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.proc.isolate import try_isolation
from tests.conftest import Done, PenstockCli
from tests.few import Few, few_processes

JOBS = 24
NAMES = [str(number) for number in range(1, JOBS + 1)]
LINE = ["map", "-j8", "--json", "sleep", "0.2{}", ":::", *NAMES]  # no shell: no fork
PLACE = ["env", "TMPDIR=/tmp"]  # only files without a name are put there
PATIENCE = 250  # seconds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Cage = Callable[..., Done]


@pytest.fixture
def few(marker: str) -> Iterator[Few]:
    yield from few_processes(marker)


def limited(*limits: str) -> list[str]:
    """What gives limits to the command that follows."""
    if shutil.which("prlimit") is None:
        pytest.skip("needs prlimit(1)")
    return ["prlimit", *limits, "--"]


def as_somebody() -> list[str]:
    """What runs a command as a user that nobody else is: processes count for each.

    Who may read everything, for the interpreter may lie below /root, but write only
    where everybody may.
    """
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs to be root, and setpriv(1)")
    user = 40_000 + os.getpid() % 20_000
    ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    reach = "-all,+dac_read_search"
    return [
        "setpriv",
        *ids,
        f"--inh-caps={reach}",
        f"--ambient-caps={reach}",
        "--",
        *PLACE,
    ]


def events_of(told: bytes) -> dict[str, list[dict[str, object]]]:
    """The events, by what they are; nothing else was said."""
    events: dict[str, list[dict[str, object]]] = {}
    for line in told.splitlines():
        event = json.loads(line)
        events.setdefault(event["event"], []).append(event)
    return events


def assert_all_ended_well(done: Done) -> dict[str, list[dict[str, object]]]:
    events = events_of(done.err)
    ends = Counter(event["job"] for event in events["JobEnded"])
    assert ends == Counter(NAMES)
    assert all(event["ok"] for event in events["JobEnded"])
    assert "JobRetried" not in events
    assert done.status == 0
    return events


def only_shortage(events: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    (shortage,) = events["RanShort"]
    return shortage


@pytest.mark.parametrize("most", [4, 6])
def test_a_user_who_may_have_few_processes(
    penstock_cli: PenstockCli, cage: Cage, most: int
):
    limit = [*as_somebody(), *limited(f"--nproc={most}")]
    done = cage(*limit, str(penstock_cli.program), *LINE, timeout=PATIENCE)
    shortage = only_shortage(assert_all_ended_well(done))
    assert (shortage["errno"], shortage["usual"]) == (11, 8)
    assert shortage["slots"] in range(1, 8)


@pytest.mark.parametrize("most", ["5", "7"])
def test_a_control_group_of_few_processes(
    penstock_cli: PenstockCli, cage: Cage, few: Few, most: str
):
    few.allow(most)
    line = [*few.entering(), str(penstock_cli.program), *LINE]
    only_shortage(assert_all_ended_well(cage(*line, timeout=PATIENCE)))


def test_what_is_scarce_is_told_in_words_with_what_to_do(
    penstock_cli: PenstockCli, cage: Cage, few: Few
):
    few.allow("5")
    line = [*few.entering(), str(penstock_cli.program), *LINE]
    line.remove("--json")
    done = cage(*line, timeout=PATIENCE)
    (told,) = done.err.decode().splitlines()
    assert "no more processes" in told
    assert "not 8" in told
    assert "ulimit -u" in told


def test_a_run_in_a_control_group_of_few_processes(
    penstock_cli: PenstockCli, cage: Cage, few: Few, tmp_path: Path
):
    names = ", ".join(NAMES)
    job = f"{{for: {{n: [{names}]}}, argv: [sleep, '0.2{{{{n}}}}']}}"
    (tmp_path / "penstock.yaml").write_text(f"jobs:\n  nap: {job}\n")
    few.allow("7")
    line = [*few.entering(), str(penstock_cli.program), "run", "-j8", "--json"]
    done = cage(*line, timeout=PATIENCE)
    events = events_of(done.err)
    ends = Counter(event["job"] for event in events["JobEnded"])
    assert ends == Counter(f"nap[{name}]" for name in NAMES)
    assert (done.status, len(events["RanShort"])) == (0, 1)


def test_where_no_process_is_to_be_had_each_job_fails_and_says_so(
    penstock_cli: PenstockCli, cage: Cage, few: Few
):
    few.allow("3")
    line = ["map", "-j2", "true", ":::", "1", "2", "3"]
    entering = [*few.entering(), str(penstock_cli.program)]
    done = cage(*entering, *line, timeout=PATIENCE)
    told = done.err.decode()
    assert done.status == 1
    assert told.count("not started") == 3
    assert "ulimit -u" in told


@pytest.mark.parametrize("most", [24, 116])
def test_few_descriptors(penstock_cli: PenstockCli, cage: Cage, most: int):
    limit = limited(f"--nofile={most}:{most}")
    line = [*LINE[:4], "0.0{}", *LINE[5:]]
    done = cage(*limit, str(penstock_cli.program), *line, timeout=PATIENCE)
    first, _, rest = done.err.partition(b"\n")
    assert b"ulimit -Hn" in first
    assert_all_ended_well(done._replace(err=rest))


@pytest.mark.parametrize("mebibytes", [16, 20, 24])
def test_little_memory_is_enough_or_it_is_told(
    penstock_cli: PenstockCli, cage: Cage, mebibytes: int
):
    limit = limited(f"--as={mebibytes << 20}")
    words = ["map", "-j8", "true", ":::", *NAMES]
    done = cage(*limit, str(penstock_cli.program), *words, timeout=PATIENCE)
    told = done.err.decode()
    assert "this is a bug" not in told
    assert done.status == 0 or told


@pytest.mark.parametrize(
    "line",
    [
        ["exec", "--"],
        ["pipe", "sh -c 'ulimit -Sn'"],
        ["run", "penstock.yaml"],
        ["map", "-j300", "-n1"],
        ["map", "-j300", "--isolate", "pidns", "-n1"],
        ["sh", "-c", "ulimit -Sn"],
    ],
    ids=" ".join,
)
def test_commands_have_the_limit_that_penstock_was_given(
    penstock_cli: PenstockCli, cage: Cage, tmp_path: Path, line: list[str]
):
    if "pidns" in line and (why := try_isolation()):
        pytest.skip(f"not here: {why}")
    if line[0] == "exec":
        line = [*line, "sh", "-c", "ulimit -Sn"]
    if line[0] == "map":
        line = [*line, "ulimit -Sn; : {}", ":::", "x"]
    (tmp_path / "penstock.yaml").write_text("jobs: {one: {run: ulimit -Sn}}\n")
    done = cage(*limited("--nofile=200:4000"), str(penstock_cli.program), *line)
    assert done.out.split() == [b"200"]
    assert b"at once" not in done.err
