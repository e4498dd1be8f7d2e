"""``penstock map --line-buffer``: whole lines, as they come."""

from __future__ import annotations

import pytest

from tests.commands import PATIENCE


def test_lines_come_before_the_job_is_over(penstock_cli, tmp_path):
    text = "echo {}; until test -e {}; do sleep 0.01; done; echo {}"
    line = ["map", "-j2", "--line-buffer", text, ":::", "a", "b"]
    with penstock_cli.start(*line) as process:
        seen = [process.stdout.readline() for _ in range(2)]
        assert sorted(seen) == [b"a\n", b"b\n"]
        for name in "ba":  # each while the other runs
            (tmp_path / name).touch()
            assert process.stdout.readline() == f"{name}\n".encode()
        assert process.communicate(timeout=PATIENCE) == (b"", b"")
    assert process.returncode == 0


def test_lines_of_two_jobs_never_mix(penstock_cli):
    text = "for i in $(seq 300); do printf {}; printf '{}%s' ''; printf '{}\\n'; done"
    done = penstock_cli("map", "-j2", "--lb", text, ":::", "aaa", "bbb")
    assert sorted(done.out.split()) == [b"a" * 9] * 300 + [b"b" * 9] * 300


def test_a_line_may_be_longer_than_memory_is_to_hold(penstock_cli):
    text = "head -c 5000000 /dev/zero | tr '\\0' {}; echo; echo {}"
    done = penstock_cli("map", "-j2", "--lb", "--tag", text, ":::", "a", "b")
    assert sorted(len(line) for line in done.out.splitlines()) == [3, 3] + [5000002] * 2


def test_the_last_line_may_lack_its_newline(penstock_cli):
    line = ["map", "-j1", "--lb", "--tag", "echo {}; printf x; echo e >&2", ":::", "1"]
    assert penstock_cli(*line) == (0, b"1\t1\n1\tx", b"1\te\n")


def test_what_the_job_log_says_was_printed(penstock_cli, tmp_path):
    log = tmp_path / "log"
    penstock_cli("map", "--lb", "--joblog", str(log), "printf ab{}", ":::", "c")
    assert log.read_text().splitlines()[1].split("\t")[5] == "3"


def test_it_goes_with_blocks_and_with_retries(penstock_cli):
    data = b"".join(b"%d\n" % i for i in range(9))
    done = penstock_cli("map", "-j1", "--lb", "--pipe", "-N2", "cat", stdin=data)
    assert done == (0, data, b"")
    line = ["map", "--lb", "--tag", "--retries", "2", "echo x; false", ":::", "1"]
    assert penstock_cli(*line) == (1, b"1\tx\n1\tx\n", b"")


@pytest.mark.parametrize("option", ["-k", "-u"])
def test_an_order_is_refused(penstock_cli, option):
    assert penstock_cli("map", "--lb", option, "echo", ":::", "a").status == 2
