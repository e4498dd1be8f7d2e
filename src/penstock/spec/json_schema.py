"""JSON Schema of definition files (draft 2020-12), made from the table of fields.

For editors, and for whoever checks files without penstock. It says what a schema can
say; cycles, unknown variables and the like are for `load`. Every scalar is text to
penstock, and something else to YAML: `text` is therefore a string, number or boolean.
"""

from __future__ import annotations

from penstock.model.signals import SIGNAL_NAMES
from penstock.spec.schema import COMMANDS, FIELDS, PROGRAMS, Field, Kind, Where
from penstock.spec.shape import LONGEST_NAME

Json = dict[str, object]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SCALAR = ["string", "number", "boolean"]
_TEXT: Json = {"type": _SCALAR}
_FILLED: Json = {"type": _SCALAR, "minLength": 1}
_COMMAND: Json = {"type": _SCALAR, "pattern": "\\S"}
_VARIABLE: Json = {"pattern": "^[A-Za-z_][A-Za-z0-9_-]*$"}
_NUMBER = "[0-9]*[0-9.]?[0-9]+[.]?"
_DURATION = "^" + "".join(f"({_NUMBER}{unit})?" for unit in ("d", "h", "m", "s", "ms"))
_SIGNALS = "|".join((*SIGNAL_NAMES, "RTMIN([+]([12]?[0-9]|30))?"))
_SIGNAL = f"^(SIG)?({_SIGNALS})$|^(sig)?({_SIGNALS.lower()})$"
_NOT_ZERO = "(?=.*[1-9])"
_JOB_NAME: Json = {
    "pattern": "^[^-/\\u0000-\\u001f][^/\\u0000-\\u001f]*$",
    "not": {"enum": [".", ".."]},
    "minLength": 1,
    "maxLength": LONGEST_NAME,
}


def json_schema() -> Json:
    """The schema, as json.dumps takes it."""
    places: dict[Where, Json] = {
        "defaults": {},
        "job": _one_of(COMMANDS, "stderr"),
        "hook": _one_of(COMMANDS, "stderr"),
        "stage": _one_of(PROGRAMS),
        "named": _one_of(PROGRAMS),
        "retries": {"required": ["times"]},
        "service": {},
        "notify": {},
        "source": {"minProperties": 1, "maxProperties": 1},
    }
    top = _keys("file") | {"anyOf": [{"required": ["jobs"]}, {"required": ["include"]}]}
    defined = {where: _keys(where) | more for where, more in places.items()}
    return {
        "$schema": DIALECT,
        "title": "penstock definition file",
        **top,
        "$defs": defined,
    }


def _keys(where: Where) -> Json:
    """A mapping with the keys that may stand there, and no others."""
    properties = {
        field.name: {"description": field.doc, **_value(field)}
        for field in FIELDS
        if where in field.where
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _one_of(keys: tuple[str, ...], not_beside_pipe: str | None = None) -> Json:
    """That exactly one of the keys is there."""
    rule: Json = {"oneOf": [{"required": [key]} for key in keys]}
    if not_beside_pipe:
        rule["not"] = {"required": ["pipe", not_beside_pipe]}
    return rule


def _value(field: Field) -> Json:
    """What a field takes."""
    if field.choices:
        words: Json = {"enum": list(field.choices)}
        return words if field.kind == "choice" else _one_or_more(words)
    if field.kind == "duration":
        least = "" if field.name in ("grace", "backoff") else _NOT_ZERO
        return {"type": "string", "pattern": f"^(?=.){least}{_DURATION[1:]}$"}
    if field.kind in ("count", "counts", "retries"):
        return _counted(field)
    return _VALUES[field.kind]


def _counted(field: Field) -> Json:
    count = _whole(0 if field.name in ("times", "retries") else 1, None)
    if field.kind == "counts":
        return _mapping(count, {"minLength": 1}) | {"minProperties": 1}
    if field.kind == "retries":
        return {"anyOf": [count, _ref("retries")]}
    return count


def _whole(least: int, most: int | None) -> Json:
    """A whole number; in quotes it is one too."""
    number: Json = {"type": "integer", "minimum": least}
    if most is not None:
        number["maximum"] = most
    digits = {"type": "string", "pattern": "^-?(0|[1-9][0-9]{0,8})$"}
    return {"anyOf": [number, digits]}


def _list_of(item: Json) -> Json:
    return {"type": "array", "items": item, "minItems": 1}


def _one_or_more(item: Json) -> Json:
    return {"anyOf": [item, _list_of(item)]}


def _mapping(value: Json, names: Json) -> Json:
    return {"type": "object", "propertyNames": names, "additionalProperties": value}


def _or_null(value: Json) -> Json:
    return {"anyOf": [value, {"type": "null"}]}


def _ref(where: Where) -> Json:
    return {"$ref": f"#/$defs/{where}"}


_VALUES: dict[Kind, Json] = {
    "command": _COMMAND,
    "text": _FILLED,
    "texts": _list_of(_TEXT) | {"prefixItems": [_FILLED]},
    "codes": _one_or_more(_whole(0, 255)),
    "env": _or_null(_mapping(_TEXT, {"pattern": "^[^=]+$"})),
    "names": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
    "variables": _or_null(_mapping(_or_null(_TEXT), _VARIABLE)),
    "size": {
        "type": "string",
        "pattern": f"^{_NOT_ZERO}{_NUMBER}([KMGT]i?)?B$",
    },
    "signal": {"anyOf": [_whole(1, 64), {"type": "string", "pattern": _SIGNAL}]},
    "niceness": _whole(-20, 19),
    "function": {
        "type": "string",
        "pattern": "^[^\\W0-9]\\w*([.]\\w+)*:[^\\W0-9]\\w*([.]\\w+)*$",
    },
    "files": _one_or_more(_FILLED),
    "defaults": _or_null(_ref("defaults")),
    "jobs": _mapping(_ref("job"), _JOB_NAME) | {"minProperties": 1},
    "stages": _list_of({"anyOf": [_COMMAND, _ref("stage")]}),
    "graph": _mapping({"anyOf": [_COMMAND, _ref("named")]}, _VARIABLE)
    | {"minProperties": 1},
    "for": _mapping(
        {"anyOf": [_list_of(_TEXT) | {"uniqueItems": True}, _ref("source")]},
        _VARIABLE,
    )
    | {"minProperties": 1},
    "service": {"anyOf": [{"const": True}, _ref("service")]},
    "hook": {"anyOf": [_COMMAND, _ref("hook")]},
    "notify": _ref("notify"),
}
