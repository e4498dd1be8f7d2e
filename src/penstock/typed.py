"""Of `typing`, what every start needs, without what that costs.

`typing` takes 5 ms to import, and as long again to make the eighty named tuples of a
short run, since it compiles a text for each of them. Type checkers see the real ones
here; what these keep of them, and what not: docs/decisions/0095.
"""

from __future__ import annotations

__all__ = [
    "TYPE_CHECKING",
    "Generic",
    "Literal",
    "NamedTuple",
    "Protocol",
    "Self",
    "TypeVar",
    "get_args",
]

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from typing import (
        Generic,
        Literal,
        NamedTuple,
        Protocol,
        Self,
        TypeVar,
        get_args,
    )
else:
    from _collections import _tuplegetter  # what reads a field, in C

    _Alias = type(list[int])  # `types` takes 0.3 ms

    Self = object  # it stands in annotations, which nobody evaluates

    class Protocol:
        """The methods that something has to have."""

        __slots__ = ()

    class Generic:
        """A class that is told what is in it."""

        __slots__ = ()
        __class_getitem__ = classmethod(_Alias)

    class TypeVar:
        """What it is told: told to type checkers alone."""

        def __init__(self, name):
            self.__name__ = name

    class Literal:
        """One of the values in its brackets."""

        def __class_getitem__(cls, values):
            values = values if isinstance(values, tuple) else (values,)
            return type("Literal", (cls,), {"__args__": values})

    def get_args(literal):
        """The values that a `Literal` allows."""
        return literal.__args__

    _codes = {}  # of `__new__`, by the number of fields
    _names = {"make": tuple.__new__, "__name__": __name__}  # what it can see

    def _compile(number):
        """The code of a `__new__` for so many fields."""
        fields = [f"field_{position}" for position in range(number)]
        items = "".join(f"{field}, " for field in fields)
        text = f"lambda {', '.join(['_cls', *fields])}: make(_cls, ({items}))"
        return eval(text).__code__  # noqa: S307 (the text is ours)

    def _constructor(name, fields, defaults):
        """A `__new__` for these fields: that of any others, but for the names."""
        code = _codes.get(len(fields))
        if code is None:
            code = _codes[len(fields)] = _compile(len(fields))
        variables = ("_cls", *fields)
        code = code.replace(co_name="__new__", co_qualname=name, co_varnames=variables)
        return type(_compile)(code, _names, "__new__", defaults)

    class _Maker(type):
        """Makes the class of a named tuple from what its body says."""

        def __new__(cls, name, bases, body):
            types = body.setdefault("__annotations__", {})
            fields = tuple(types)
            defaults = {field: body[field] for field in fields if field in body}
            new = _constructor(f"{name}.__new__", fields, tuple(defaults.values()))
            new.__annotations__ = types
            body |= {
                field: _tuplegetter(position, None)
                for position, field in enumerate(fields)
            }
            body |= {
                "__new__": new,
                "__match_args__": fields,
                "__slots__": (),
                "_fields": fields,
                "_field_defaults": defaults,
            }
            return super().__new__(cls, name, bases, body)

    class NamedTuple(tuple, metaclass=_Maker):
        """A tuple whose items have names."""

        __slots__ = ()

        @classmethod
        def _make(cls, values):
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"{len(made)} values, not {len(cls._fields)}")
            return made

        def _replace(self, /, **changes):
            changed = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"no such fields: {', '.join(changes)}")
            return changed

        __replace__ = _replace  # for copy.replace()

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __reduce_ex__(self, _protocol):
            """For pickle and copy: what makes one, of what (`__reduce__` is slower)."""
            return type(self), tuple(self)

        def __repr__(self):
            pairs = zip(self._fields, self, strict=True)
            told = ", ".join(f"{field}={value!r}" for field, value in pairs)
            return f"{type(self).__name__}({told})"
