"""Fingerprint: all that the result of a job depends on, part by part.

Two runs of a job with the same fingerprint are taken to make the same. The parts are
kept apart, so that it can be told which of them changed. What only says how long, how
often or beside what a job runs is no part of it. Values of the environment may be
secret: they appear as digests only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from penstock.model.job import Job, Link, Stage
from penstock.model.stream import Direct, Input, Output
from penstock.plan.digest import digest_of
from penstock.typed import NamedTuple

MISSING = "missing"
"""The content of an input that is not there."""

_SHELL = ("/bin/sh", "-c")
_LONGEST_SHOWN = 60
_LED_IN = 20  # characters shown before the first difference


class Part(NamedTuple):
    """One thing that the result depends on.

    Attributes:
        kind: what it is, e.g. "command", "input".
        name: which one, of those of its kind: a path, a variable, a stage.
        value: what it is now; of an input, the digest of its content.
    """

    kind: str
    name: str
    value: str


Fingerprint = tuple[Part, ...]


def describe(job: Job, contents: Mapping[str, str]) -> Fingerprint:
    """The fingerprint of `job`.

    Args:
        job: as defined.
        contents: for the path of each input, what stands for its content.
    """
    parts: list[Part] = []
    alone = len(job.stages) == 1
    for stage in job.stages:
        parts.extend(_describe_stage(stage, "" if alone else stage.name))
    if job.links:
        joined = " ".join(map(_describe_link, job.links))
        parts.append(Part("links", "", joined))
    if job.rule != "pipefail":
        parts.append(Part("rule", "", job.rule))
    if job.leaks == "fail":  # no other choice changes how a job ends
        parts.append(Part("leftovers", "", job.leaks))
    policy = job.policy
    parts.extend(Part("variable", name, value) for name, value in policy.variables)
    parts.extend(Part("output", path, "") for path in policy.outputs)
    parts.extend(Part("input", path, value) for path, value in contents.items())
    return tuple(parts)


def summary_of(parts: Fingerprint) -> str:
    """All of a fingerprint in 32 characters."""
    return digest_of("\0\0".join(["\0".join(part) for part in parts]))


def differences(was: Fingerprint, now: Fingerprint) -> tuple[str, ...]:
    """What changed from one fingerprint to the other, each in a few words."""
    before, after = _by_key(was), _by_key(now)
    told = []
    for key in {**after, **before}:
        old, new = before.get(key), after.get(key)
        if old != new and not _is_told_elsewhere(key, before, after):
            told.append(_tell(*key, old, new))
    return tuple(told)


@lru_cache
def _hidden(value: str) -> str:
    """The digest of a value that comes again and again."""
    return digest_of(value)


def _describe_link(link: Link) -> str:
    """Both ends; and what else there is to it, where it is no plain pipe."""
    ends = f"{link.source}>{link.target}"
    plain = Link(link.source, link.target)
    return ends if link == plain else f"{ends}:{'/'.join(map(str, link[2:]))}"


def _describe_stage(stage: Stage, name: str) -> Iterator[Part]:
    command = stage.command
    yield Part("command", name, "\0".join(command.argv))
    if command.ok != (0,):
        yield Part("exit codes", name, " ".join(map(str, command.ok)))
    if command.cwd is not None:
        yield Part("directory", name, command.cwd)
    for variable, value in command.env:
        yield Part("environment", variable, _hidden(value))
    streams = (stage.stdin, stage.stdout, stage.stderr)
    for kind, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
        if isinstance(stream, (Input, Output, Direct)):
            yield Part(kind, name, stream.path)


Key = tuple[str, str]


def _by_key(parts: Fingerprint) -> dict[Key, str]:
    """The values; of a variable of the environment, those that all stages give it.

    Its part does not say of which stage it is: that of the command before it.
    """
    values: dict[Key, str] = {}
    stage = ""
    for kind, name, value in parts:
        key = (kind, name)
        if kind == "command":
            stage = name
        if kind == "environment":
            values[key] = f"{values.get(key, '')}{stage}\0{value}\0"
        else:
            values[key] = value
    return values


def _is_told_elsewhere(
    key: Key, before: Mapping[Key, str], after: Mapping[Key, str]
) -> bool:
    """A variable is in the environment too; once is enough."""
    variable = ("variable", key[1])
    return key[0] == "environment" and before.get(variable) != after.get(variable)


def _tell(kind: str, name: str, old: str | None, new: str | None) -> str:
    what = f"{kind} {name}" if name else kind
    if old is None:
        return f"{what} is new"
    if new is None:
        return f"{what} is gone"
    if kind == "input":
        return f"{what} is missing" if new == MISSING else f"{what} changed"
    if kind in ("environment", "links"):
        return f"{what} changed"
    was, now = _shown(kind, old), _shown(kind, new)
    start = max(0, _first_difference(was, now) - _LED_IN)
    return f"{what} changed: was `{_cut(was, start)}`, is `{_cut(now, start)}`"


def _shown(kind: str, value: str) -> str:
    """A value as somebody would have typed it."""
    if kind != "command":
        return value
    words = tuple(value.split("\0"))
    if words[:2] == _SHELL and len(words) == len(_SHELL) + 1:
        return words[2]
    import shlex  # noqa: PLC0415 (only to tell somebody)

    return shlex.join(words)


def _first_difference(was: str, now: str) -> int:
    pairs: Iterable[tuple[str, str]] = zip(was, now, strict=False)
    shorter = min(len(was), len(now))
    return next((i for i, (a, b) in enumerate(pairs) if a != b), shorter)


def _cut(text: str, start: int) -> str:
    """As much of `text` as a line can hold, from shortly before what is different."""
    if len(text) <= _LONGEST_SHOWN:
        return text
    end = start + _LONGEST_SHOWN
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
