from __future__ import annotations

import pytest

from penstock.model.command import Command
from penstock.model.job import Job, Stage, chain
from penstock.model.limits import Limits
from penstock.model.policy import Policy, Retry
from penstock.model.stream import Direct, Input, Log, Output
from penstock.plan.fingerprint import MISSING, describe, differences, summary_of

SORT = Command(("sort", "-u"), "sort -u")
BASE = Job("j", (Stage("sort", SORT),), policy=Policy(outputs=("o",)))


def shell(text: str) -> Command:
    return Command(("/bin/sh", "-c", text), text)


def with_command(**fields):
    return with_stage(command=SORT._replace(**fields))


def with_stage(**fields):
    return BASE._replace(stages=(BASE.stages[0]._replace(**fields),))


def with_policy(**fields):
    return BASE._replace(policy=BASE.policy._replace(**fields))


def changes(was: Job, now: Job) -> tuple[str, ...]:
    return differences(describe(was, {}), describe(now, {}))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (with_command(argv=("sort",)), "command changed: was `sort -u`, is `sort`"),
        (
            with_command(argv=("sort", "a b")),
            "command changed: was `sort -u`, is `sort 'a b'`",
        ),
        (
            with_stage(command=shell("sort | uniq")),
            "command changed: was `sort -u`, is `sort | uniq`",
        ),
        (with_command(ok=(0, 1)), "exit codes is new"),
        (with_command(cwd="d"), "directory is new"),
        (with_command(env=(("LC_ALL", "C"),)), "environment LC_ALL is new"),
        (with_stage(stdin=Input("in")), "stdin is new"),
        (with_stage(stdout=Output("o", "p")), "stdout is new"),
        (with_stage(stderr=Direct("e")), "stderr is new"),
        (BASE._replace(rule="strict"), "rule is new"),
        (BASE._replace(leaks="fail"), "leftovers is new"),
        (with_policy(outputs=("o", "p")), "output p is new"),
        (with_policy(outputs=()), "output o is gone"),
        (with_policy(variables=(("top", "10"),)), "variable top is new"),
    ],
)
def test_what_the_result_depends_on_is_part_of_it(now, told):
    assert changes(BASE, now) == (told,)


@pytest.mark.parametrize(
    "now",
    [
        BASE._replace(name="other", needs=("a",), limits=Limits(timeout=5.0)),
        BASE._replace(leaks="allow"),
        with_stage(name="other", limits=Limits(grace=1.0), stderr=Log("some.log")),
        with_command(nice=5, memory=1 << 20, signal=2, typed="sort  -u"),
        with_policy(retry=Retry(3), slots=2, resources=(("gpu", 1),)),
        with_policy(when=SORT),
    ],
)
def test_how_it_is_run_is_no_part_of_it(now):
    assert changes(BASE, now) == ()
    assert summary_of(describe(now, {})) == summary_of(describe(BASE, {}))


def test_the_name_that_an_output_has_until_it_is_whole_is_no_part_of_it():
    was, now = (with_stage(stdout=Output("o", partial)) for partial in "ab")
    assert changes(was, now) == ()


def test_words_cannot_be_mistaken_for_one_another():
    assert changes(
        with_command(argv=("echo", "a", "b")), with_command(argv=("echo", "a b"))
    )
    assert summary_of(describe(with_command(argv=("a\nb",)), {})) != summary_of(
        describe(with_command(argv=("a", "b")), {})
    )


def test_the_values_of_the_environment_are_not_told():
    was, now = (with_command(env=(("TOKEN", value),)) for value in ("s3cret", "hidden"))
    assert changes(was, now) == ("environment TOKEN changed",)
    assert "s3cret" not in repr(describe(was, {}))


def with_environments(*given: str) -> Job:
    """A job whose stages give X these values; "" is none."""
    stages = []
    for name, value in zip("ab", given, strict=True):
        env = (("X", value),) if value else ()
        stages.append(Stage(name, shell(name)._replace(env=env)))
    return Job("j", tuple(stages), chain(2), policy=Policy(outputs=("o",)))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (("7", "2"), "environment X changed"),
        (("1", "7"), "environment X changed"),
        (("2", "1"), "environment X changed"),
        (("", "2"), "environment X changed"),
        (("", ""), "environment X is gone"),
    ],
)
def test_a_variable_may_have_another_value_in_each_stage(now, told):
    assert changes(with_environments("1", "2"), with_environments(*now)) == (told,)


def test_it_matters_which_stage_has_a_variable():
    was, now = with_environments("1", ""), with_environments("", "1")
    assert changes(was, now) == ("environment X changed",)


def test_rules_are_told_by_name():
    was, now = BASE._replace(rule="last"), BASE._replace(rule="strict")
    assert changes(was, now) == ("rule changed: was `last`, is `strict`",)


def test_a_variable_is_told_once_though_it_is_in_the_environment_too():
    was, now = (
        with_command(env=(("top", top),))._replace(
            policy=Policy(outputs=("o",), variables=(("top", top),))
        )
        for top in ("10", "20")
    )
    assert changes(was, now) == ("variable top changed: was `10`, is `20`",)


def test_stages_and_links_are_told_apart():
    stages = tuple(Stage(name, shell(name)) for name in "ab")
    was = Job("j", stages, chain(2))
    now = Job("j", (stages[0], stages[1]._replace(command=shell("c"))), ())
    assert changes(was, now) == ("command b changed: was `b`, is `c`", "links is gone")


def test_inputs_are_told_by_their_path():
    was = describe(BASE, {"a": "1", "b": "1", "c": "1", "d": "1"})
    now = describe(BASE, {"a": "1", "b": "2", "c": MISSING, "e": "1"})
    assert differences(was, now) == (
        "input b changed",
        "input c is missing",
        "input e is new",
        "input d is gone",
    )


def test_of_a_long_command_the_part_that_differs_is_shown():
    was, now = (with_stage(command=shell("x" * 500 + end * 100)) for end in "ab")
    (told,) = changes(was, now)
    shown = "…" + "x" * 20 + "a" * 40 + "…"
    assert told == f"command changed: was `{shown}`, is `{shown.replace('a', 'b')}`"
