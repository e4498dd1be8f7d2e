"""Load: the text of a definition file to a `Pipeline`; opens nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from penstock.model.job import Pipeline
from penstock.spec.build import Defaults, Draft, build_job
from penstock.spec.disk import Disk, NoDisk
from penstock.spec.family import build_family
from penstock.spec.files import check_files
from penstock.spec.graph import (
    check_names,
    check_needs,
    check_resources,
    check_services,
)
from penstock.spec.mistakes import Mistakes, settle, shown
from penstock.spec.options import (
    Fields,
    Options,
    fields_of,
    override,
    read_options,
)
from penstock.spec.policy import counts_of
from penstock.spec.source import Source, read_sources
from penstock.spec.tree import Mapping as MappingNode
from penstock.spec.tree import Node, Scalar, entries_of
from penstock.spec.unused import unused_variables
from penstock.spec.variables import Declared, Scope, resolve
from penstock.typed import NamedTuple

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

# What `defaults` says of jobs, next to what it says of commands.
_OF_JOBS = ("retries", "leftovers")


class Definition(NamedTuple):
    """What a definition file says.

    Attributes:
        pipeline: all of it.
        warnings: what is allowed but hardly meant, each with its place.
    """

    pipeline: Pipeline
    warnings: tuple[str, ...]


def load(
    data: bytes | str,
    *,
    file: str,
    settings: Mapping[str, str] = _NO_SETTINGS,
    disk: Disk | None = None,
) -> Pipeline:
    r"""The pipeline that `data` defines.

    >>> load("jobs:\n  hello:\n    run: uname -s\n", file="x.yaml").jobs[0].name
    'hello'

    Args:
        data: the definition, UTF-8 if it is bytes.
        file: its name, for messages, and for what it includes.
        settings: values for variables, over those of the definition.
        disk: where other files are; without one, there are none.

    Raises:
        DefinitionError: with everything that is wrong with it.
    """
    return examine(data, file=file, settings=settings, disk=disk).pipeline


def examine(
    data: bytes | str,
    *,
    file: str,
    settings: Mapping[str, str] = _NO_SETTINGS,
    disk: Disk | None = None,
) -> Definition:
    """As `load`; with all that is to be said of the definition."""
    disk = disk or NoDisk()
    sources = read_sources(data, file, disk)
    if not all(source.fields for source in sources):
        settle(source.mistakes for source in sources)  # what else is said is unknown
    declared = [Declared(_value(s.fields, "vars"), s.mistakes) for s in sources]
    scope = Scope("", resolve(declared, settings), sources[-1].mistakes, set())
    drafts: list[Draft] = []
    hooks: dict[str, Draft] = {}
    for source in sources:
        here = Scope(source.text, scope.values, source.mistakes, scope.used)
        defaults = _defaults(source, here)
        drafts += _drafts(source, defaults, here, disk)
        hooks = _hooks(source, defaults, here)  # those of the last are the only ones
    check_names([*hooks.values(), *drafts])
    check_needs(drafts)
    check_files([use for draft in (*drafts, *hooks.values()) for use in draft.files])
    resources = _resources(sources)
    check_resources(drafts, resources, scope.mistakes)
    check_services(drafts)
    settle(source.mistakes for source in sources)
    side = {name: draft.job for name, draft in hooks.items()}
    pipeline = Pipeline(
        jobs=tuple(draft.job for draft in drafts if not draft.family),
        file=file,
        families=tuple(draft.family for draft in drafts if draft.family),
        resources=tuple(resources.items()),
        setup=side.get("setup"),
        teardown=side.get("teardown"),
        on_success=side.get("on_success"),
        on_failure=side.get("on_failure"),
        always=side.get("always"),
    )
    everything = [*(draft.job for draft in drafts), *side.values()]
    return Definition(pipeline, unused_variables(declared, scope.used, everything))


def _value(fields: Fields, key: str) -> Node | None:
    return fields[key].value if key in fields else None


def _defaults(source: Source, scope: Scope) -> Defaults:
    fields = fields_of(_value(source.fields, "defaults"))
    said = read_options(fields, scope)
    of_jobs = {key: fields[key] for key in _OF_JOBS if key in fields}
    return Defaults(override(Options(env=scope.env), said), of_jobs)


def _drafts(
    source: Source, defaults: Defaults, scope: Scope, disk: Disk
) -> list[Draft]:
    """The jobs and families of one file."""
    drafts: list[Draft] = []
    for name, node in entries_of(_value(source.fields, "jobs")):
        loop = _value(fields_of(node), "for")
        if isinstance(loop, MappingNode) and isinstance(node, MappingNode):
            drafts.append(build_family(name, node, defaults, scope, disk))
        elif loop is None:
            drafts.append(build_job(name, node, defaults, scope))
        else:  # its variables are not known, so that nothing can be said of the rest
            unheard = scope._replace(mistakes=Mistakes(scope.mistakes.file, scope.text))
            draft = build_job(name, node, defaults, unheard)
            drafts.append(draft._replace(mistakes=scope.mistakes))
    return drafts


def _hooks(source: Source, defaults: Defaults, scope: Scope) -> dict[str, Draft]:
    """The jobs of `setup`, `teardown` and `notify`, by these names."""
    fields = source.fields
    given = [fields[key] for key in ("setup", "teardown") if key in fields]
    given += fields_of(_value(source.fields, "notify")).values()
    return {
        entry.key.text: build_job(entry.key, entry.value, defaults, scope)
        for entry in given
        if isinstance(entry.value, Scalar | MappingNode)
    }


def _resources(sources: tuple[Source, ...]) -> dict[str, int]:
    """How many there are of each counted thing; one file may say so."""
    counts: dict[str, int] = {}
    for source in sources:
        entry = source.fields.get("resources")
        for name, number in counts_of(entry):
            if counts.setdefault(name, number) != number:
                what = f"another file says {counts[name]} of {shown(name)}"
                spot = fields_of(entry.value if entry else None)[name].key.spot
                source.mistakes.add(spot, what)
    return counts
