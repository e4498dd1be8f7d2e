"""``penstock pipe``, as a user meets it."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.commands import alive
from tests.e2e.conftest import access_log


def test_a_failure_anywhere_is_a_failure(penstock_cli):
    done = penstock_cli("pipe", "false", "true")
    assert done.status == 1
    assert b"stage 1 of 2 (false) exited with 1" in done.err


def test_a_reader_that_has_enough_is_no_failure(penstock_cli):
    done = penstock_cli("pipe", "yes", "head -1")
    assert done == (0, b"y\n", b"")


def test_a_reader_that_fails_is_one_though_the_writer_died_of_sigpipe(penstock_cli):
    assert penstock_cli("pipe", "yes", "sh -c 'head -1; exit 3'").status == 3


def test_a_missing_command_is_127_at_once_and_nothing_is_left(penstock_cli, marker):
    done = penstock_cli("pipe", "yes", "no_such_program", "wc -l")
    assert done.status == 127
    assert done.out == b""
    assert alive(marker) == []


def test_the_access_log_gives_what_bash_gives(penstock_cli):
    log = access_log()
    stages = (
        f"zcat {log}",
        "cut -d' ' -f1",
        "sort",
        "uniq -c",
        "sort -rn",
        "head -5",
    )
    bash = subprocess.run(
        ["bash", "-c", " | ".join(stages)], check=True, stdout=subprocess.PIPE
    )
    done = penstock_cli("pipe", *stages)
    assert (done.status, done.out) == (0, bash.stdout)
    assert len(done.out.splitlines()) == 5


def test_a_deadline_ends_all_stages(penstock_cli, marker):
    done = penstock_cli("pipe", "-t", "0.3", "sleep 300", "cat", "sleep 301")
    assert done.status == 124
    assert alive(marker) == []


def test_bytes_are_bytes(penstock_cli):
    data = os.urandom(3_000_000)
    assert penstock_cli("pipe", "cat", "cat", stdin=data).out == data


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_command_is_a_usage_error(penstock_cli, text):
    assert penstock_cli("pipe", "true", text).status == 2


def test_quoting_is_the_shells(penstock_cli):
    done = penstock_cli("pipe", "printf '%s\\n' \"a b\" c", "grep 'a b'")
    assert done.out == b"a b\n"


def test_it_ends_with_its_reader(penstock_cli, cage):
    line = f"{penstock_cli.program} pipe yes cat | head -1"
    done = cage("bash", "-c", line + "; echo ${PIPESTATUS[0]}")
    assert done.out == b"y\n141\n"


def test_nothing_is_started_if_a_path_is_wrong(penstock_cli, tmp_path):
    done = penstock_cli("pipe", "touch touched", "./missing")
    assert done.status == 127
    assert not (tmp_path / "touched").exists()
