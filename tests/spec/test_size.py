from __future__ import annotations

import pytest

from penstock.spec.size import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("1B", 1),
        ("64KiB", 65_536),
        ("64KB", 64_000),
        ("1.5MB", 1_500_000),
        ("2GiB", 2 << 30),
        (".5TiB", 1 << 39),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("64", "`64` has no unit: write `64MiB`, or `64B` for bytes"),
        ("64K", "no unit `K`: write `KiB` for powers of 1024, `KB` for powers of 1000"),
        ("64mib", "no unit `mib`, but `MiB`"),
        ("5 MiB", "no unit ` MiB`; the units are"),
        ("", "`` is not a size: write a size such as"),
        ("-1MiB", "`-1MiB` is not a size"),
        ("1.2.3MiB", "is not a size"),
        (".MiB", "is not a size"),
        ("٣MiB", "is not a size"),
        ("9" * 70 + "B", "is not a size"),
        ("9999999999TiB", "is larger than any memory"),
    ],
)
def test_what_is_no_size_is_explained(text, words):
    with pytest.raises(ValueError, match=r"`") as error:
        parse_size(text)
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["0B", "1023B", "64KiB", "1.4MiB", "2GiB", "3TiB"])
def test_a_size_is_written_as_it_is_read(text):
    assert format_size(parse_size(text)) == text
