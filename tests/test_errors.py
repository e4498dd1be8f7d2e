from __future__ import annotations

import errno
import io

import pytest

from penstock.errors import reason_of


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "a"), "No such file: a"),
        (OSError(errno.ENOSPC, "No space left"), "No space left: here"),
        (OSError("only words"), "only words: here"),
        (io.UnsupportedOperation(), "an error without a name: here"),
    ],
)
def test_a_reason_names_the_file(error: OSError, told: str):
    assert reason_of(error, "here") == told


def test_a_reason_without_a_file_has_none():
    assert reason_of(OSError(errno.EIO, "broken")) == "broken"
