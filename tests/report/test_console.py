from __future__ import annotations

import io

import pytest

from penstock.model.event import (
    ErrandEnded,
    Event,
    Interrupted,
    JobEnded,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
    RunEnded,
    RunStarted,
)
from penstock.model.job import Job
from penstock.model.outcome import Cancelled, Ending, Exited, Outcome, Signaled
from penstock.model.policy import Policy, Retry
from penstock.report.console import Console, Verbosity, wants_colour
from tests.report.examples import LEFT, TERM, job, outcome

A, B, C = job("true", name="a"), job("false", name="b"), job("true", name="c")
BEGIN = RunStarted("r", 0.0, ("a", "b", "clients"), 1, None)
END = RunEnded(0, 0.0, 2.3)
ROOT_OF_B = (
    "first failure: b: exited with 1; defined at penstock.yaml:14:9; "
    "log logs/false.log\n"
)
STOPPED = Cancelled("job b failed", TERM, escalated=False)


def ended(which: Job, *endings: Ending) -> JobEnded:
    return JobEnded(which, outcome(which, *endings), 0.0)


def told(*events: Event, verbosity: Verbosity = "normal", colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(stream, verbosity=verbosity, colour=colour)
    for event in (BEGIN, *events):
        console.receive(event)
    return stream.getvalue()


def test_a_job_that_succeeded_is_one_line_in_columns():
    assert told(ended(A)) == "ok    a        0.41s  cpu 0.52s  34 MiB\n"


def test_without_usage_the_time_is_all_there_is_to_tell():
    bare = outcome(A)._replace(stages=())
    assert told(JobEnded(A, bare, 0.0)) == "ok    a        0.41s\n"


def test_a_failure_is_told_at_length():
    text = told(ended(B, Exited(1)))
    assert text.startswith("FAIL  b: exited with 1\n  command:  false\n")


def test_skipped_and_cancelled_jobs_say_why():
    text = told(ended(A, STOPPED), JobSkipped(C, "job b failed", 0.0))
    assert text == (
        "stop  a        cancelled: job b failed, killed by SIGTERM\n"
        "skip  c        job b failed\n"
    )


def test_a_job_that_was_passed_over_says_why_and_is_counted():
    text = told(ended(A), JobPassed(C, "up to date", 0.0), END)
    assert "\npass  c        up to date\n" in text
    assert text.endswith("2 jobs: 1 ok, 1 passed over in 2.3s\n")


def test_what_a_good_job_left_behind_is_told():
    left = outcome(A)._replace(stragglers=LEFT)
    text = told(JobEnded(A, left, 0.0))
    assert "      left behind, and ended: 4321 sleep 1000\n" in text


def test_the_summary_counts_and_names_the_first_failure_first():
    d = job("false", name="d")
    events = (ended(A), ended(B, Exited(1)), ended(d, Exited(2)))
    text = told(*events, JobSkipped(C, "job b failed", 0.0), END)
    assert text.endswith(
        "4 jobs: 1 ok, 2 failed, 1 skipped in 2.3s\nfailed: b, d\n" + ROOT_OF_B
    )


def test_many_failures_are_not_all_named():
    jobs = [job("false", name=f"j{i}") for i in range(12)]
    text = told(*[ended(each, Exited(1)) for each in jobs], END)
    assert text.splitlines()[-2].endswith("j8, j9 and 2 more")


def test_one_job_needs_no_summary():
    assert told(ended(A), END).count("\n") == 1


def test_no_job_is_a_summary_too():
    assert told(END) == "0 jobs: nothing to do in 2.3s\n"


def test_quiet_is_silent_if_all_is_well():
    assert told(JobStarted(A, 0.0), ended(A), ended(C), END, verbosity="quiet") == ""


def test_quiet_tells_failures_and_how_many_and_nothing_else():
    events = (ended(A), ended(B, Exited(1)), ended(C, STOPPED), END)
    text = told(JobSkipped(C, "why", 0.0), *events, verbosity="quiet")
    assert text.startswith("FAIL  b: ")
    counts = "4 jobs: 1 ok, 1 failed, 1 cancelled, 1 skipped in 2.3s\n"
    assert text.endswith(counts + ROOT_OF_B)


def test_what_was_ended_for_its_own_fault_has_failed():
    ending = Cancelled("too much", None, escalated=False)
    judged = Outcome("b", ending, ok=False, remark="as I say")
    text = told(ended(A), JobEnded(B, judged, 0.0), END)
    assert "FAIL  b: cancelled: too much, and could not be ended: as I say\n" in text
    assert "2 jobs: 1 ok, 1 failed in" in text
    assert "stop" not in text


def test_quiet_does_not_hide_that_bytes_may_be_missing():
    lossy = outcome(A, STOPPED)._replace(trouble="fan-out of a failed")
    text = told(JobEnded(A, lossy, 0.0), END, verbosity="quiet")
    assert text.startswith("FAIL  a: ")
    assert "fan-out of a failed" in text


def test_quiet_does_not_hide_what_is_still_alive():
    left = outcome(A, STOPPED)._replace(survivors=LEFT)
    text = told(JobEnded(A, left, 0.0), verbosity="quiet")
    assert "could not be ended: 4321 sleep 1000\n" in text


def test_verbose_tells_starts_and_every_stage():
    pipe = job("zcat x", "sort")
    text = told(JobStarted(pipe, 0.0), ended(pipe), verbosity="verbose")
    assert text == (
        "start clients\n"
        "ok    clients  0.41s  cpu 1.04s  34 MiB\n"
        "      zcat  0.41s  cpu 0.52s  34 MiB  exited with 0\n"
        "      sort  0.41s  cpu 0.52s  34 MiB  exited with 0\n"
    ).replace("1.04s", "1s")


def test_a_stage_that_never_ran_used_nothing():
    bare = outcome(A)
    never = bare.stages[0]._replace(usage=None)
    event = JobEnded(A, bare._replace(stages=(never,)), 0.0)
    assert "      true  0.41s  exited with 0\n" in told(event, verbosity="verbose")


def test_verbose_says_why_a_stage_that_did_not_exit_with_0_is_fine():
    pipe = job("yes", "head")
    ended = outcome(pipe)
    broken = ended.stages[0]._replace(ending=Signaled(13, core=False))
    event = JobEnded(pipe, ended._replace(stages=(broken, ended.stages[1])), 0.0)
    text = told(event, verbosity="verbose")
    assert "  killed by SIGPIPE, which is fine here\n" in text


def test_an_interruption_says_what_the_next_one_does():
    text = told(Interrupted(2, 0.0), Interrupted(2, 0.0), verbosity="quiet")
    assert text == (
        "SIGINT: ending all jobs; again to end them at once\n"
        "SIGINT: ending all jobs at once\n"
    )


def test_an_interruption_of_teardown_says_that_it_goes_on():
    teardown = job("true", name="teardown")
    start, signal = JobStarted(teardown, 0.0, 1), Interrupted(2, 0.0)
    text = told(start, signal, signal, verbosity="quiet")
    assert text == (
        "SIGINT: teardown goes on; again to end it at once\n"
        "SIGINT: ending all jobs at once\n"
    )
    ending = "SIGINT: ending all jobs; again to end them at once\n"
    assert told(start, ended(teardown), signal).endswith(ending)
    mere = BEGIN._replace(jobs=("teardown",))
    assert told(mere, start, signal) == ending


def test_colour_adds_nothing_but_colour():
    plain, painted = told(ended(A)), told(ended(A), colour=True)
    assert painted == plain.replace("ok    ", "\x1b[32mok    \x1b[0m")


def test_a_name_cannot_paint_the_terminal():
    evil = job("true", name="\x1b[2J")
    assert "\x1b" not in told(ended(evil))


def test_a_stream_that_cannot_say_it_gets_escapes():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    console = Console(stream)
    console.receive(ended(job("true", name="\u65e5")))
    assert raw.getvalue().startswith(b"ok    \\u65e5")


class Broken(io.StringIO):
    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self.error: type[Exception] | None = error
        self.times = 0

    def write(self, text: str) -> int:
        self.times += 1
        if self.error is not None:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError])
def test_a_broken_stream_is_given_up(error: type[Exception]):
    stream = Broken(error)
    console = Console(stream)
    console.receive(ended(A))
    console.receive(ended(A))
    assert stream.times == 1


def test_a_terminal_that_is_full_for_a_moment_is_not_given_up():
    stream = Broken(BlockingIOError)
    console = Console(stream)
    console.receive(ended(A))
    stream.error = None
    console.receive(ended(C))
    assert stream.getvalue().startswith("ok    c")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "colour"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (io.StringIO(), {}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
    ],
)
def test_when_to_colour(stream: io.StringIO, environ: dict[str, str], *, colour: bool):
    assert wants_colour(stream, environ) == colour


TWICE = B._replace(policy=Policy(retry=Retry(times=2)))


def test_a_retry_says_which_attempt_failed_of_what_and_when_the_next_one_is():
    failed = outcome(TWICE, Exited(1), tail=b"no luck")
    assert told(JobRetried(TWICE, failed, 1, 2.0, 0.0)) == (
        "retry b        attempt 1 of 3 exited with 1; again in 2s\n      | no luck\n"
    )
    assert told(JobRetried(TWICE, failed, 1, 2.0, 0.0), verbosity="quiet") == ""


def test_the_end_of_a_retried_job_says_which_attempt_it_was():
    failed = JobEnded(TWICE, outcome(TWICE, Exited(1)), 0.0, 3)
    assert told(failed).endswith("\n      this was attempt 3 of 3\n")
    good = JobEnded(TWICE, outcome(A), 0.0, 2)
    assert told(good).endswith("34 MiB\n      this was attempt 2 of 3\n")
    assert told(good, verbosity="quiet") == ""


def test_a_notice_that_failed_is_a_warning_at_any_verbosity():
    notice = ErrandEnded(A, "notice", outcome(A, Exited(3)), 0.0)
    expected = (
        "warn  a        exited with 3; that changes nothing in how the run ended\n"
    )
    assert told(notice, verbosity="quiet") == expected


def test_other_errands_are_told_if_all_is_to_be_told():
    asked = ErrandEnded(job("true", name="-when a"), "when", outcome(A, Exited(1)), 0.0)
    assert told(asked) == ""
    assert told(asked, verbosity="verbose") == "when  a        exited with 1\n"
