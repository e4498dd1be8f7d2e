"""``penstock map --csv``."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("line", "data", "out"),
    [
        (
            ["printf '<%s|%s>' {1} {2}"],
            b'"a, b",c\n"x\ny","q""q"\r\n',
            b'<a, b|c><x\ny|q"q>',
        ),
        (["-C;", "echo {2}{1}"], b'a;"b;"\n', b"b;a\n"),
        (["-H:", "echo {b}"], b'"a",b\n1,2\n3,4', b"2\n4\n"),
        (["echo :{1}:{3}"], b"a,,c\n\n", b":a:c\n::\n"),
        (["-H:", "echo {a}"], b"\xef\xbb\xbfa,b\n1,2\n", b"1\n"),
    ],
)
def test_fields_are_columns(penstock_cli, line, data, out):
    assert penstock_cli("map", "-k", "--csv", *line, stdin=data) == (0, out, b"")


@pytest.mark.parametrize("data", [b'a\n"b\nc\n', b'"a"b"",c\n'])
def test_what_is_no_csv_is_named(penstock_cli, data):
    done = penstock_cli("map", "--csv", "echo {1}", stdin=data)
    assert done.status in (2, 125)
    assert b"--csv" in done.err
    assert b"Traceback" not in done.err
