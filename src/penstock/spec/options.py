"""Options: what `defaults`, a job and a command may each say of how commands run."""

from __future__ import annotations

from typing import NamedTuple

from penstock.model.limits import GRACE, Limits
from penstock.spec.duration import parse_duration
from penstock.spec.tree import Mapping, Node, Scalar, Sequence
from penstock.spec.variables import Scope, fill_text


class Entry(NamedTuple):
    """One key of a mapping, and what it holds."""

    key: Scalar
    value: Node


Fields = dict[str, Entry]


class Options(NamedTuple):
    """What was said; None, or nothing in `env`, where nothing was."""

    timeout: float | None = None
    grace: float | None = None
    env: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None
    ok: tuple[int, ...] | None = None

    @property
    def limits(self) -> Limits:
        """The limits of whoever has these options."""
        return Limits(self.timeout, GRACE if self.grace is None else self.grace)


def fields_of(node: Node | None) -> Fields:
    """The keys of a mapping by name; none of anything else."""
    if not isinstance(node, Mapping):
        return {}
    return {key.text: Entry(key, value) for key, value in node.entries}


def read_options(fields: Fields, scope: Scope) -> Options:
    """The options among the keys of a job, a command or `defaults`."""
    return Options(
        timeout=_seconds(fields.get("timeout")),
        grace=_seconds(fields.get("grace")),
        env=_env(fields.get("env"), scope),
        cwd=fill_text(fields["cwd"].value, scope) if "cwd" in fields else None,
        ok=_codes(fields.get("ok")),
    )


def override(outer: Options, inner: Options) -> Options:
    """What holds where `inner` is said inside of `outer`: the nearest of each."""
    return Options(
        timeout=outer.timeout if inner.timeout is None else inner.timeout,
        grace=outer.grace if inner.grace is None else inner.grace,
        env=_merged(outer.env, inner.env),
        cwd=outer.cwd if inner.cwd is None else inner.cwd,
        ok=outer.ok if inner.ok is None else inner.ok,
    )


def _merged(
    outer: tuple[tuple[str, str], ...], inner: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Both, where `inner` wins; the same value as `outer` where that will do."""
    return tuple({**dict(outer), **dict(inner)}.items()) if inner else outer


def _seconds(entry: Entry | None) -> float | None:
    if entry is None or not isinstance(entry.value, Scalar):
        return None
    return parse_duration(entry.value.text)


def _codes(entry: Entry | None) -> tuple[int, ...] | None:
    if entry is None or not isinstance(entry.value, Sequence):
        return None
    return tuple(
        int(item.text) for item in entry.value.items if isinstance(item, Scalar)
    )


def _env(entry: Entry | None, scope: Scope) -> tuple[tuple[str, str], ...]:
    pairs = [
        (name, fill_text(field.value, scope))
        for name, field in fields_of(entry.value if entry else None).items()
    ]
    return tuple((name, text) for name, text in pairs if text is not None)
