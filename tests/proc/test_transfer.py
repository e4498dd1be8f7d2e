"""What goes to a descriptor: all that was asked for, and no more."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

import pytest

from penstock.clock import MonotonicClock
from penstock.proc.signals import SignalFlags
from penstock.proc.transfer import Outlet

DATA = bytes(range(256)) * 64


@pytest.mark.parametrize("more", [0, os.O_APPEND])
@pytest.mark.parametrize(("start", "end"), [(0, 5000), (4000, 4001), (1, 16383)])
def test_a_part_of_a_file_is_that_part(tmp_path, flags, more, start, end):
    source = os.memfd_create("source")
    target = os.open(tmp_path / "target", os.O_WRONLY | os.O_CREAT | more, 0o600)
    try:
        os.write(source, DATA)
        assert Outlet(target, flags).move(source, start, end)
    finally:
        os.close(source)
        os.close(target)
    assert (tmp_path / "target").read_bytes() == DATA[start:end]


# --- told to stop --------------------------------------------------------------------


@pytest.fixture
def told(flags: SignalFlags) -> SignalFlags:
    """Signals, one of which has asked to stop and is not taken yet."""
    os.kill(os.getpid(), signal.SIGTERM)
    assert flags.ask_to_stop()
    return flags


def test_a_file_gets_all_though_it_is_to_stop(tmp_path, told):
    with open(tmp_path / "target", "wb") as target:
        assert Outlet(target.fileno(), told).write(DATA)
    assert (tmp_path / "target").read_bytes() == DATA


def test_a_reader_who_reads_gets_all_though_it_is_to_stop(told):
    reader, writer = os.pipe()
    with subprocess.Popen(["wc", "-c"], stdin=reader, stdout=subprocess.PIPE) as wc:
        os.close(reader)
        outlet = Outlet(writer, told)
        assert outlet.write(DATA * 10)
        os.close(writer)
        assert wc.stdout is not None
        assert int(wc.stdout.read()) == len(DATA) * 10


@pytest.mark.slow
def test_who_does_not_read_is_waited_for_once(told):
    reader, writer = os.pipe()
    outlet, clock = Outlet(writer, told), MonotonicClock()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, DATA)
    times = [clock.now()]
    for _ in range(2):
        assert not outlet.write(DATA)
        times.append(clock.now())
    assert times[2] - times[1] < times[1] - times[0]
    os.close(reader)
    os.close(writer)


def test_who_is_told_twice_gives_up_at_once(tmp_path, told):
    os.kill(os.getpid(), signal.SIGINT)
    with open(tmp_path / "target", "wb") as target:
        assert not Outlet(target.fileno(), told).write(DATA)
