"""``penstock run`` and ``check``, as a user meets them."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
from array import array
from typing import IO, Any

import pytest

from tests.commands import alive, wait_until
from tests.e2e.conftest import ROOT, access_log

FOUR_SLEEPERS = """
jobs:
  a: {run: sleep 301}
  b: {run: sleep 302}
  c: {run: "setsid sleep 303; true"}
  d: {pipe: [sleep 304, cat]}
"""

MISTAKES = """\
defaults: {timeout: 10}
jobs:
  a:
    run: echo {{nme}}
    needs: [bb]
    timout: 5s
  b:
    pipe: []
"""


@pytest.fixture
def define(tmp_path):
    def write(text: str, name: str = "penstock.yaml") -> None:
        (tmp_path / name).write_text(text)

    return write


def journal(tmp_path) -> list[dict[str, Any]]:
    (path,) = tmp_path.glob(".penstock/runs/*/journal.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_jobs_run_in_the_order_of_their_needs(penstock_cli, define, tmp_path):
    define("""
jobs:
  last: {needs: [middle], run: cat b.txt}
  middle: {needs: first, run: tr a-z A-Z, stdin: a.txt, stdout: b.txt}
  first: {run: echo text, stdout: a.txt}
""")
    done = penstock_cli("run")
    assert (done.status, done.out) == (0, b"TEXT\n")
    ended = [e["job"] for e in journal(tmp_path) if e["event"] == "JobEnded"]
    assert ended == ["first", "middle", "last"]


def test_every_command_is_timed_and_accounted_for(penstock_cli, define, tmp_path):
    define("jobs: {a: {pipe: [echo text, 'cat; echo careful >&2']}}")
    assert penstock_cli("run").status == 0
    (ended,) = [e for e in journal(tmp_path) if e["event"] == "JobEnded"]
    for stage in ended["stages"]:
        assert stage["ending"] == {"kind": "Exited", "code": 0}
        assert stage["pid"] > 0
        assert stage["elapsed"] > 0
        assert stage["user"] >= 0
    log = tmp_path / ended["stages"][1]["log"]
    assert log.read_text() == "careful\n"


def test_five_mistakes_are_all_told_with_their_places(penstock_cli, define, tmp_path):
    define(MISTAKES)
    done = penstock_cli("run")
    assert done.status == 2
    for place in (b":1:21: ", b":4:15: ", b":5:13: ", b":6:5: ", b":8:11: "):
        assert b"penstock.yaml" + place in done.err
    assert b"did you mean" in done.err
    assert not (tmp_path / ".penstock").exists()


@pytest.mark.parametrize("words", [["run"], ["why"]])
def test_a_working_directory_that_is_gone_is_told(penstock_cli, tmp_path, words):
    (tmp_path / "some.yaml").write_text("jobs: {a: {run: 'true', outputs: b}}")
    line = ['mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
    command = [str(penstock_cli.program), *words, str(tmp_path / "some.yaml")]
    done = penstock_cli("exec", "--", "sh", "-c", *line, *command)
    assert done.status == 125
    assert b"the working directory is gone" in done.err
    assert b"Traceback" not in done.err


def test_check_tells_the_same_and_runs_nothing(penstock_cli, define):
    define(MISTAKES)
    assert penstock_cli("check").err == penstock_cli("run").err
    define("jobs: {a: {run: touch made}}")
    assert penstock_cli("check").status == 0


def test_a_failure_stops_the_rest(penstock_cli, define, tmp_path, marker):
    define("""
jobs:
  fails: {run: exit 3}
  long: {run: sleep 300}
  after: {needs: fails, run: touch after}
  later: {needs: long, run: touch later}
""")
    done = penstock_cli("run", "-j2")
    assert done.status == 1
    assert b"exited with 3" in done.err
    assert not (tmp_path / "after").exists()
    assert not (tmp_path / "later").exists()
    assert alive(marker) == []


def test_keep_going_finishes_what_does_not_depend_on_it(penstock_cli, define, tmp_path):
    define("""
jobs:
  fails: {run: exit 3}
  after: {needs: fails, run: touch after}
  free: {run: touch free}
""")
    assert penstock_cli("run", "-j1", "-k").status == 1
    assert (tmp_path / "free").exists()
    assert not (tmp_path / "after").exists()


MET = "until test -e met || test $(ls alive | wc -l) -ge 2; do sleep 0.01; done; : >met"
"""Waits until two have been alive at once."""


def test_never_more_jobs_are_alive_than_slots(penstock_cli, define, tmp_path):
    jobs = "\n".join(
        f"  j{i}: {{run: 'mkdir alive/{i}; {MET}; ls alive | wc -l; sleep 0.05; "
        f"rmdir alive/{i}'}}"
        for i in range(12)
    )
    define(f"jobs:\n{jobs}\n")
    (tmp_path / "alive").mkdir()
    done = penstock_cli("run", "-j2")
    assert done.status == 0
    counts = [int(line) for line in done.out.split()]
    assert len(counts) == 12
    assert max(counts) == 2


def test_all_timed_out_is_124_and_a_mixture_is_1(penstock_cli, define):
    define("jobs: {a: {run: sleep 300, timeout: 200ms}}")
    assert penstock_cli("run").status == 124
    define("jobs: {a: {run: sleep 300, timeout: 200ms}, b: {run: exit 1}}")
    assert penstock_cli("run", "-k").status == 1


def test_an_output_appears_only_if_its_job_succeeded(penstock_cli, define, tmp_path):
    define("jobs: {a: {run: 'echo half; exit 1', stdout: out.txt}}")
    assert penstock_cli("run").status == 1
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"penstock.yaml", ".penstock"}


def test_outputs_of_jobs_do_not_mix(penstock_cli, define):
    write = "for i in $(seq 200); do echo {}; done"
    define(
        "jobs:\n" + "".join(f"  {n}: {{run: '{write.format(n)}'}}\n" for n in "abcd")
    )
    lines = penstock_cli("run", "-j4").out.split()
    blocks = [lines[i : i + 200] for i in range(0, 800, 200)]
    assert sorted(block[0] for block in blocks) == [b"a", b"b", b"c", b"d"]
    assert all(len(set(block)) == 1 for block in blocks)


def test_sigkill_of_penstock_leaves_nothing(penstock_cli, define, marker):
    define(FOUR_SLEEPERS)
    with penstock_cli.start("run", "-j4") as process:
        wait_until(lambda: _sleepers(marker) == 4)
        process.kill()
        process.wait()
        wait_until(lambda: alive(marker) == [])  # a second, on a machine of our own
        process.communicate()


def test_a_signal_ends_all_jobs_and_penstock_by_it(penstock_cli, define, marker):
    define(FOUR_SLEEPERS)
    with penstock_cli.start("run", "-j4") as process:
        wait_until(lambda: _sleepers(marker) == 4)
        os.kill(process.pid, signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert b"4 cancelled" in err
    assert alive(marker) == []


def _sleepers(marker: str) -> int:
    return sum(found.command.startswith("sleep") for found in alive(marker))


def test_a_read_only_directory_costs_the_journal_only(penstock_cli, define, tmp_path):
    define("jobs: {a: {run: echo text}}")
    (tmp_path / ".penstock").write_text("a file in the way")
    done = penstock_cli("run")
    assert (done.status, done.out) == (0, b"text\n")
    assert b"no journal" in done.err


def test_a_missing_file_says_what_to_do(penstock_cli):
    done = penstock_cli("run")
    assert done.status == 2
    assert b"penstock.yaml" in done.err
    assert b"hint:" in done.err


def test_under_make_success_is_quiet(penstock_cli, define):
    define("jobs: {a: {run: echo text}}")
    assert penstock_cli("run", env={"MAKELEVEL": "1"}) == (0, b"text\n", b"")


def test_json_tells_every_event(penstock_cli, define):
    define("jobs: {a: {run: echo text}}")
    events = [
        json.loads(line) for line in penstock_cli("run", "--json").err.splitlines()
    ]
    assert [event["event"] for event in events] == [
        "RunStarted",
        "JobStarted",
        "JobEnded",
        "RunEnded",
    ]


def test_a_reader_that_goes_away_ends_the_run(penstock_cli, define, cage, marker):
    define("""
jobs:
  a: {run: seq 1000000}
  b: {run: seq 1000000}
  c: {needs: [a, b], run: sleep 300}
""")
    line = f"{penstock_cli.program} run -j2 2>&1 | head -1; echo ${{PIPESTATUS[0]}}"
    done = cage("bash", "-c", line)
    assert done.out.endswith(b"141\n")
    assert alive(marker) == []


def test_two_outputs_never_share_an_unfinished_file(penstock_cli, define, tmp_path):
    define("""
jobs:
  y.z: {run: "sleep 0.2; echo from-y.z", stdout: x}
  z: {run: "echo from-z", stdout: x.y}
""")
    assert penstock_cli("run", "-j2").status == 0
    assert (tmp_path / "x").read_text() == "from-y.z\n"
    assert (tmp_path / "x.y").read_text() == "from-z\n"


def test_a_reader_that_does_not_read_does_not_make_it_deaf(
    penstock_cli, define, marker
):
    define("jobs: {a: {run: seq 100000}, b: {run: seq 100000}}")
    with penstock_cli.start("run", "-j2") as process:
        wait_until(lambda: _is_full(process.stdout))
        os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: process.poll() is not None)
    assert process.returncode == -signal.SIGTERM
    assert alive(marker) == []


def _is_full(pipe: IO[bytes]) -> bool:
    """Whether a pipe holds all but what the next write would need."""
    waiting = array("i", [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, waiting)
    return waiting[0] >= 65536 - 4096


def test_the_run_ends_when_nobody_reads_its_output(penstock_cli, define, cage):
    define("jobs: {a: {run: sleep 300}, b: {run: echo text}}")
    line = f"{penstock_cli.program} run -j2 | true; echo ${{PIPESTATUS[0]}}"
    assert cage("bash", "-c", line).out == b"141\n"


def test_an_output_named_dev_stdout_is_standard_output(penstock_cli, define, cage):
    define("jobs: {a: {run: echo a}, b: {run: echo b, stdout: /dev/stdout, needs: a}}")
    done = cage("sh", "-c", f"{penstock_cli.program} run -q >out; cat out")
    assert done.out == b"a\nb\n"


def test_too_few_descriptors_mean_fewer_jobs(penstock_cli, define, cage):
    jobs = "".join(f"  j{i}: {{run: echo {i}}}\n" for i in range(40))
    define(f"jobs:\n{jobs}")
    done = cage("sh", "-c", f"ulimit -n 48; {penstock_cli.program} run -j40")
    assert done.status == 0
    assert len(done.out.split()) == 40
    assert b"8 jobs at once instead of 40" in done.err


def test_a_full_disk_costs_the_log_only(penstock_cli, define, tmp_path):
    define("jobs: {a: {run: 'echo careful >&2; echo text'}}")
    runs = tmp_path / ".penstock" / "runs"
    runs.mkdir(parents=True)
    limit = f"ulimit -f 0; exec {penstock_cli.program} run"  # no file may grow
    done = penstock_cli("exec", "--", "sh", "-c", limit)
    assert (done.status, done.out) == (0, b"text\n")
    assert b"incomplete" in done.err


def test_a_full_disk_has_a_name_where_nothing_can_be_kept(penstock_cli, define):
    define("jobs: {a: {run: echo text}}")
    limit = f"ulimit -f 0; exec {penstock_cli.program} run"
    done = penstock_cli("exec", "--", "sh", "-c", limit)
    assert (done.status, done.out) == (0, b"text\n")
    assert re.search(rb"no logs are kept: .*: \.penstock/runs\n", done.err)


# --- the definitions that come with penstock ------------------------------------------


def test_identifiers_are_those_that_bash_finds(penstock_cli):
    definition = ROOT / "pipelines" / "identifiers.yaml"
    done = penstock_cli("run", definition, "--set", "top=7")
    script = r"""
    python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))' | {
        read -r top
        left_out='(site-packages|dist-packages|test|tests|idle_test)'
        find "$top" -name '*.py' -print0 |
            grep -zvE "^$top/(.*/)?$left_out/" |
            xargs -0 cat | grep -aoE '[A-Za-z_][A-Za-z0-9_]*' |
            sort | uniq -c | sort -k 1,1nr -k 2,2 | head -n 7
    }"""
    bash = subprocess.run(
        ["bash", "-c", script],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.status == 0
    assert len(done.out.splitlines()) == 7
    assert done.out == bash.stdout


def test_the_access_log_is_analysed(penstock_cli, tmp_path):
    log = access_log()
    definition = ROOT / "pipelines" / "access-log.yaml"
    done = penstock_cli("run", definition, "--set", f"log={log}", "--set", "top=3")
    assert done.status == 0
    statuses = (tmp_path / "build/access-log/statuses.txt").read_text().split()
    assert sum(map(int, statuses[::2])) == 10_000
    assert b"482 66.249.73.135" in done.out


def test_the_largest_packages_are_listed(penstock_cli):
    done = penstock_cli("run", ROOT / "pipelines" / "packages.yaml", "--set", "top=4")
    sizes = [int(line.split()[0]) for line in done.out.splitlines()]
    assert done.status == 0
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 4


def test_it_is_a_module_too(tmp_path):
    line = [sys.executable, "-m", "penstock", "--version"]
    done = subprocess.run(
        line, capture_output=True, check=True, text=True, cwd=tmp_path
    )
    assert done.stdout.startswith("penstock 0.")


def test_under_make_a_failure_begins_with_the_place_for_editors(penstock_cli, tmp_path):
    (tmp_path / "penstock.yaml").write_text(
        "jobs:\n"
        "  fails: {run: exit 3}\n"
        "  pipe:\n"
        "    pipe:\n"
        "      - seq 3\n"
        "      - cat >&2; exit 4\n"
    )
    done = penstock_cli("run", "-k", env={"MAKELEVEL": "1"})
    blocks = [line for line in done.err.decode().split("\n") if "FAIL" in line]
    assert sorted(blocks) == [
        "penstock.yaml:2: FAIL  fails: exited with 3",
        "penstock.yaml:6: FAIL  pipe: stage 2 of 2 (2-cat) exited with 4",
    ]
    assert b"penstock.yaml:2: FAIL" not in penstock_cli("run", "-k").err


@pytest.mark.slow
def test_the_slow_stage_of_a_chain_is_told_and_in_the_journal(penstock_cli, tmp_path):
    (tmp_path / "penstock.yaml").write_text(
        "jobs:\n"
        "  chain:\n"
        "    pipe:\n"
        "      - head -c 3000000 /dev/zero\n"
        "      - dd bs=2000000 iflag=fullblock; sleep 2\n"
        "      - {run: wc -c, stdout: out}\n"
    )
    done = penstock_cli("run", "-v")
    assert done.status == 0
    assert b"2-dd -> 3-wc  writer waited 0s  reader waited " in done.err
    assert b"the others waited for 2-dd" in done.err
    (journal,) = (tmp_path / ".penstock").glob("runs/*/journal.jsonl")
    events = map(json.loads, journal.read_text().splitlines())
    (ended,) = (event for event in events if event["event"] == "JobEnded")
    assert ended["bottleneck"] == 1
    names = [edge["name"] for edge in ended["edges"]]
    assert names == ["1-head -> 2-dd", "2-dd -> 3-wc"]
