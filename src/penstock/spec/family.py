"""Family: the jobs that a `for` makes, one for each value or combination of values.

Values that stand in the file are combined and checked when it is read, if they are
not too many. All others are made one after the other when their turn comes: a million
of them need no memory, and what a glob finds is what is there then.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from math import prod

from penstock.model.job import Family, Job, Place
from penstock.spec.build import Defaults, Draft, build_job
from penstock.spec.disk import Disk
from penstock.spec.mistakes import Mistakes, shown
from penstock.spec.options import Options, override
from penstock.spec.tree import Mapping, Node, Scalar, Sequence, entries_of
from penstock.spec.values import is_passable
from penstock.spec.variables import Scope, fill_pattern, fill_text
from penstock.typed import NamedTuple

MOST_CHECKED = 1000
"""Members of a family that are all made, and checked, when the file is read."""

LONGEST_FAMILY_NAME = 120  # bytes, so that the name of a member is a name of a file
_LONGEST_LABEL = 50
_UNSAFE = frozenset(",[]~^")
_SLASH = "^"  # stands for `/` in the name of a job, and for nothing else


class Value(NamedTuple):
    """One value of one variable.

    Attributes:
        text: what it is.
        label: what stands for it in the name of a job.
        is_exact: no other value has that label.
    """

    text: str
    label: str
    is_exact: bool


class Source(NamedTuple):
    """Where the values of one variable come from.

    Attributes:
        name: of the variable.
        kind: "list", "glob" or "lines".
        texts: the values; or the pattern, or the path.
        node: what is filled in, for its place.
    """

    name: str
    kind: str
    texts: tuple[str, ...]
    node: Node


class _Plan(NamedTuple):
    """All that it takes to make the members."""

    name: Scalar
    node: Node
    sources: tuple[Source, ...]
    defaults: Defaults
    scope: Scope
    disk: Disk


def build_family(
    name: Scalar, node: Mapping, defaults: Defaults, scope: Scope, disk: Disk
) -> Draft:
    """The family called `name` that `node`, which has a `for`, describes."""
    entries = tuple((key, value) for key, value in node.entries if key.text != "for")
    (loop,) = (value for key, value in node.entries if key.text == "for")
    sources = _sources(loop, scope)
    one = Mapping(entries, node.spot)
    plan = _Plan(name, one, sources, defaults, scope, disk)
    if len(name.text.encode("utf-8", "replace")) > LONGEST_FAMILY_NAME:
        what = f"a job with a `for` has a name of {LONGEST_FAMILY_NAME} bytes at most"
        scope.mistakes.add(name.spot, what)
    drafts = list(_samples(plan))
    first = drafts[0]
    family = Family(
        name=name.text,
        needs=first.job.needs,
        members=lambda: _members(plan),
        place=Place(scope.mistakes.file, *name.spot),
    )
    return first._replace(
        job=first.job._replace(name=name.text),
        files=tuple(use for draft in drafts for use in draft.files),
        family=family,
    )


def _sources(loop: Node, scope: Scope) -> tuple[Source, ...]:
    """Where the values of each variable come from, as far as that is well said."""
    sources: list[Source] = []
    for key, node in entries_of(loop):
        if key.text in scope.values:
            what = f"{shown(key.text)} is the name of a variable of `vars` already"
            scope.mistakes.add(key.spot, what)
        source = _source(key, node, scope)
        # Where the values are wrong, the name is known all the same.
        unknown = Source(key.text, "list", (f"{{{{{key.text}}}}}",), node)
        sources.append(source or unknown)
    return tuple(sources)


def _source(key: Scalar, node: Node, scope: Scope) -> Source | None:
    if isinstance(node, Sequence):
        texts = [fill_text(item, scope) for item in node.items]
        known = tuple(text for text in texts if text is not None)
        return Source(key.text, "list", known, node) if known else None
    for kind, value in entries_of(node):
        fill = fill_pattern if kind.text == "glob" else fill_text
        text = fill(value, scope)
        if text is not None:
            return Source(key.text, kind.text, (text,), value)
    return None


def _samples(plan: _Plan) -> Iterator[Draft]:
    """All members, if they are known and few; else two that differ in every value.

    What is wrong with them is reported once, in the mistakes of the file.
    """
    listed = [source for source in plan.sources if source.kind == "list"]
    are_known = len(listed) == len(plan.sources)
    if are_known and prod(len(s.texts) for s in listed) <= MOST_CHECKED:
        combinations = _combinations(plan, plan.sources)
    else:
        combinations = iter(
            tuple(Value(f"{{{{{s.name}}}}}{n}", f"{n}", True) for s in plan.sources)  # noqa: FBT003 (a value)
            for n in (1, 2)
        )
    for values in combinations:
        mistakes = Mistakes(plan.scope.mistakes.file, plan.scope.text)
        draft = _member(plan, values, mistakes)
        plan.scope.mistakes.add_all(mistakes)
        mine = plan.scope.mistakes
        files = tuple(use._replace(mistakes=mine) for use in draft.files)
        yield draft._replace(mistakes=mine, files=files)


def _members(plan: _Plan) -> Iterator[Job]:
    """Every member, each made when it is asked for.

    Raises:
        DefinitionError: a value cannot be used, or its source cannot be read.
    """
    for values in _combinations(plan, plan.sources):
        mistakes = Mistakes(plan.scope.mistakes.file, plan.scope.text)
        draft = _member(plan, values, mistakes)
        mistakes.settle()
        yield draft.job


def _member(plan: _Plan, values: tuple[Value, ...], mistakes: Mistakes) -> Draft:
    """The member for these values."""
    pairs = {s.name: v.text for s, v in zip(plan.sources, values, strict=True)}
    used = plan.scope.used
    scope = Scope(plan.scope.text, {**plan.scope.values, **pairs}, mistakes, used)
    own = tuple((name, text) for name, text in pairs.items() if name.isidentifier())
    options = override(Options(env=own), plan.defaults.options)
    name = plan.name._replace(text=f"{plan.name.text}[{_label(values)}]")
    for source, value in zip(plan.sources, values, strict=True):
        if not is_passable(value.text):
            what = f"a value of {shown(source.name)} is what no command can take"
            mistakes.add(plan.name.spot, what + _where(source, value))
    return build_job(name, plan.node, plan.defaults._replace(options=options), scope)


def _combinations(
    plan: _Plan, sources: tuple[Source, ...]
) -> Iterator[tuple[Value, ...]]:
    """Every combination of the values, the last variable's changing first."""
    if not sources:
        yield ()
        return
    for value in _values(plan, sources[0]):
        for rest in _combinations(plan, sources[1:]):
            yield (value, *rest)


def _values(plan: _Plan, source: Source) -> Iterator[Value]:
    """The values of one variable, each time anew."""
    if source.kind == "lines":
        return _numbered(_lines(plan, source))
    texts = source.texts if source.kind == "list" else plan.disk.glob(source.texts[0])
    return (_value(text) for text in texts)


def _lines(plan: _Plan, source: Source) -> Iterator[str]:
    try:
        yield from plan.disk.lines(source.texts[0])
    except OSError as error:
        mistakes = Mistakes(plan.scope.mistakes.file, plan.scope.text)
        what = f"cannot read {shown(source.texts[0])}: {error.strerror}"
        mistakes.add(source.node.spot, what)
        mistakes.settle()


def _numbered(lines: Iterator[str]) -> Iterator[Value]:
    """The lines that are not empty; the number tells apart those that are alike."""
    for number, line in zip(count(1), lines, strict=False):
        if line:
            label = _value(line).label
            yield Value(line, f"{number}:{label}", is_exact=True)


def _where(source: Source, value: Value) -> str:
    """Where a value stands, if that is in another file."""
    if source.kind != "lines":
        return ""
    number = value.label.partition(":")[0]
    return f": line {number} of {shown(source.texts[0])} has a NUL in it"


def _value(text: str) -> Value:
    """A value, with a label that is safe in the name of a file."""
    safe = "".join(c if c.isprintable() and c not in _UNSAFE else "_" for c in text)
    safe = safe.replace("/", _SLASH)
    label = safe.encode()[:_LONGEST_LABEL].decode("utf-8", "ignore")
    return Value(text, label, is_exact=label.replace(_SLASH, "/") == text)


def _label(values: tuple[Value, ...]) -> str:
    """What stands in the brackets: the labels, and a mark where these may be shared."""
    label = ",".join(value.label for value in values)
    encoded = label.encode()
    if len(encoded) <= _LONGEST_LABEL and all(value.is_exact for value in values):
        return label
    from hashlib import blake2b  # noqa: PLC0415 (only where it is needed)

    whole = "\0".join(value.text for value in values)
    if any(value.is_exact and value.label != value.text for value in values):
        whole += "\0" + label  # numbers, which tell equal texts apart
    mark = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{encoded[:_LONGEST_LABEL].decode('utf-8', 'ignore')}~{mark}"
