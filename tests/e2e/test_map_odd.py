"""``penstock map`` with input, values and logs that nobody would give it on purpose."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.commands import PATIENCE, alive, children, wait_until


def redirected(penstock_cli, line: str) -> subprocess.CompletedProcess[bytes]:
    """A line of sh in which `map` is ours."""
    text = f'map() {{ {penstock_cli.program} map "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", text],
        capture_output=True,
        cwd=penstock_cli.cwd,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("line", [("-a", ".", "echo"), ("echo", "::::", ".")])
def test_a_directory_is_no_file_with_values(penstock_cli, line):
    done = penstock_cli("map", *line)
    said = b"penstock: cannot read values from .: it is a directory\n"
    assert done == (2, b"", said)


@pytest.mark.parametrize("options", ["", "--pipe", "--stdin", "--csv", "--dry-run"])
def test_input_that_cannot_be_read_is_named(penstock_cli, options):
    done = redirected(penstock_cli, f"map {options} cat <&-")
    said = b"penstock: cannot read standard input: Bad file descriptor\n"
    assert (done.returncode, done.stdout, done.stderr) == (125, b"", said)


@pytest.mark.parametrize(
    "line",
    [
        *["echo :::: - -", "--link echo :::: - -", "-a - -a - echo"],
        *["-a - echo ::: a :::: -", "echo :::: - ::::+ -", "echo :::: - - < in"],
        *["echo :::: - /dev/stdin", "echo :::: /dev/fd/0 -", "--pipe -a - -a - cat"],
        "-a /dev/stdin echo :::: /proc/self/fd/0",
        "echo :::: fifo fifo",
    ],
)
def test_what_can_be_read_only_once_is_no_two_sources(penstock_cli, line):
    prepare = "seq 4 > in; mkfifo fifo; exec 3<> fifo;"
    done = redirected(penstock_cli, f"{prepare} seq 4 | map {line}")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b" are one input, which can be read only once\nhint: for two " in done.stderr


def test_a_file_that_is_named_twice_is_read_twice(penstock_cli):
    for line in ("in in", "- in", "/dev/stdin /dev/stdin"):
        done = redirected(
            penstock_cli, f"seq 2 > in; map -k --link echo :::: {line} < in"
        )
        assert (done.returncode, done.stdout) == (0, b"1 1\n2 2\n")


def test_output_that_cannot_be_written_is_told(penstock_cli):
    done = redirected(penstock_cli, "map echo ::: a >&-")
    said = b"penstock: cannot write to standard output: Bad file descriptor\n"
    assert (done.returncode, done.stderr) == (125, said)


def test_without_stderr_all_the_rest_is_done(penstock_cli):
    done = redirected(
        penstock_cli, "map -k 'echo {}; echo e >&2; exit {}' ::: 0 3 2>&-"
    )
    assert (done.returncode, done.stdout) == (1, b"0\n3\n")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("echo", "::::"), b"`::::` stands before the names of files; there is none"),
        (("echo", ":::", "a", "::::+"), b"`::::` stands before the names of files"),
        (("seq 3", " ", ":::", "a"), b"a command of the pipeline is a blank text"),
    ],
)
def test_what_is_missing_is_told(penstock_cli, line, why):
    done = penstock_cli("map", *line)
    assert (done.status, done.out) == (2, b"")
    assert why in done.err


def test_a_nul_in_a_value_fails_that_job_only(penstock_cli):
    done = penstock_cli("map", "-k", "echo", stdin=b"a\0b\nc\n")
    assert (done.status, done.out) == (1, b"c\n")
    assert b"job 1: not started" in done.err


def test_a_value_too_long_for_a_command_is_shown_in_part(penstock_cli):
    done = penstock_cli("map", "echo", stdin=b"a" * 300_000)
    assert (done.status, done.out) == (1, b"")
    assert b"let it read what is so long, as with `penstock map --stdin`" in done.err
    assert b"aaa... (300005 characters)\n" in done.err
    assert len(done.err) < 10_000


# --- the job log --------------------------------------------------------------------


def record(number: bytes, value: bytes = b"0") -> bytes:
    return b"\t".join([number, b":", b"1.0", b"0.1", b"0", b"0", value, b"0", b"x"])


def test_a_log_that_cannot_be_written_costs_no_job(penstock_cli):
    done = penstock_cli("map", "-k", "--joblog", "/dev/full", "echo", ":::", "a", "b")
    said = b"penstock: the job log /dev/full is incomplete: No space left on device\n"
    assert done == (125, b"a\nb\n", said)


@pytest.mark.parametrize("order", ["-k", "-q"])
def test_what_could_not_be_printed_has_no_line(penstock_cli, tmp_path, order):
    line = f"map {order} -j2 --joblog log 'echo {{}}' ::: a b > /dev/full"
    assert redirected(penstock_cli, line).returncode == 125
    assert len((tmp_path / "log").read_bytes().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("order", ["-k", "--lb", "-q"])
def test_what_has_a_line_was_printed_though_it_was_told_to_stop(
    penstock_cli, tmp_path, order
):
    values = map(str, range(300))
    line = ("map", order, "-j4", "--joblog", "log", "sleep 0.01; echo {}")
    shell = 'exec "$0" "$@" > out'
    words = ("sh", "-c", shell, penstock_cli.program, *line, ":::", *values)
    with subprocess.Popen(words, cwd=tmp_path, start_new_session=True) as process:
        out = tmp_path / "out"
        wait_until(lambda: out.exists() and out.stat().st_size > 100)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    logged = (tmp_path / "log").read_bytes().splitlines()[1:]
    printed = out.read_bytes().split()
    assert {each.split()[-1] for each in logged} <= set(printed)


def test_the_log_is_in_the_order_of_what_is_printed(penstock_cli, tmp_path):
    text = "case {} in 1) while [ ! -e go ]; do :; done;; 4) touch go;; esac; echo {}"
    line = ("map", "-k", "-j2", "--joblog", "log", text, ":::", "1", "2", "3", "4")
    assert penstock_cli(*line).out == b"1\n2\n3\n4\n"
    logged = (tmp_path / "log").read_bytes().splitlines()[1:]
    assert [int(each.split(b"\t")[0]) for each in logged] == [1, 2, 3, 4]


def test_who_was_printed_has_not_failed_with_who_could_not_be(penstock_cli, tmp_path):
    text = "case {} in 1) while [ ! -e go ]; do :; done; echo one;; 2) head -c 20000"
    text += " /dev/zero; touch go;; esac"
    line = f"(ulimit -f 8; map -k -j2 --joblog log '{text}' ::: 1 2 > out)"
    assert redirected(penstock_cli, line).returncode == 125
    logged = (tmp_path / "log").read_bytes().splitlines()[1:]
    assert [each.split(b"\t")[6:8] for each in logged] in ([[b"0", b"0"]], [])
    assert (tmp_path / "out").read_bytes().startswith(b"one\n")


def test_a_log_whose_reader_is_gone_costs_no_job(penstock_cli, tmp_path):
    os.mkfifo(tmp_path / "log")
    text = "while kill -0 '$!' 2> /dev/null; do :; done; echo {}"
    line = f"map -j1 --joblog log '{text}' ::: a b"
    whole = f"head -n1 log > /dev/null & {line}; status=$?; rm log; exit $status"
    done = redirected(penstock_cli, whole)
    said = b"penstock: the job log log is incomplete: Broken pipe\n"
    assert (done.returncode, done.stdout, done.stderr) == (125, b"a\nb\n", said)


def test_ctrl_c_ends_the_wait_for_who_reads_the_log(penstock_cli, tmp_path):
    os.mkfifo(tmp_path / "log")
    with penstock_cli.start("map", "--joblog", "log", "echo", ":::", "a") as process:
        wait_until(lambda: children(process.pid))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == -signal.SIGINT
        wait_until(lambda: not alive(penstock_cli.marker))
    (tmp_path / "log").unlink()


def test_a_log_whose_last_line_is_torn_is_gone_on_with(penstock_cli, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(record(b"1") + b"\n2\t:\t1.0")
    line = ("map", "-k", "--joblog", "log", "--resume", "echo", ":::", "a", "b", "c")
    assert penstock_cli(*line) == (0, b"b\nc\n", b"")
    assert penstock_cli(*line) == (0, b"", b"")


@pytest.mark.parametrize("number", [b"9" * 15, b"9" * 9, b"9" * 6000, b"-1", b"\xff"])
def test_a_log_with_odd_numbers_is_read_all_the_same(penstock_cli, tmp_path, number):
    log = tmp_path / "log"
    log.write_bytes(record(number) + b"\n" + record(b"1") + b"\n" + record(b"2", b"1"))
    line = ("map", "--joblog", "log", "--resume-failed", "echo", ":::", "a", "b")
    assert penstock_cli(*line) == (0, b"b\n", b"")


def test_a_command_may_set_flags_of_what_it_prints_to(penstock_cli):
    flags = "test {} != 2 || set oflag=nonblock"
    text = f"{flags}; printf %s {{}} | dd status=none $1; echo"
    done = penstock_cli("map", "-j1", text, ":::", "1", "2", "3")
    assert done == (0, b"1\n2\n3\n", b"")
