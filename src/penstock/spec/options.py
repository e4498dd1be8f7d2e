"""Options: what `defaults`, a job and a command may each say of how commands run."""

from __future__ import annotations

from penstock.model.command import Command
from penstock.model.limits import GRACE, Limits
from penstock.model.signals import signal_number
from penstock.spec.duration import parse_duration
from penstock.spec.size import parse_size
from penstock.spec.tree import Mapping, Node, Scalar, Sequence
from penstock.spec.variables import Scope, fill_text
from penstock.typed import NamedTuple, TypeVar

_T = TypeVar("_T")


class Entry(NamedTuple):
    """One key of a mapping, and what it holds."""

    key: Scalar
    value: Node


Fields = dict[str, Entry]


class Options(NamedTuple):
    """What was said; None, or nothing in `env`, where nothing was."""

    timeout: float | None = None
    idle: float | None = None
    grace: float | None = None
    env: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None
    ok: tuple[int, ...] | None = None
    signal: int | None = None
    nice: int | None = None
    memory: int | None = None

    @property
    def limits(self) -> Limits:
        """The limits of whoever has these options; `idle` is a command's only."""
        return Limits(self.timeout, GRACE if self.grace is None else self.grace)

    def given_to(self, command: Command) -> Command:
        """`command` with all of these that concern it."""
        return command._replace(
            env=self.env,
            cwd=self.cwd,
            ok=self.ok or command.ok,
            signal=self.signal or command.signal,
            nice=self.nice or command.nice,
            memory=self.memory,
        )


_KEYS = frozenset(Options._fields)
_NOTHING_SAID = Options()


def fields_of(node: Node | None) -> Fields:
    """The keys of a mapping by name; none of anything else."""
    if not isinstance(node, Mapping):
        return {}
    return {key.text: Entry(key, value) for key, value in node.entries}


def read_options(fields: Fields, scope: Scope) -> Options:
    """The options among the keys of a job, a command or `defaults`."""
    if _KEYS.isdisjoint(fields):
        return _NOTHING_SAID
    nice, memory = text_of(fields.get("nice")), text_of(fields.get("memory"))
    return Options(
        timeout=seconds_of(fields.get("timeout")),
        idle=seconds_of(fields.get("idle")),
        grace=seconds_of(fields.get("grace")),
        env=_env(fields.get("env"), scope),
        cwd=fill_text(fields["cwd"].value, scope) if "cwd" in fields else None,
        ok=_codes(fields.get("ok")),
        signal=signal_number(text_of(fields.get("signal")) or ""),
        nice=int(nice) if nice else None,
        memory=parse_size(memory) if memory else None,
    )


def override(outer: Options, inner: Options) -> Options:
    """What holds where `inner` is said inside of `outer`: the nearest of each."""
    if inner is _NOTHING_SAID:
        return outer
    return Options(
        timeout=_nearest(outer.timeout, inner.timeout),
        idle=_nearest(outer.idle, inner.idle),
        grace=_nearest(outer.grace, inner.grace),
        env=_merged(outer.env, inner.env),
        cwd=_nearest(outer.cwd, inner.cwd),
        ok=_nearest(outer.ok, inner.ok),
        signal=_nearest(outer.signal, inner.signal),
        nice=_nearest(outer.nice, inner.nice),
        memory=_nearest(outer.memory, inner.memory),
    )


def text_of(entry: Entry | None) -> str | None:
    """The text that a key holds, if it holds one."""
    if entry is None or not isinstance(entry.value, Scalar):
        return None
    return entry.value.text


def seconds_of(entry: Entry | None) -> float | None:
    """The seconds that a key holds, if it holds a time."""
    text = text_of(entry)
    return None if text is None else parse_duration(text)


def _nearest(outer: _T | None, inner: _T | None) -> _T | None:
    return outer if inner is None else inner


def _merged(
    outer: tuple[tuple[str, str], ...], inner: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Both, where `inner` wins; the same value as `outer` where that will do."""
    return tuple({**dict(outer), **dict(inner)}.items()) if inner else outer


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
