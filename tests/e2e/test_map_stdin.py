"""``penstock map --pipe`` and ``--stdin``: jobs that read."""

from __future__ import annotations

import pytest


def numbers(n: int) -> bytes:
    return b"".join(b"%d\n" % i for i in range(1, n + 1))


def test_the_input_is_cut_into_blocks_of_whole_lines(penstock_cli):
    data = numbers(5000)
    done = penstock_cli(
        "map", "-k", "-j2", "--pipe", "--block", "4K", "cat", stdin=data
    )
    assert done == (0, data, b"")
    line = ["map", "-k", "--pipe", "--block", "1k", "tail -c 1 | od -An -c; wc -c"]
    done = penstock_cli(*line, stdin=data)
    assert set(done.out.split()[::2]) == {b"\\n"}


def test_a_line_longer_than_a_block_is_passed_whole(penstock_cli):
    data = b"a\n" + b"x" * 300_000 + b"\nb\n"
    done = penstock_cli("map", "-k", "--pipe", "--block", "1B", "wc -c", stdin=data)
    assert done.out.split() == [b"2", b"300001", b"2"]


def test_a_job_that_is_tried_again_reads_the_same_again(penstock_cli, tmp_path):
    text = f"cat; test -e {tmp_path}/seen || {{ : > {tmp_path}/seen; exit 1; }}"
    line = ["map", "--retries", "2", "--pipe", text]
    assert penstock_cli(*line, stdin=b"a\n") == (0, b"a\n", b"")


def test_a_job_may_read_nothing_of_a_large_block(penstock_cli):
    done = penstock_cli("map", "--pipe", "--block", "1M", "true", stdin=b"x\n" * 10**6)
    assert done == (0, b"", b"")


def test_a_pipeline_reads_at_its_first_command(penstock_cli):
    line = ["map", "-k", "--pipe", "-N2", "sort -r", "head -n 1"]
    assert penstock_cli(*line, stdin=numbers(4)).out == b"2\n4\n"


def test_each_job_reads_its_values(penstock_cli):
    line = ["map", "-k", "--stdin", "-n2", "paste -sd+"]
    assert penstock_cli(*line, stdin=numbers(5)).out == b"1+2\n3+4\n5\n"
    line = ["map", "-k", "--stdin", "cat; echo {}", ":::", "a b", ""]
    assert penstock_cli(*line).out == b"a b\na b\n\n\n"
    line = ["map", "-0", "--stdin", "od -An -c"]
    assert penstock_cli(*line, stdin=b"a\nb\0").out.split() == [
        b"a",
        b"\\n",
        b"b",
        b"\\0",
    ]


@pytest.mark.parametrize(
    "line",
    [
        ["--pipe"],
        ["--pipe", "--stdin", "cat"],
        ["--pipe", "cat", ":::", "a"],
        ["--stdin", "-X", "cat"],
        ["--pipe", "--regexp", "--recend", "(", "cat"],
        ["--pipe", "-N2", "--recend", "", "cat"],
    ],
)
def test_what_makes_no_sense_is_refused(penstock_cli, line):
    done = penstock_cli("map", *line, stdin=b"a\n")
    assert (done.status, done.out) == (2, b"")
    assert done.err.startswith(b"penstock: ")
