"""``penstock map``, as a user meets it."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.commands import alive, wait_until


def numbers(n: int) -> bytes:
    return b"".join(b"%d\n" % i for i in range(1, n + 1))


def test_each_line_is_a_job_and_its_output_is_whole(penstock_cli):
    done = penstock_cli("map", "-j2", "echo {}; echo again", stdin=numbers(50))
    assert done.status == 0
    lines = done.out.split()
    assert sorted(lines[::2], key=int) == numbers(50).split()
    assert set(lines[1::2]) == {b"again"}


def test_the_order_of_the_input_is_kept_if_that_is_asked_for(penstock_cli):
    text = "sleep 0.0$((10 - {} % 10)); echo {}"
    done = penstock_cli("map", "-j4", "-k", text, stdin=numbers(20))
    assert done == (0, numbers(20), b"")


@pytest.mark.parametrize(
    ("line", "out"),
    [
        (["echo", "{1}-{2}", ":::", "a", "b", ":::", "1", "2"], "a-1 a-2 b-1 b-2"),
        (["echo", "{1}{2}", ":::", "a", "b", ":::+", "1", "2"], "a1 b2"),
        (["--link", "echo", "{1}{2}", ":::", "a", "b", "c", ":::", "1"], "a1 b1 c1"),
        (["-n2", "echo", "x{}y", ":::", "a", "b", "c"], "xay xby xcy"),
        (["echo", "{.} {/} {//} {/.}", ":::", "a/b.c"], "a/b b.c a b"),
        (["echo", "{#}", ":::", "a", "b"], "1 2"),
        (["-C,", "echo", "{2}{1}", ":::", "a,b"], "ba"),
        (["-I", "%", "echo", "%{}", ":::", "a"], "a{}"),
        (["--header", ":", "echo", "{x}{y}", ":::", "x", "1", ":::", "y", "2"], "12"),
        ([":::", "echo a", "echo b"], "a b"),
        (["seq {}", "wc -l", ":::", "3", "4"], "3 4"),
        (["-r", "echo", "x{}", ":::", "", "a"], "xa"),
        (["-d", ",", "echo"], ""),
    ],
)
def test_values_are_put_where_they_belong(penstock_cli, line, out):
    done = penstock_cli("map", "-k", *line)
    assert (done.status, b" ".join(done.out.split()).decode()) == (0, out)


def test_a_value_reaches_the_command_as_it_is(penstock_cli):
    values = ["a b", "'", '"', "$HOME", "`id`", "\\", "-n", "*", "a\nb", "é", "\udcff"]
    done = penstock_cli("map", "-k", "printf '<%s>'", ":::", *values)
    assert done.out == b"".join(b"<%s>" % os.fsencode(value) for value in values)


def test_the_last_line_may_lack_its_newline(penstock_cli):
    assert penstock_cli("map", "-k", "echo {}", stdin=b"a\nb").out == b"a\nb\n"


@pytest.mark.parametrize(
    ("line", "stdin", "out"),
    [
        (["-d", r"\n\n", "echo"], b"x\n\ny", b"x\ny\n"),
        (["-d", r"a\n", "echo"], b"1a\n2a\n", b"1\n2\n"),
        (["-d", r"\x2c0a", "echo"], b"1,0a2,0a", b"1\n2\n"),
        (["--pipe", "-N1", "--recend", r"\x41", "cat; echo"], b"1A2A", b"1A\n2A\n"),
        (["--pipe", "-N1", "--recstart", r"\\", "cat; echo"], b"1\\2", b"1\n\\2\n"),
    ],
)
def test_escapes_are_understood_inside_of_a_text(penstock_cli, line, stdin, out):
    assert penstock_cli("map", "-k", *line, stdin=stdin) == (0, out, b"")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["-d", r"\x", "echo"], rb"'-d' / '--delimiter': `\x` is no escape"),
        (["-d", r"a\q", "echo"], rb"'-d' / '--delimiter': `\q` is no escape"),
        (["--pipe", "--recend", r"\012", "cat"], rb"--recend: `\012` is no escape"),
        (["--pipe", "--recstart", r"\e", "cat"], rb"--recstart: `\e` is no escape"),
    ],
)
def test_what_is_no_escape_is_refused(penstock_cli, line, said):
    done = penstock_cli("map", *line, stdin=b"a\n")
    assert (done.status, done.out) == (2, b"")
    assert said in done.err
    assert rb"write one of \n, \t, \r, \0, \xHH of two digits, or \\" in done.err


def test_no_input_is_no_job(penstock_cli):
    assert penstock_cli("map", "echo") == (0, b"", b"")


def test_stdout_and_stderr_keep_apart(penstock_cli):
    done = penstock_cli("map", "-k", "echo {}; echo e{} >&2", ":::", "1", "2")
    assert done == (0, b"1\n2\n", b"e1\ne2\n")


def test_a_failure_makes_the_status_1_and_the_rest_is_run(penstock_cli):
    done = penstock_cli("map", "-k", "exit {}", ":::", "0", "3", "0")
    assert done == (1, b"", b"")


def test_a_command_that_is_not_there_is_told(penstock_cli):
    done = penstock_cli("map", "no_such_program", ":::", "1")
    assert done.status == 1
    assert b"not found" in done.err


def test_jobs_that_all_time_out_make_it_124(penstock_cli):
    done = penstock_cli("map", "-t", "0.1", "sleep 60 #{}", ":::", "1", "2")
    assert done.status == 124
    assert b"timed out" in done.err


def test_a_job_that_fails_is_tried_again(penstock_cli, tmp_path):
    text = "echo try >> log; echo out; test $(wc -l < log) = 3 #{}"
    done = penstock_cli("map", "--retries", "5", text, ":::", "1")
    assert (done.status, done.out) == (0, b"out\n")
    assert (tmp_path / "log").read_text() == "try\n" * 3


def test_halt_now_ends_what_runs(penstock_cli, marker):
    commands = ["false", "sleep 1000", "echo never"]
    done = penstock_cli("map", "-j2", "--halt", "now,fail=1", ":::", *commands)
    assert (done.status, done.out) == (1, b"")
    assert alive(marker) == []


def test_halt_soon_lets_what_runs_end(penstock_cli):
    fails = "until test -e runs; do sleep 0.01; done; false"
    commands = [fails, "touch runs; sleep 0.3; echo ran", "echo never"]
    done = penstock_cli("map", "-j2", "--halt", "soon,fail=1", ":::", *commands)
    assert (done.status, done.out) == (1, b"ran\n")


def test_what_halt_ends_has_not_failed(penstock_cli, marker):
    commands = ["exec sleep 1000", "true"]
    done = penstock_cli("map", "-j2", "--halt", "now,done=1", ":::", *commands)
    assert (done.status, done.err) == (0, b"")
    assert alive(marker) == []


def test_halt_by_success_is_success(penstock_cli):
    commands = ["sleep 1000", "true"]
    done = penstock_cli("map", "-j2", "--halt", "now,success=1", ":::", *commands)
    assert done.status == 0


def test_large_outputs_are_moved_whole(penstock_cli):
    done = penstock_cli("map", "-k", "head -c {} /dev/zero", ":::", "300000", "5")
    assert done == (0, bytes(300005), b"")


def test_each_line_is_tagged(penstock_cli):
    done = penstock_cli("map", "-k", "--tag", "seq 2 #{}", ":::", "a", "b")
    assert done.out == b"a\t1\na\t2\nb\t1\nb\t2\n"


def test_a_dry_run_prints_commands(penstock_cli):
    done = penstock_cli("map", "--dry-run", "echo", ":::", "a b", "c")
    assert done == (0, b"echo 'a b'\necho c\n", b"")


def test_a_reader_that_has_enough_ends_it_without_a_word(penstock_cli, marker):
    with subprocess.Popen(
        ["sh", "-c", f"yes | {penstock_cli.program} map -j2 echo | head -1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as shell:
        assert shell.communicate(timeout=20) == (b"y\n", b"")
    wait_until(lambda: alive(marker) == [])


def test_so_does_one_to_which_commands_print_themselves(penstock_cli, marker):
    with subprocess.Popen(
        ["sh", "-c", f"yes | {penstock_cli.program} map -u -j2 echo | head -1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # "write error", as of any echo
    ) as shell:
        assert shell.communicate(timeout=20)[0] == b"y\n"
    wait_until(lambda: alive(marker) == [])


def test_an_endless_input_ends_by_a_signal_and_leaves_nothing(penstock_cli, marker):
    with penstock_cli.start("map", "-j2", "echo {}") as process:
        process.stdin.write(b"y\n" * 1000)
        process.stdin.flush()
        assert process.stdout.readline() == b"y\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert alive(marker) == []


def test_an_endless_producer_in_front_ends_with_it(penstock_cli, marker):
    line = f"yes | {penstock_cli.program} map -j2 true"
    with subprocess.Popen(
        ["bash", "-c", line], stderr=subprocess.PIPE, start_new_session=True
    ) as shell:
        wait_until(lambda: len(alive(marker)) >= 5)
        os.killpg(shell.pid, signal.SIGINT)
        _, err = shell.communicate(timeout=20)
    assert err == b""
    wait_until(lambda: alive(marker) == [])


def test_a_command_that_names_them_finds_its_numbers(penstock_cli):
    text = "echo {}$PENSTOCK_SEQ$PENSTOCK_SLOT"
    assert penstock_cli("map", "-j1", text, ":::", "a", "b").out == b"a11\nb21\n"


def test_a_slow_producer_delays_no_output(penstock_cli):
    with penstock_cli.start("map", "-j2", "echo {}") as process:
        for line in (b"a\n", b"b\n", b"c\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
        process.stdin.close()
        assert process.wait(20) == 0


def test_nothing_waits_behind_a_long_job(penstock_cli):
    values = [*["0"] * 20, "1000", *["0"] * 20]
    with penstock_cli.start(
        "map", "-j2", "sleep {}; echo done", ":::", *values
    ) as process:
        for _ in range(40):
            assert process.stdout.readline() == b"done\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_sigusr1_makes_one_more_job_at_once_and_sigusr2_one_fewer(
    penstock_cli, tmp_path
):
    """As GNU xargs has it."""
    text = "echo >> ran-{}; while ! test -e go; do sleep 0.02; done"
    with penstock_cli.start("map", "-j1", text, ":::", "1", "2", "3") as run:
        wait_until((tmp_path / "ran-1").exists)
        run.send_signal(signal.SIGUSR1)
        wait_until((tmp_path / "ran-2").exists)
        assert not (tmp_path / "ran-3").exists()
        for number in (signal.SIGUSR2, signal.SIGUSR2):  # never fewer than one
            run.send_signal(number)
        (tmp_path / "go").touch()
        run.communicate(timeout=20)
    assert run.returncode == 0


def test_slots_are_numbered_however_many_jobs_end_at_once(penstock_cli):
    values = [str(number) for number in range(200)]
    done = penstock_cli("map", "-j8", "echo {%}", ":::", *values)
    assert (done.status, done.err) == (0, b"")
    numbers = done.out.split()
    assert len(numbers) == 200
    assert {*numbers} <= {b"%d" % slot for slot in range(1, 9)}


@pytest.mark.slow
def test_slots_are_numbered_while_they_become_more(penstock_cli):
    values = [str(number) for number in range(200)]
    with penstock_cli.start("map", "-j1", "echo {%}", ":::", *values) as run:
        numbers = [run.stdout.readline()]
        while numbers[-1] and len(numbers) < 50:
            run.send_signal(signal.SIGUSR1)
            numbers.append(run.stdout.readline())
        numbers += run.stdout.read().split()
        _, err = run.communicate(timeout=60)
    assert (run.returncode, err, len(numbers)) == (0, b"", 200)
    assert {int(number) for number in numbers} <= {*range(1, 51)}


def test_jobs_wait_for_the_machine_and_an_isolated_worker_runs_them(penstock_cli):
    free = ["--max-load", "9999", "--min-memory", "1KiB"]
    assert penstock_cli("map", "-k", *free, "echo", ":::", "a", "b").out == b"a\nb\n"
    with penstock_cli.start(
        "map", "--min-memory", "999TiB", "echo", ":::", "a"
    ) as waits:
        waits.send_signal(signal.SIGINT)
        out, _ = waits.communicate(timeout=20)
    assert out == b""
    refused = penstock_cli("map", "--isolate", "moat", "echo", ":::", "a")
    assert (refused.status, b"no isolation" in refused.err) == (2, True)


def test_what_cannot_be_read_is_told(penstock_cli):
    for line in (("echo",), ("--pipe", "cat")):
        done = penstock_cli("map", "-a", "/", *line)
        told = b"penstock: cannot read values from /: it is a directory\n"
        assert (done.status, done.err) == (2, told)


@pytest.mark.parametrize("line", [["--pipe", ""], ["echo {}", " "], [" "]])
def test_a_blank_text_is_no_command(penstock_cli, line: list[str]):
    done = penstock_cli("map", *line, stdin=b"a\n")
    assert (done.status, done.out) == (2, b"")


def test_a_job_log_that_is_incomplete_is_told(penstock_cli):
    line = f"ulimit -f 1; exec {penstock_cli.program} map --joblog log echo"
    done = subprocess.run(
        ["sh", "-c", line],
        input=b"a\n" * 50,
        cwd=penstock_cli.cwd,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (125, b"a\n" * 50)
    told = b"penstock: the job log log is incomplete: File too large\n"
    assert done.stderr == told
