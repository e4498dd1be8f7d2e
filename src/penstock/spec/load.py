"""Load: the text of a definition file to a `Pipeline`; opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from penstock.errors import DefinitionError
from penstock.model.job import Pipeline
from penstock.spec import tree
from penstock.spec.build import Draft, build_job
from penstock.spec.files import check_files
from penstock.spec.graph import check_needs
from penstock.spec.mistakes import Mistakes, Spot
from penstock.spec.options import Fields, Options, fields_of, override, read_options
from penstock.spec.schema import names_in
from penstock.spec.shape import check_fields
from penstock.spec.variables import Scope, resolve

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def load(
    data: bytes | str, *, file: str, settings: Mapping[str, str] = _NO_SETTINGS
) -> Pipeline:
    r"""The pipeline that `data` defines.

    >>> load("jobs:\n  hello:\n    run: uname -s\n", file="x.yaml").jobs[0].name
    'hello'

    Args:
        data: the definition, UTF-8 if it is bytes.
        file: its name, for messages.
        settings: values for variables, over those of the definition.

    Raises:
        DefinitionError: with everything that is wrong with it.
    """
    # PyYAML takes longer to import than a short command to run.
    from penstock.spec.syntax import parse_tree  # noqa: PLC0415

    text = _decoded(data, file)
    mistakes = Mistakes(file, text)
    top = parse_tree(text, mistakes)
    drafts: list[Draft] = []
    if top is not None:
        fields = _top_fields(top, mistakes)
        drafts = _drafts(fields, settings, text, mistakes, file)
        check_needs(drafts, mistakes)
        check_files([use for draft in drafts for use in draft.files], mistakes)
    mistakes.settle()
    return Pipeline(tuple(draft.job for draft in drafts), file)


def _decoded(data: bytes | str, file: str) -> str:
    """The text, without the mark that some editors put before it."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        spot = Spot(1, 1).after(before)
        byte = data[error.start]
        raise DefinitionError(
            (f"{file}:{spot.line}:{spot.column}: byte 0x{byte:02x} is not UTF-8",)
        ) from None


def _top_fields(top: tree.Mapping, mistakes: Mistakes) -> Fields:
    """`vars`, `defaults` and `jobs`, each of the right kind."""
    fields = fields_of(check_fields(top, "file", mistakes))
    # A key that was refused may well be the one that is missing.
    if "jobs" not in fields and set(fields) <= set(names_in("file")):
        mistakes.add(top.spot, "there are no `jobs`: nothing would be run")
    return fields


def _drafts(
    fields: Fields,
    settings: Mapping[str, str],
    text: str,
    mistakes: Mistakes,
    file: str,
) -> list[Draft]:
    declared = fields["vars"].value if "vars" in fields else None
    scope = Scope(text, resolve(declared, settings, mistakes), mistakes)
    outer = fields["defaults"].value if "defaults" in fields else None
    said = read_options(fields_of(outer), scope)
    defaults = override(Options(env=scope.env), said)
    jobs = fields["jobs"].value if "jobs" in fields else None
    entries = jobs.entries if isinstance(jobs, tree.Mapping) else ()
    return [build_job(name, node, defaults, scope, file) for name, node in entries]
