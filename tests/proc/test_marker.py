"""The name of a run: what it tells, and where it is found."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.executor.pool import Pool
from penstock.proc.marker import RunName, run_marker
from penstock.proc.name import VARIABLE, is_own_proc
from tests.commands import look_up, print_ready, ready_pid, sh
from tests.conftest import PenstockCli
from tests.executor.jobs import output_of, stage

NAMES = st.builds(
    RunName,
    st.integers(1, 1 << 22),
    st.integers(0, 1 << 40),
    st.integers(0, 1 << 32),
    st.text("0123456789abcdef", min_size=8, max_size=8),
)


@given(NAMES)
def test_a_name_is_read_as_it_is_written(name: RunName):
    assert RunName.read(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1-2-3", "1-2-3-01234567-", "01-2-3-01234567", "1-2-x-01234567"),
        *("1-2-3-0123", "\u0661-2-3-01234567", "-1-2-3-01234567", "+1-2-3-01234567"),
    ],
)
def test_what_is_no_name_is_not_read(text: str):
    assert RunName.read(text) is None


def test_the_name_of_this_process_is_known_and_alive():
    name = RunName.read(run_marker())
    assert name is not None
    assert name.pid == os.getpid()
    assert is_own_proc()
    assert name.is_known()
    assert name.is_alive()


def test_a_later_process_of_the_same_number_is_not_the_run():
    name = RunName.of(os.getpid())
    assert not name._replace(started=name.started - 1).is_alive()


def test_a_run_of_elsewhere_is_not_known():
    name = RunName.of(os.getpid())
    assert not name._replace(namespace=1).is_known()
    assert not name._replace(started=0).is_known()
    assert not name._replace(boot="00000000").is_known()


def test_a_process_that_waits_to_be_reaped_is_not_alive():
    with subprocess.Popen(print_ready(), stdout=subprocess.PIPE) as process:
        name = RunName.of(ready_pid(process.stdout))
        assert name.is_alive()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not name.is_alive()
    assert not name.is_alive()


def test_commands_of_a_pool_carry_the_name_of_its_owner():
    with Pool.open(1) as pool:
        out = output_of(pool, stage(sh(f"echo ${VARIABLE}")))
    assert out.decode().strip() == run_marker()


def test_commands_of_a_run_in_a_run_carry_the_inner_name(penstock_cli: PenstockCli):
    inner = (penstock_cli.program, "exec", "--", "/bin/sh", "-c", f"echo ${VARIABLE}")
    with penstock_cli.start(
        "exec", "--", "/bin/sh", "-c", f'echo ${VARIABLE}; "$@"', "sh", *inner
    ) as process:
        out, _ = process.communicate(timeout=20)
    outer_name, inner_name = (RunName.read(line) for line in out.decode().split())
    assert outer_name is not None
    assert inner_name is not None
    assert outer_name.pid == process.pid
    assert inner_name.pid not in (0, outer_name.pid)
    assert look_up(outer_name.pid) is None
    assert not inner_name.is_alive()


def test_recipes_of_make_carry_the_name_of_their_shell(penstock_cli: PenstockCli):
    with penstock_cli.start("sh", "-c", f"echo ${VARIABLE}") as process:
        out, _ = process.communicate(timeout=20)
    name = RunName.read(out.decode().strip())
    assert name is not None
    assert name.pid == process.pid
