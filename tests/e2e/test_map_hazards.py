"""What GNU parallel's authors found wrong in other tools: parallel_alternatives(7)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.commands import alive, children, memory_of, wait_until


def numbers(n: int) -> bytes:
    return b"".join(b"%d\n" % i for i in range(1, n + 1))


def shell(line: str, program: Path) -> subprocess.CompletedProcess[bytes]:
    """A line of bash, in which `map` is ours."""
    text = f'set -o pipefail; map() {{ {program} map "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", text], capture_output=True, timeout=200, check=False
    )


def test_outputs_of_two_jobs_do_not_mix(penstock_cli):
    text = "for i in 1 2 3; do head -c 9000 /dev/zero | tr '\\0' {}; echo; done"
    done = penstock_cli("map", "-j4", text, ":::", "a", "b", "c", "d")
    lines = done.out.split()
    assert [lines[at] for at in range(0, 12, 3)] == [
        lines[at + 2] for at in range(0, 12, 3)
    ]
    assert {len(line) for line in lines} == {9000}


def test_stderr_of_two_jobs_does_not_mix(penstock_cli):
    text = "echo {} >&2; sleep 0.05; echo {} >&2"
    done = penstock_cli("map", "-j4", text, stdin=numbers(8))
    lines = done.err.split()
    assert lines[::2] == lines[1::2]


def test_order_is_kept_on_both_streams(penstock_cli):
    text = "sleep 0.0$((9 - {})); echo {}; echo {} >&2"
    done = penstock_cli("map", "-j8", "-k", text, stdin=numbers(8))
    assert done == (0, numbers(8), numbers(8))


def test_a_full_disk_is_told(penstock_cli):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [penstock_cli.program, "map", "echo", ":::", "a"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 125
    assert done.stderr == (
        b"penstock: cannot write to standard output: No space left on device\n"
    )


def test_a_full_temporary_directory_is_told(penstock_cli, tmp_path):
    map_ = f"TMPDIR={tmp_path} {penstock_cli.program} map 'head -c 9M /dev/zero; true'"
    text = f"mount -t tmpfs -o size=1m none {tmp_path} && {map_} ::: 1"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", text], capture_output=True, check=False
    )
    if b"mount" in done.stderr or b"unshare" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.returncode == 125
    assert b"may be incomplete: the disk is full" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_temporary_file_is_left(penstock_cli, marker, tmp_path, number):
    text = "head -c 100000 /dev/zero; touch ready; sleep 1000 #"
    (tmp_path / "tmp").mkdir()
    env = {"TMPDIR": str(tmp_path / "tmp")}
    with penstock_cli.start("map", text, ":::", "1", env=env) as process:
        wait_until((tmp_path / "ready").exists)
        process.send_signal(number)
        process.communicate(timeout=20)
    wait_until(lambda: alive(marker) == [])
    assert os.listdir(tmp_path / "tmp") == []
    ours = f"penstock-{process.pid}-"
    assert [name for name in os.listdir("/tmp") if name.startswith(ours)] == []


@pytest.mark.parametrize(
    "value",
    ["'", '"', "a\nb", "a  b", "\t", "\\", "$(id)", ";", "~", "#", "é", "-e", ""],
)
def test_special_characters_are_passed_on(penstock_cli, value):
    for text in ("printf %s {}", "printf %s {} | cat", 'printf %s "{}"'):
        done = penstock_cli("map", text, ":::", value)
        assert done == (0, os.fsencode(value), b"")


def test_a_newline_in_a_value_read_with_nul(penstock_cli):
    done = penstock_cli("map", "-0", "-k", "printf '<%s>'", stdin=b"a\nb\0c\0")
    assert done.out == b"<a\nb><c>"


@pytest.mark.long
@pytest.mark.timeout(240)
def test_four_gigabytes_of_output_from_one_job(penstock_cli):
    line = "map 'head -c {} /dev/zero' ::: 4295000000 | wc -c"
    done = shell(line, penstock_cli.program)
    assert (done.returncode, done.stdout.strip()) == (0, b"4295000000")


def test_a_value_may_begin_with_a_dash(penstock_cli):
    done = penstock_cli("map", "-k", "printf '%s\\n'", stdin=b"-n\n--help\n-\n--\n")
    assert done == (0, b"-n\n--help\n-\n--\n", b"")


def test_empty_input_runs_nothing(penstock_cli):
    for args in (["echo"], ["-X", "echo"], ["-0", "echo"], ["-n2", "echo"]):
        assert penstock_cli("map", *args) == (0, b"", b"")


def test_a_very_long_line_is_one_value(penstock_cli):
    value = b"x" * 120_000
    done = penstock_cli("map", "printf %s {} | wc -c", stdin=value + b"\nabc\n")
    assert sorted(done.out.split(), key=int) == [b"3", b"120000"]


def test_a_value_too_long_for_the_kernel_fails_its_job_only(penstock_cli):
    done = penstock_cli("map", "-k", "echo", stdin=b"x" * 200_000 + b"\nabc\n")
    assert (done.status, done.out) == (1, b"abc\n")
    assert b"Argument list too long" in done.err


def test_values_never_exceed_what_a_command_takes(penstock_cli):
    chance = random.Random(6)
    values = ["'" * chance.randrange(2000) for _ in range(2000)]
    text = "\n".join(values).encode()
    assert penstock_cli("map", "-X", "true", stdin=text) == (0, b"", b"")
    done = penstock_cli("map", "-X", "printf '%s\\n'", stdin=text)
    assert done.status == 0
    assert sorted(done.out.split(b"\n")[:-1]) == sorted(text.split(b"\n"))


def test_a_missing_final_newline_loses_nothing(penstock_cli):
    for data in (b"a\nb", b"a\nb\n"):
        assert penstock_cli("map", "-k", "echo", stdin=data).out == b"a\nb\n"
    done = penstock_cli("map", "-k", "printf", ":::", "a", "b")
    assert done.out == b"ab"


def test_every_job_has_one_record_though_workers_are_killed(penstock_cli, tmp_path):
    line = ("map", "-j4", "--joblog", "log", "sleep 0.01; echo {}")
    with penstock_cli.start(*line) as process:
        process.stdin.write(numbers(500))
        process.stdin.close()
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
            for pid in workers_of(process.pid)[:1]:
                with suppress(ProcessLookupError):  # gone since it was found
                    os.kill(pid, signal.SIGKILL)
        out = process.stdout.read()
    records = [
        each.split(b"\t") for each in (tmp_path / "log").read_bytes().splitlines()
    ]
    assert sorted(int(record[0]) for record in records[1:]) == list(range(1, 501))
    succeeded = [record[0] for record in records[1:] if record[6:8] == [b"0", b"0"]]
    assert sorted(out.split()) == sorted(succeeded)


def workers_of(pid: int) -> list[int]:
    """The workers of a running penstock, by their names."""
    return [each.pid for each in children(pid) if each.command == "ps-worker"]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_million_lines_take_no_more_memory_than_a_thousand(penstock_cli, tmp_path):
    (tmp_path / "in").write_bytes(numbers(1_000_000))
    thousand = memory_after(penstock_cli, tmp_path / "log", given=numbers(1_000))
    million = memory_after(penstock_cli, tmp_path / "log", "-a", "in")
    assert 0 < million < thousand + (8 << 20)


def memory_after(penstock_cli, log: Path, *source: str, given: bytes = b"") -> int:
    """The bytes that all processes of a run hold after a thousand jobs."""
    line = ("map", *source, "--joblog", log, "-j2", "true")
    with penstock_cli.start(*line) as process:
        process.stdin.write(given)
        process.stdin.flush()  # and left open: it waits for more
        wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") > 1_000)
        pids = [process.pid, *workers_of(process.pid)]
        # Not the pages of files: what others do with them changes our part.
        held = sum(memory_of(pid, "Pss_Anon") for pid in pids)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    log.unlink()
    assert len(pids) >= 3, pids  # a worker about to run its command has two
    return held
