"""Unused: variables of a definition that nothing seems to use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from penstock.model.job import Job
from penstock.spec.mistakes import shown
from penstock.spec.policy import is_word_of
from penstock.spec.tree import entries_of
from penstock.spec.variables import Declared


def unused_variables(
    files: Sequence[Declared], used: Collection[str], jobs: Iterable[Job]
) -> tuple[str, ...]:
    """A warning for each variable that no text uses, with its place.

    A command may ask the environment for a variable, which shows as a word of it; what
    a script does that it runs cannot be seen, so this is never more than a warning.
    """
    names = {
        key.text: (key, declared.mistakes.file)
        for declared in files
        for key, _ in entries_of(declared.node)
        if key.text not in used
    }
    if names:
        texts = [stage.command.typed for job in jobs for stage in job.stages]
        for name in list(names):
            if any(name in text and is_word_of(text, name) for text in texts):
                del names[name]
    return tuple(
        f"{file}:{key.spot.line}:{key.spot.column}: nothing here uses {shown(name)}"
        for name, (key, file) in names.items()
    )
