"""What the texts on the command line mean, and that the table tells it of all."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from penstock.cli.lines.exec import ExecOptions
from penstock.cli.lines.run import RunOptions
from penstock.cli.options import (
    Jobs,
    read_commands,
    read_duration,
    read_jobs,
    read_path,
    read_settings,
    read_timeout,
)
from penstock.cli.syntax import NO_OPERAND, Subcommand, WrongValueError, build
from penstock.cli.table import find
from penstock.cli.table import subcommands as all_subcommands

SUBCOMMANDS = all_subcommands()
subcommands = pytest.mark.parametrize("subcommand", SUBCOMMANDS, ids=lambda s: s.name)


def named(name: str) -> Subcommand:
    found = find(name)
    assert found is not None
    return found


# --- values -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "on_8"),
    [
        *[("1", 1), ("4", 4), ("008", 8), ("999999", 999_999)],
        *[("100%", 8), ("50%", 4), ("12%", 1), ("0%", 1), ("300%", 24)],
        *[("+1", 9), ("+0", 8), ("-1", 7), ("-7", 1), ("-8", 1), ("-999", 1)],
    ],
)
def test_jobs_are_a_number_or_relative_to_the_cpus(text, on_8):
    assert read_jobs([text]).resolve(8) == on_8


@pytest.mark.parametrize(
    "text",
    ["0", "00", "", "%", "+", "-", "--1", "+-1", "+5%", "-5%", "1.5", "4 ", "1_0", "٤"],
)
def test_what_is_no_number_of_jobs_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="is not a number of jobs: write `4`, or"):
        read_jobs([text])


def test_a_megabyte_of_digits_is_refused_at_once():
    with pytest.raises(ValueError, match=r"`9999999999.*\.\.\.` is not a number"):
        read_jobs(["9" * 1_000_000])


def test_without_a_number_there_are_as_many_jobs_as_cpus():
    assert RunOptions().jobs is None
    assert Jobs(100, 0).resolve(cpus=6) == 6
    assert Jobs(0, 2).resolve(cpus=6) == 2


def test_a_bare_number_is_seconds():
    assert read_duration(["5"]) == 5.0
    assert read_duration(["1m30s"]) == 90.0


def test_a_timeout_of_zero_is_no_timeout_but_a_grace_of_zero_is_one():
    assert read_timeout(["0"]) is None
    assert read_timeout(["0s"]) is None
    assert read_duration(["0"]) == 0.0


def test_of_several_texts_the_last_one_counts():
    assert read_timeout(["nonsense", "5"]) == 5.0
    assert read_jobs(["0", "3"]) == Jobs(0, 3)
    assert read_path(["", "a"]) == "a"


def test_of_settings_all_count_and_for_each_name_the_last():
    given = read_settings(["a=1", "b=x=y", "a=", "c= "])
    assert given == {"a": "", "b": "x=y", "c": " "}


@pytest.mark.parametrize("text", ["", "name", "=", "=value"])
def test_a_setting_without_name_and_equals_is_refused_with_its_form(text):
    with pytest.raises(ValueError, match=f"`{text}` sets nothing: write `NAME=VALUE`"):
        read_settings(["a=1", text])


def test_a_path_may_not_be_empty():
    with pytest.raises(ValueError, match="expected the name of a file"):
        read_path([""])


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_command_of_a_pipe_may_not_be_blank(blank):
    with pytest.raises(ValueError, match="expected a command"):
        read_commands(["true", blank])


# --- FILE and JOBs ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operands", "target"),
    [
        ((), ("penstock.yaml", ())),
        (("a",), ("penstock.yaml", ("a",))),
        (("a", "b.yaml"), ("penstock.yaml", ("a", "b.yaml"))),
        (("a.yaml",), ("a.yaml", ())),
        (("a.yml", "b"), ("a.yml", ("b",))),
        (("d/a", "b"), ("d/a", ("b",))),
        (("here", "b"), ("here", ("b",))),
        (("a", "here"), ("penstock.yaml", ("a", "here"))),
        (("",), ("penstock.yaml", ("",))),
    ],
)
def test_the_first_operand_is_the_file_if_it_looks_like_one_or_is_one(operands, target):
    assert RunOptions(operands).target(lambda name: name == "here") == target


# --- the table ----------------------------------------------------------------------


@subcommands
def test_the_table_and_the_options_value_have_the_same_fields(subcommand):
    fields = [option.field for option in subcommand.options]
    if subcommand.operand != NO_OPERAND:
        fields.append(subcommand.operand.field)
    assert sorted(fields) == sorted(subcommand.makes._fields)


@subcommands
def test_a_flag_is_a_bool_and_nothing_else_is(subcommand):
    types = get_type_hints(subcommand.makes)
    for option in subcommand.options:
        assert (option.metavar is None) == (types[option.field] is bool)


@subcommands
def test_only_a_required_operand_has_no_default(subcommand):
    required = set(subcommand.makes._fields) - set(subcommand.makes._field_defaults)
    operand = subcommand.operand
    assert required == ({operand.field} if operand.required else set())


@subcommands
def test_no_two_options_share_a_name(subcommand):
    names = [name for option in subcommand.options for name in option.names]
    assert len(names) == len(set(names))
    assert not {"-h", "--help"} & set(names)


def test_an_option_has_the_same_names_everywhere():
    names: dict[str, set[tuple[str, ...]]] = {}
    for subcommand in SUBCOMMANDS:
        for option in subcommand.options:
            names.setdefault(option.field, set()).add(option.names)
    assert [field for field, variants in names.items() if len(variants) > 1] == []


# --- build --------------------------------------------------------------------------


def test_what_is_not_given_has_its_default():
    assert build(named("exec"), {"command": ["ls"]}) == ExecOptions(("ls",))
    assert build(named("run"), {}) == RunOptions()


def test_what_is_given_is_read():
    given = build(
        named("run"),
        {"operands": ["x"], "settings": ["a=1", "b=2"], "quiet": ["-q"], "jobs": ["2"]},
    )
    assert given == RunOptions(
        ("x",), jobs=Jobs(0, 2), settings={"a": "1", "b": "2"}, quiet=True
    )


def test_a_wrong_value_is_told_with_the_names_of_its_option():
    with pytest.raises(WrongValueError) as caught:
        build(named("exec"), {"command": ["ls"], "timeout": ["5x"]})
    assert caught.value.names == ("-t", "--timeout")
    assert "there is no unit `x`" in caught.value.reason
    assert str(caught.value).startswith("-t/--timeout: `5x`")


def test_there_is_no_subcommand_of_another_name():
    assert find("exe") is None
