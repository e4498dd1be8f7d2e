"""``penstock run --output``: what is seen of what jobs print, and when."""

from __future__ import annotations

import os
import re
import select
import signal
from typing import IO

import pytest

from tests.commands import PATIENCE, wait_until

THREE = """
jobs:
  a: {run: 'echo a1; until test -e go; do sleep 0.01; done; printf a2'}
  b: {run: 'echo b1; printf b2; touch b-done'}
  c: {run: 'echo c1; touch c-done; false'}
"""
FLOOD = """
jobs:
  calm: {run: "sleep 1; echo calm; sleep 0.3"}
  flood: {run: "head -c 50M /dev/zero; sleep 60"}
"""


@pytest.fixture
def define(tmp_path):
    def write(text: str) -> None:
        (tmp_path / "penstock.yaml").write_text(text)

    return write


def read_some(stream: IO[bytes] | None) -> bytes:
    """What there is to read, once there is something."""
    assert stream is not None
    assert select.select([stream], [], [], PATIENCE)[0], "nothing came"
    return os.read(stream.fileno(), 1 << 16)


def run_three(penstock_cli, tmp_path, *options):
    """Its output, where `a` ends after the others."""
    with penstock_cli.start("run", "-k", "-j3", *options) as process:
        wait_until((tmp_path / "b-done").exists)
        wait_until((tmp_path / "c-done").exists)
        (tmp_path / "go").touch()
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert b"FAIL  c: exited with 1" in err
    return out


def test_a_group_is_printed_when_its_job_is_over(penstock_cli, define, tmp_path):
    define(THREE)
    out = run_three(penstock_cli, tmp_path, "--output", "group")
    assert sorted(re.findall(rb"a1\na2|b1\nb2|c1\n", out)) == [
        *(b"a1\na2", b"b1\nb2", b"c1\n")
    ]


def test_a_group_can_be_wanted_of_a_single_job(penstock_cli, define, tmp_path):
    define("jobs: {a: {run: 'printf a; until test -e go; do sleep 0.01; done'}}")
    with penstock_cli.start("run", "--output", "group") as process:
        assert process.stdout is not None
        assert not select.select([process.stdout], [], [], 0.2)[0]
        (tmp_path / "go").touch()
        out, _ = process.communicate(timeout=PATIENCE)
    assert out == b"a"


def test_a_command_may_open_its_stdout_again(penstock_cli, define):
    define("""
jobs:
  a:
    run: |
      echo emptied; echo 1 > /dev/stdout; echo 2
      echo 3 | dd oflag=append conv=notrunc status=none
""")
    done = penstock_cli("run", "--output", "group")
    assert (done.out, done.status) == (b"1\n2\n3\n", 0)


def test_tagged_lines_are_whole(penstock_cli, define, tmp_path):
    define(THREE)
    out = run_three(penstock_cli, tmp_path, "--output", "group", "--tag")
    assert sorted(out.splitlines()) == [
        *(b"a | a1", b"a | a2", b"b | b1", b"b | b2", b"c | c1")
    ]
    assert out.endswith(b"\n")


def test_lines_are_printed_as_they_come(penstock_cli, define, tmp_path):
    define("""
jobs:
  a: {run: 'echo a1; until test -e go; do sleep 0.01; done; printf a2; echo "+"'}
  b: {run: 'printf b1; until test -e go; do sleep 0.01; done; printf b2'}
""")
    with penstock_cli.start("run", "-j2", "--output", "line") as process:
        assert read_some(process.stdout) == b"a1\n"  # and not b1, which is no line yet
        (tmp_path / "go").touch()
        out, _ = process.communicate(timeout=PATIENCE)
    assert sorted(out.splitlines()) == [b"a2+", b"b1b2"]
    assert out.endswith(b"\n")


def test_tags_without_a_mode_are_for_lines(penstock_cli, define):
    define("jobs: {a: {run: echo 1; echo; printf 2}}")
    assert penstock_cli("run", "--tag").out == b"a | 1\na | \na | 2\n"


def test_a_line_without_end_is_printed_in_pieces(penstock_cli, define):
    define("jobs: {a: {run: head -c 5000000 /dev/zero}}")
    assert penstock_cli("run", "--output", "line").out == bytes(5_000_000) + b"\n"


def test_the_oldest_job_is_live_and_the_others_wait(penstock_cli, define, tmp_path):
    define(THREE)
    with penstock_cli.start("run", "-k", "-j3", "--output", "live") as process:
        wait_until((tmp_path / "b-done").exists)
        wait_until((tmp_path / "c-done").exists)
        assert read_some(process.stdout) == b"a1\n"
        (tmp_path / "go").touch()
        out, err = process.communicate(timeout=PATIENCE)
    assert out == b"a2b1\nb2c1\n"
    assert b"FAIL  c: exited with 1" in err


def test_a_service_has_its_turn_after_all_others(penstock_cli, define):
    define("""
jobs:
  server:
    run: 'echo serving; echo > ready; sleep 60'
    service: {ready: test -e ready}
  test: {needs: server, run: echo tested}
""")
    done = penstock_cli("run", "-j2", "--output", "live", "--tag")
    assert (done.status, done.out) == (0, b"server | serving\ntest | tested\n")


def test_quiet_shows_what_failed_jobs_have_printed(penstock_cli, define, tmp_path):
    define(THREE)
    assert run_three(penstock_cli, tmp_path, "--output", "quiet") == b"c1\n"


@pytest.mark.parametrize("mode", ["group", "line", "live", "quiet"])
def test_bytes_are_bytes(penstock_cli, define, tmp_path, mode):
    data = os.urandom(300_000).replace(b"\n", b"") + b"\0\xff\n"
    (tmp_path / "data").write_bytes(data)
    define("jobs: {a: {run: cat data; false}}")
    assert penstock_cli("run", "--output", mode).out == data


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["group", "live", "quiet"])
def test_too_much_that_waits_ends_the_job(penstock_cli, define, mode):
    define(FLOOD)
    line = ("run", "-k", "-j2", "--output", mode, "--spool-limit", "10MiB")
    status, out, err = penstock_cli(*line)
    assert status == 1
    assert b"FAIL  flood: cancelled: printed too much to be kept, killed by" in err
    assert b"at most 10 MiB may wait to be printed; see --spool-limit" in err
    assert b"1 ok, 1 failed" in err
    assert (b"calm" in out) == (mode != "quiet")
    assert out.count(b"\0") > 10 << 20  # what it had printed by then is not lost


def test_the_oldest_job_may_print_any_amount(penstock_cli, define):
    define("jobs: {a: {run: head -c 30M /dev/zero}, b: {run: echo b}}")
    line = ("run", "-j2", "--output", "live", "--spool-limit", "1MiB")
    done = penstock_cli(*line)
    assert (done.status, len(done.out)) == (0, (30 << 20) + 2)


def test_what_waits_goes_to_disk_and_comes_back_in_order(penstock_cli, define):
    jobs = "".join(f"  j{n}: {{run: seq {n}000 {n}999}}\n" for n in range(1, 60))
    define("jobs:\n  first: {run: sleep 0.4}\n" + jobs)
    done = penstock_cli("run", "-j2", "--output", "live")
    assert done.out.split() == [b"%d" % n for n in range(1000, 60000)]


def test_what_outlives_its_job_keeps_its_output(penstock_cli, define, tmp_path):
    define("""
jobs:
  a: {run: '(read go < go; echo late && touch alive) & echo a', leftovers: allow}
""")
    os.mkfifo(tmp_path / "go")
    done = penstock_cli("run", "--linger", "10ms", "--output", "line")
    assert done.out == b"a\n"
    (tmp_path / "go").write_text("go\n")
    wait_until((tmp_path / "alive").exists)


@pytest.mark.parametrize("mode", ["group", "line", "live", "quiet"])
def test_nobody_reads_any_more(penstock_cli, define, mode):
    define("""
jobs:
  a: {run: 'yes | head -c 1M; exit 3'}
  b: {run: sleep 60}
""")
    with penstock_cli.start("run", "-j2", "--output", mode) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(PATIENCE) == -signal.SIGPIPE


@pytest.mark.parametrize("mode", ["group", "line", "live", "quiet"])
def test_a_full_disk_is_told(penstock_cli, define, mode):
    define("jobs: {a: {run: echo a; false}, b: {run: sleep 60}}")
    text = f"exec {penstock_cli.program} run -j2 --output {mode} > /dev/full"
    done = penstock_cli("exec", "--quiet", "--", "sh", "-c", text)
    assert done.status == 125
    assert b"cannot write to standard output: No space left on device" in done.err


def test_an_interrupt_gets_past_a_reader_who_does_not_read(penstock_cli, define):
    define("jobs: {a: {run: 'yes'}, b: {run: sleep 60}}")
    with penstock_cli.start("run", "-j2", "--output", "live") as process:
        read_some(process.stdout)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == -signal.SIGINT


def test_a_mode_that_is_none_is_refused(penstock_cli):
    done = penstock_cli("run", "--output", "LIVE")
    assert done.status == 2
    assert b"is not one of group, line, live, quiet" in done.err
