"""Variables: what `vars` and `--set` give, in texts and in the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from penstock.spec import tree
from penstock.spec.mistakes import Mistakes, Spot, shown
from penstock.spec.quoting import UnquotableSlotError, fill_shell
from penstock.spec.template import Slot, Template, fill, parse_template, slots_of
from penstock.spec.values import is_passable
from penstock.typed import NamedTuple

_MOST_SHOWN = 12


class Scope(NamedTuple):
    """What a text of the definition is filled in with.

    Attributes:
        text: of the file, for finding where in it a `{{name}}` stands.
        values: every variable. One that has no value stands for itself, so that
            one mistake does not make more.
        mistakes: where to report.
        used: receives the names that were filled in.
    """

    text: str
    values: Mapping[str, str]
    mistakes: Mistakes
    used: set[str]

    @property
    def env(self) -> tuple[tuple[str, str], ...]:
        """The variables that the environment can hold: no name with `-`."""
        return tuple((k, v) for k, v in self.values.items() if k.isidentifier())


class Declared(NamedTuple):
    """The `vars` of one file.

    Attributes:
        node: None where there are none.
        mistakes: of the file.
    """

    node: tree.Node | None
    mistakes: Mistakes


def resolve(files: Sequence[Declared], settings: Mapping[str, str]) -> dict[str, str]:
    """The value of every variable: from the settings, else from the last that says.

    Args:
        files: what each declares; the last is the one that was asked for.
        settings: from the command line.
    """
    values: dict[str, str] = {}
    missing: dict[str, tuple[tree.Scalar, Mistakes]] = {}
    for declared in files:
        for key, node in tree.entries_of(declared.node):
            if isinstance(node, tree.Scalar) and not node.is_null:
                values[key.text] = node.text
            elif key.text not in values:
                values[key.text] = f"{{{{{key.text}}}}}"
                if isinstance(node, tree.Scalar):
                    missing[key.text] = key, declared.mistakes
    for name, (key, mistakes) in missing.items():
        if values[name] == f"{{{{{name}}}}}" and name not in settings:
            what = f"`{name}` has no value: give it with `--set {name}=...`"
            mistakes.add(key.spot, what)
    is_known = not any(isinstance(d.node, tree.Broken) for d in files)
    _set(values, settings, files[-1].mistakes, is_known=is_known)
    return values


def _set(
    values: dict[str, str],
    settings: Mapping[str, str],
    mistakes: Mistakes,
    *,
    is_known: bool,
) -> None:
    """Put the settings over the values; no new names."""
    for name, value in settings.items():
        if name not in values:
            hint = mistakes.suggestion(name, values) or _known(values)
            if is_known:
                mistakes.add(None, f"--set: there is no variable {shown(name)}{hint}")
        elif not is_passable(value):
            mistakes.add(None, f"--set: {shown(name)} holds what no command can take")
        else:
            values[name] = value


def fill_text(node: tree.Node, scope: Scope) -> str | None:
    """The text of `node`, filled in as it is; None if that is already wrong."""
    template = _template(node, scope)
    return None if template is None else fill(template, scope.values)


def fill_pattern(node: tree.Node, scope: Scope) -> str | None:
    """The glob pattern of `node`: what is filled in matches itself, unless raw."""
    template = _template(node, scope)
    if template is None:
        return None
    return "".join(
        piece
        if isinstance(piece, str)
        else piece.value(scope.values)
        if piece.raw
        else _escaped(piece.value(scope.values))
        for piece in template
    )


def _escaped(value: str) -> str:
    """A pattern that matches nothing but `value` (glob(7))."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in value)


def fill_command(node: tree.Node, scope: Scope) -> str | None:
    """The shell text of `node`, every value quoted; None if that is already wrong."""
    template = _template(node, scope)
    if template is None or not isinstance(node, tree.Scalar):
        return None
    try:
        return fill_shell(template, scope.values)
    except UnquotableSlotError as error:
        name = error.slot.name
        advice = f'write "${name}" there' if name.isidentifier() else "use `argv`"
        spot = dict(_spots(node, (error.slot,), scope.text))[error.slot]
        what = f"`{error.slot.text}` cannot be quoted here: {error.reason}; {advice}"
        scope.mistakes.add(spot, what)
        return None


def _template(node: tree.Node, scope: Scope) -> Template | None:
    """The text of `node` cut at its slots, which all have a value."""
    if not isinstance(node, tree.Scalar):
        return None
    template = parse_template(node.text)
    if len(template) == 1 and isinstance(template[0], str):
        return template
    scope.used.update(slot.name for slot in slots_of(template))
    unknown = tuple(s for s in slots_of(template) if s.name not in scope.values)
    for slot, spot in _spots(node, unknown, scope.text):
        hint = scope.mistakes.suggestion(slot.name, scope.values)
        hint = hint or _known(scope.values)
        scope.mistakes.add(spot, f"there is no variable {shown(slot.name)}{hint}")
    return None if unknown else template


def _spots(
    node: tree.Scalar, slots: tuple[Slot, ...], text: str
) -> list[tuple[Slot, Spot]]:
    """Where each slot stands; the start of `node` if it is written otherwise there."""
    found: list[tuple[Slot, Spot]] = []
    at, spot = node.start, node.spot
    for slot in slots:
        index = text.find(slot.text, at, node.end)
        if index < 0:
            found.append((slot, node.spot))
            continue
        here = spot.after(text[at:index])
        found.append((slot, here))
        at, spot = index + len(slot.text), here.after(slot.text)
    return found


def _known(names: Iterable[str]) -> str:
    some = [f"`{name}`" for name in islice(names, _MOST_SHOWN)]
    return f"; expected one of {', '.join(some)}" if some else "; there are no `vars`"
