from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from penstock.model.command import Command
from penstock.model.job import Job, Link, Rule, Stage, chain
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    Signaled,
    TimedOut,
)
from penstock.model.verdict import SIGPIPE, Verdict, is_broken_pipe, judge, unseen

OK = Exited(0)
BROKEN_PIPE = Signaled(SIGPIPE, core=False)
TERM = Signaled(15, core=False)
LATE = TimedOut(1.0, "command", TERM, escalated=False)
STOPPED = Cancelled("c timed out", TERM, escalated=False)
NOT_FOUND = NotStarted(2, "x: not found", "command")
SIBLING = NotStarted(None, "x could not be started", "sibling")

endings: st.SearchStrategy[Ending] = st.one_of(
    st.builds(Exited, st.sampled_from([0, 1, 2, 3, 141, 255])),
    st.builds(Signaled, st.sampled_from([SIGPIPE, 9, 11, 15]), st.booleans()),
    st.sampled_from([LATE, STOPPED, NOT_FOUND, SIBLING, Lost("killed")]),
)


def job(stages: int, links: tuple[Link, ...] | None = None) -> Job:
    made = tuple(Stage(str(i), Command(("x",), "x")) for i in range(stages))
    return Job("j", made, chain(stages) if links is None else links)


def verdict(*seen: Ending) -> Verdict:
    return judge(job(len(seen)), seen)


@st.composite
def judged(draw: st.DrawFn) -> tuple[Job, tuple[Ending, ...]]:
    """Any job, its links in any direction, with any endings."""
    seen = draw(st.lists(endings, min_size=1, max_size=6))
    n = len(seen)
    targets = draw(st.permutations(range(n)))
    links = tuple(Link(i, t) for i, t in enumerate(targets) if i != t)
    kept = draw(st.lists(st.sampled_from(links), unique=True)) if links else []
    return job(n, tuple(kept)), tuple(seen)


# --- what is success ----------------------------------------------------------------


def test_exit_0_is_success():
    assert verdict(OK) == Verdict((True,), None)


def test_an_accepted_code_is_success_and_0_is_not_unless_it_is_accepted():
    stage = Stage("grep", Command(("grep",), "grep", ok=(1,)))
    subject = Job("j", (stage,))
    assert judge(subject, (Exited(1),)).culprit is None
    assert judge(subject, (OK,)).culprit == 0


def test_yes_head_is_success():
    assert verdict(BROKEN_PIPE, OK) == Verdict((True, True), None)


def test_a_shell_tells_of_sigpipe_by_141():
    assert verdict(Exited(141), OK).culprit is None


def test_sigpipe_is_excused_all_the_way_up():
    assert verdict(BROKEN_PIPE, Exited(141), BROKEN_PIPE, OK).culprit is None


def test_sigpipe_is_no_excuse_if_the_reader_failed():
    assert verdict(BROKEN_PIPE, Exited(1)) == Verdict((False, False), 1)


def test_sigpipe_of_the_last_stage_is_a_failure():
    assert verdict(OK, BROKEN_PIPE) == Verdict((True, False), 1)


def test_sigpipe_without_a_pipe_is_a_failure():
    assert judge(job(2, ()), (BROKEN_PIPE, OK)).culprit == 0


def test_stages_that_blame_each_other_in_a_circle_are_not_excused():
    circle = job(2, (Link(0, 1), Link(1, 0)))
    assert judge(circle, (BROKEN_PIPE, BROKEN_PIPE)).ok == (False, False)


# --- who is to blame ----------------------------------------------------------------


def test_the_rightmost_failure_is_the_culprit_as_in_pipefail():
    assert verdict(Exited(1), Exited(2), OK).culprit == 1


def test_a_timeout_goes_before_what_was_cancelled_for_it():
    assert verdict(STOPPED, LATE, STOPPED).culprit == 1


def test_a_timeout_goes_before_a_failure_to_its_right():
    assert verdict(LATE, Exited(1)).culprit == 0


def test_what_was_not_found_goes_before_its_siblings():
    assert verdict(SIBLING, NOT_FOUND, SIBLING).culprit == 1


def test_a_failure_goes_before_what_was_cancelled():
    assert verdict(Exited(1), STOPPED).culprit == 0


ROOTS: tuple[Ending, ...] = (LATE, NOT_FOUND)
FAILURES: tuple[Ending, ...] = (Exited(1), TERM, Lost("killed"))
CONSEQUENCES: tuple[Ending, ...] = (STOPPED, SIBLING)


def test_a_consequence_is_never_the_culprit_where_there_is_a_cause():
    for cause, effect in product((*ROOTS, *FAILURES), CONSEQUENCES):
        assert verdict(cause, effect).culprit == 0
        assert verdict(effect, cause).culprit == 1


# --- whatever happens ---------------------------------------------------------------


@given(judged())
def test_there_is_a_culprit_exactly_if_a_stage_failed(case: tuple[Job, tuple[Ending]]):
    seen = judge(*case)
    assert (seen.culprit is None) == all(seen.ok)
    assert seen.culprit is None or not seen.ok[seen.culprit]


@given(judged())
def test_only_an_accepted_code_or_a_broken_pipe_is_success(
    case: tuple[Job, tuple[Ending]],
):
    for good, ending in zip(judge(*case).ok, case[1], strict=True):
        assert not good or ending == OK or is_broken_pipe(ending)


@given(judged())
def test_a_broken_pipe_is_excused_exactly_if_every_reader_succeeded(
    case: tuple[Job, tuple[Ending]],
):
    subject, seen = case
    good = judge(subject, seen).ok
    for position, ending in enumerate(seen):
        readers = [link.target for link in subject.links if link.source == position]
        if is_broken_pipe(ending) and not all(good[reader] for reader in readers):
            assert not good[position]
        if is_broken_pipe(ending) and readers and all(good[i] for i in readers):
            assert good[position]


@given(judged())
def test_the_culprit_is_no_consequence_if_any_stage_failed_by_itself(
    case: tuple[Job, tuple[Ending]],
):
    subject, endings = case
    seen = judge(*case)
    sources = {link.source for link in subject.links}
    by_themselves = [
        ending
        for position, ending in enumerate(endings)
        if not seen.ok[position] and ending not in CONSEQUENCES
        # A writer whose reader failed has SIGPIPE from that, and is no cause.
        if not (is_broken_pipe(ending) and position in sources)
    ]
    if by_themselves:
        assert seen.culprit is not None
        assert endings[seen.culprit] in by_themselves


# --- nobody saw it ------------------------------------------------------------------


def test_of_an_unseen_job_every_stage_ended_alike_and_none_is_ok():
    lost = Lost("its worker was killed")
    outcome = unseen(job(3), lost)
    assert not outcome.ok
    assert [stage.ending for stage in outcome.stages] == [lost] * 3
    assert {stage.pid for stage in outcome.stages} == {None}


def ruled(rule: Rule, links: tuple[Link, ...], *endings: Ending) -> Verdict:
    """The verdict on a graph of so many stages."""
    made = tuple(Stage(str(n), Command(("x",), "x")) for n in range(len(endings)))
    return judge(Job("j", made, links, rule=rule), endings)


def test_by_the_rule_of_the_last_only_the_last_counts():
    assert ruled("last", chain(2), Exited(3), OK).culprit is None
    assert ruled("last", chain(2), Exited(3), OK).ok == (False, True)
    assert ruled("last", chain(2), OK, Exited(3)).culprit == 1


def test_what_had_to_be_stopped_counts_whatever_the_rule():
    late = TimedOut(1.0, "command", Exited(0), escalated=False)
    assert ruled("last", chain(2), late, OK).culprit == 0


def test_by_the_strict_rule_no_sigpipe_is_benign():
    assert ruled("pipefail", chain(2), BROKEN_PIPE, OK).culprit is None
    assert ruled("strict", chain(2), BROKEN_PIPE, OK).culprit == 0


def test_a_sigpipe_is_benign_only_if_every_reader_ended_well():
    links = (Link(0, 1), Link(0, 2, name="f"))
    assert ruled("pipefail", links, BROKEN_PIPE, OK, OK).culprit is None
    assert ruled("pipefail", links, BROKEN_PIPE, OK, Exited(1)).culprit == 2


def test_the_reader_that_failed_is_to_blame_wherever_it_stands():
    assert ruled("pipefail", (Link(1, 0),), Exited(1), BROKEN_PIPE).culprit == 0
