"""Our own named tuples do what those of `typing` do, and cost less to make."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import typing

import pytest

from penstock import typed


class Ours(typed.NamedTuple):
    """A value."""

    first: int
    second: str
    third: str | None = None
    fourth: tuple[str, ...] = ()

    def doubled(self) -> int:
        return 2 * self.first


class Theirs(typing.NamedTuple):
    """A value."""

    first: int
    second: str
    third: str | None = None
    fourth: tuple[str, ...] = ()


class Empty(typed.NamedTuple):
    """A value that says nothing but that it is there."""


@pytest.mark.parametrize("field", ["_fields", "_field_defaults", "__match_args__"])
def test_a_class_knows_its_fields_as_in_typing(field):
    assert getattr(Ours, field) == getattr(Theirs, field)


def test_a_value_is_made_by_position_or_name():
    assert Ours(1, "two", fourth=("x",)) == (1, "two", None, ("x",))
    assert Ours(second="two", first=1) == (1, "two", None, ())
    assert Ours._make((1, "two", None, ())) == Ours(1, "two")
    assert Empty() == ()


def test_a_field_is_read_by_name_and_cannot_be_set():
    value = Ours(1, "two")
    assert (value.first, value.second, value.third, value.fourth) == tuple(value)
    assert value.doubled() == 2
    for name in ("first", "unheard"):
        with pytest.raises(AttributeError):
            setattr(value, name, 3)


def test_a_value_can_be_replaced_copied_pickled_and_shown():
    value = Ours(1, "two")
    assert value._replace(third="3") == Ours(1, "two", "3")
    assert value._asdict() == Theirs(1, "two")._asdict()
    assert repr(value) == repr(Theirs(1, "two")).replace("Theirs", "Ours")
    for twin in (copy.copy(value), copy.deepcopy(value)):
        assert (twin, type(twin)) == (value, Ours)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        twin = pickle.loads(pickle.dumps(value, protocol))
        assert (twin, type(twin)) == (value, Ours)


def test_a_pattern_takes_it_apart():
    match Ours(1, "two"):
        case Ours(first, second, fourth=()):
            assert (first, second) == (1, "two")
        case _:
            pytest.fail("no match")


def test_its_signature_tells_names_types_and_defaults():
    told = inspect.signature(Ours).parameters.values()
    assert [(p.name, p.annotation, p.default) for p in told] == [
        ("first", "int", inspect.Parameter.empty),
        ("second", "str", inspect.Parameter.empty),
        ("third", "str | None", None),
        ("fourth", "tuple[str, ...]", ()),
    ]
    assert typing.get_type_hints(Ours)["first"] is int


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda make: make(1), r"Ours.__new__\(\) missing 1 required .*'second'"),
        (lambda make: make(1, "two", fifth=5), "Ours.__new__.*unexpected.*'fifth'"),
        (lambda make: make._make((1, "two")), "2 values, not 4"),
        (lambda make: make(1, "two")._replace(fifth=5), "no such fields: fifth"),
    ],
)
def test_wrong_fields_are_refused(wrong, told):
    with pytest.raises(TypeError, match=told):
        wrong(Ours)


def test_the_values_of_a_literal_are_known():
    assert typed.get_args(typed.Literal["a", "b"]) == ("a", "b")
    assert typed.get_args(typed.Literal["a"]) == ("a",)


def test_a_class_can_be_generic():
    item = typed.TypeVar("item")

    class Box(typed.NamedTuple, typed.Generic[item]):
        content: item

    assert Box(3).content == 3


def test_typing_is_not_imported():
    script = "import sys, penstock.typed; print('typing' in sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert out == "False\n"
