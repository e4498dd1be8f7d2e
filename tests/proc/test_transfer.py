"""What goes to a descriptor: all that was asked for, and no more."""

from __future__ import annotations

import os

import pytest

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
