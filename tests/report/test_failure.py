from __future__ import annotations

from penstock.model.outcome import (
    Cancelled,
    Exited,
    Lost,
    NotStarted,
    Signaled,
    TimedOut,
)
from penstock.model.stream import Inherit
from penstock.report.failure import TAIL_LINES, format_failure
from tests.report.examples import LATE, LEFT, TERM, job, outcome


def test_a_failure_tells_all_that_is_known():
    pipe = job("zcat log.gz", "sort -k5n", "head -n 3")
    ended = outcome(pipe, Exited(0), LATE, Exited(0), tail=b"sort: first\nsort: last\n")
    assert format_failure(pipe, ended) == (
        "clients: stage 2 of 3 (sort) timed out after 30s,"
        " killed by SIGKILL after 5s of grace\n"
        "  command:  sort -k5n\n"
        "  defined:  penstock.yaml:14:9\n"
        "  stderr:   | sort: first\n"
        "            | sort: last\n"
        "  log:      logs/sort.log\n"
        "  hint:     raise `timeout` of the command (it is 30s);"
        " TERM alone did not end it\n"
    )


def test_a_job_of_one_command_counts_no_stages():
    false = job("false")
    text = format_failure(false, outcome(false, Exited(1)))
    assert text.startswith("clients: exited with 1\n")


def test_other_stages_that_failed_are_told_after_the_cause():
    pipe = job("zcat x", "sort")
    text = format_failure(pipe, outcome(pipe, Exited(2), Exited(3)))
    assert text.startswith("clients: stage 2 of 2 (sort) exited with 3\n")
    assert "also:     stage 1 of 2 (zcat) exited with 2\n" in text


def test_what_ended_only_because_of_the_cause_is_not_told():
    pipe = job("zcat x", "nope", "sort", "nope")
    cancelled = Cancelled("nope could not be started", TERM, escalated=False)
    sibling = NotStarted(None, "nope could not be started", "sibling")
    missing = NotStarted(2, "nope: not found", "command")
    text = format_failure(pipe, outcome(pipe, cancelled, sibling, sibling, missing))
    assert "also" not in text


def test_processes_are_named_by_pid_and_command_line():
    false = job("false")
    ended = outcome(false, Exited(1))._replace(stragglers=LEFT, survivors=LEFT * 2)
    text = format_failure(false, ended)
    assert "ended:    left behind, and ended: 4321 sleep 1000\n" in text
    assert "ALIVE:    could not be ended: 4321 sleep 1000\n" in text
    assert text.count("4321") == 3


def test_a_survivor_is_a_failure_though_every_stage_succeeded():
    true = job("true")
    ended = outcome(true)._replace(ok=False, survivors=LEFT)
    text = format_failure(true, ended)
    assert text.startswith("clients: left processes that could not be ended\n")
    assert "defined:  penstock.yaml:11:3\n" in text


def test_a_job_made_by_hand_has_no_place():
    true = job("true")._replace(place=None)
    ended = outcome(true)._replace(ok=False, survivors=LEFT)
    assert "defined" not in format_failure(true, ended)


def test_a_lost_job_is_told_with_a_hint():
    true = job("true")
    ended = outcome(true)._replace(ok=False, ending=Lost("worker 3 was killed"))
    text = format_failure(true, ended)
    assert text.startswith("clients: lost: worker 3 was killed\n")
    assert "hint:" in text


def test_what_penstock_could_not_do_is_told():
    true, false = job("true"), job("false")
    trouble = "cannot rename out.txt: Permission denied"
    alone = outcome(true)._replace(ok=False, trouble=trouble)
    besides = outcome(false, Exited(1))._replace(trouble=trouble)
    assert format_failure(true, alone).startswith(f"clients: {trouble}\n")
    assert f"also:     {trouble}\n" in format_failure(false, besides)


def test_an_incomplete_log_says_why():
    false = job("false")
    ended = outcome(false, Exited(1))
    torn = ended.stages[0]._replace(log_error="No space left on device")
    text = format_failure(false, ended._replace(stages=(torn,)))
    assert "logs/false.log (incomplete: No space left on device)\n" in text


def test_only_the_end_of_stderr_is_shown():
    false = job("false")
    tail = b"".join(b"line %d\n" % i for i in range(100))
    text = format_failure(false, outcome(false, Exited(1), tail=tail))
    assert text.count("| line") == TAIL_LINES
    assert "| line 99\n" in text


def test_without_a_log_and_a_place_there_are_no_lines_for_them():
    false = job("false")
    bare = false.stages[0]._replace(stderr=Inherit(2), place=None)
    text = format_failure(
        false._replace(stages=(bare,), place=None), outcome(false, Exited(1))
    )
    assert text == "clients: exited with 1\n  command:  false\n"


def test_a_command_of_several_lines_stays_readable():
    script = job("echo a\nfalse\n")
    text = format_failure(script, outcome(script, Exited(1)))
    assert "  command:  echo a\n            false\n" in text


def test_a_command_cannot_paint_the_terminal():
    evil = job("echo \x1b[31m")
    ended = outcome(evil, Signaled(15, core=False), tail=b"\x1b]0;title\x07")
    assert "\x1b" not in format_failure(evil, ended)


def test_a_service_that_ended_well_says_why_that_is_a_failure():
    server = job("true")
    early = outcome(server)._replace(ok=False, remark="jobs still needed it")
    text = format_failure(server, early)
    assert text.startswith("clients: exited with 0: jobs still needed it\n")


def test_a_service_that_ended_badly_says_both():
    server = job("false")
    text = format_failure(server, outcome(server, Exited(3))._replace(remark="needed"))
    assert text.startswith("clients: exited with 3\n")
    assert "  also:     needed\n" in text


def test_a_service_that_was_late_is_given_the_right_advice():
    server = job("sleep 9")
    late = TimedOut(30.0, "ready", TERM, escalated=False)
    text = format_failure(server, outcome(server, late))
    assert text.startswith("clients: timed out after 30s, and was not ready, killed")
    assert "  hint:     raise `within` of the service (it is 30s)\n" in text
