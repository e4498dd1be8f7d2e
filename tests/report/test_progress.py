from __future__ import annotations

import json

from penstock.model.event import (
    JobEnded,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
    RunStarted,
)
from penstock.model.limits import Limits
from penstock.model.outcome import Exited
from penstock.model.policy import Policy, Service
from penstock.report.bar import draw
from penstock.report.progress import Progress, Prospect, Running, View
from penstock.report.progress_line import json_line, plain_line
from tests.report.examples import job, outcome

A, B, C = job("true", name="a"), job("false", name="b"), job("true", name="c")
BEGIN = RunStarted("r", 100.0, ("a", "b", "c"), 2, None)
NOBODY = View(0, 3, 0, (), 1.0, None)


def progress(*events, total: int | None = 3) -> Progress:
    model = Progress(total)
    for event in (BEGIN, *events):
        model.receive(event)
    return model


def seen(view: View, columns: int = 80, rows: int = 24, **memory: int) -> list[str]:
    return draw(view, memory, (columns, rows), colour=False)


def test_what_runs_is_seen_with_its_time_the_oldest_first():
    model = progress(JobStarted(B, 101.0), JobStarted(A, 103.0))
    running = model.view(110.0).running
    assert [(each.name, each.elapsed) for each in running] == [("b", 9.0), ("a", 7.0)]


def test_what_is_over_is_counted_and_seen_no_more():
    model = progress(
        JobStarted(A, 101.0),
        JobEnded(A, outcome(A), 102.0),
        JobStarted(B, 101.0),
        JobEnded(B, outcome(B, Exited(1)), 102.0),
        JobSkipped(C, "job b failed", 102.0),
    )
    assert model.view(110.0) == View(3, 3, 1, (), 10.0, None)


def test_an_attempt_that_failed_is_no_failure_and_the_next_has_its_own_time():
    failed = outcome(A, Exited(1))
    model = progress(JobStarted(A, 101.0), JobRetried(A, failed, 1, 5.0, 102.0))
    assert model.view(103.0) == NOBODY._replace(elapsed=3.0)
    model.receive(JobStarted(A, 107.0, 2))
    (running,) = model.view(108.0).running
    assert (running.elapsed, running.attempt) == (1.0, 2)


def test_how_many_jobs_a_family_has_is_not_known():
    assert progress(total=None).view(101.0) == NOBODY._replace(total=None)


def test_there_are_never_more_jobs_done_than_there_are():
    passed = [JobPassed(each, "up to date", 101.0) for each in (A, B, C)]
    assert progress(*passed, total=2).view(101.0).total == 3


def test_what_is_left_is_judged_by_jobs_that_were_run():
    done = [JobEnded(each, outcome(each), 106.0) for each in (A, B, C)]
    passed = [JobPassed(A, "up to date", 101.0)] * 5
    assert progress(*done[:2], total=10).view(106.0).left is None
    assert progress(*done, *passed, total=10).view(106.0).left == 4.0


def test_a_clock_that_was_set_back_makes_no_negative_times():
    view = progress(JobStarted(A, 101.0)).view(50.0)
    assert (view.elapsed, view.running[0].elapsed) == (0.0, 0.0)


def test_the_timeout_is_that_of_the_job_or_the_shortest_of_its_stages():
    stages = [A.stages[0]._replace(limits=Limits(timeout=t)) for t in (7.0, None, 5.0)]
    short = A._replace(stages=tuple(stages))
    own = short._replace(name="own", limits=Limits(timeout=9.0))
    model = progress(JobStarted(short, 101.0), JobStarted(own, 101.0))
    assert [each.timeout for each in model.view(102.0).running] == [5.0, 9.0]


def test_a_service_is_told_apart():
    service = A._replace(policy=Policy(service=Service()))
    (running,) = progress(JobStarted(service, 101.0)).view(102.0).running
    assert running.is_service
    assert seen(NOBODY._replace(running=(running,)))[1].endswith("true (service)")


def test_of_jobs_that_come_as_the_run_goes_what_is_known_is_told():
    prospects = [Prospect(5, is_all=False, slots=1), Prospect(7, is_all=True, slots=2)]
    model = Progress(None, lambda: prospects.pop(0))
    for event in (BEGIN, JobStarted(A, 101.0), JobStarted(B, 101.0)):
        model.receive(event)
    view = model.view(102.0)
    assert (view.total, view.known, len(view.running)) == (None, 5, 1)
    assert view.headline == ("0 done", "5+ known", "1 running", "2s")
    view = model.view(102.0)
    assert (view.total, view.known, len(view.running)) == (7, None, 2)
    assert view.headline == ("0/7 jobs", "2 running", "2s")


# --- as lines -----------------------------------------------------------------------

BUILD = Running("build", ("cc", "ld"), 12.3, 300.0)
AGAIN = Running("load", ("curl",), 61.0, None, 2)


def test_the_lines_tell_all_that_is_known():
    view = View(3, 12, 1, (BUILD, AGAIN), 42.0, 126.0)
    bar = "━━━━━               "
    assert seen(view, load=123 << 20) == [
        f"{bar}  3/12 jobs  1 failed  2 running  42s  about 2m6s left",
        "  build  12s of 5m           cc | ld",
        "  load   1m1s       123 MiB  attempt 2: curl",
    ]


def test_without_a_total_there_is_no_bar():
    assert seen(NOBODY._replace(total=None)) == ["0/? jobs  0 running  1s"]


def test_without_a_line_for_each_job_there_is_one():
    view = View(3, 12, 0, (BUILD, AGAIN), 42.0, None)
    (line,) = draw(view, {}, (80, 24), colour=False, tall=False)
    assert line.endswith("3/12 jobs  2 running  42s")
    assert plain_line(view, 0.0) == "penstock: 3/12 jobs  2 running  42s"


def test_as_json_it_is_one_object():
    view = View(3, None, 1, (BUILD, AGAIN), 42.0, None, 9)
    told = json.loads(json_line(view, 0.0))
    assert told == {
        "event": "Progress",
        "at": "1970-01-01T00:00:00.000Z",
        "done": 3,
        "failed": 1,
        "running": 2,
        "known": 9,
        "total": None,
        "elapsed": 42.0,
        "left": None,
    }
    told = json.loads(json_line(view._replace(total=12, known=None, left=8.0), 0.0))
    assert (told["known"], told["total"], told["left"]) == (12, 12, 8.0)


def test_a_narrow_terminal_has_one_line_that_fits():
    for columns in range(1, 60):
        (line,) = seen(View(3, 12, 1, (BUILD,), 42.0, 126.0), columns)
        assert len(line) <= max(1, columns - 1)


def test_a_wide_name_does_not_make_a_line_too_long():
    view = NOBODY._replace(running=(BUILD._replace(name="n" * 99, stages=("s",) * 99),))
    assert all(len(line) < 80 for line in seen(view))


def test_jobs_that_have_no_room_are_counted():
    view = NOBODY._replace(running=(BUILD,) * 30)
    lines = seen(view)
    assert (len(lines), lines[-1]) == (13, "  and 19 more")
    assert len(seen(view, rows=2)) == 1


def test_a_name_is_no_markup_and_moves_no_cursor():
    hostile = BUILD._replace(name="[red]x\x1b[2J", stages=(":smile:",))
    line = seen(NOBODY._replace(running=(hostile,)))[1]
    assert line.startswith("  [red]x")
    assert "\x1b" not in line
    assert line.endswith(":smile:")


def test_colours_are_there_if_they_are_wanted():
    lines = draw(View(1, 2, 1, (BUILD,), 4.0, None), {}, (80, 24), colour=True)
    assert "\x1b[31m1 failed\x1b[0m" in lines[0]
