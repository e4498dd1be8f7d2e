"""Policy: what a job of a definition asks of its scheduler."""

from __future__ import annotations

import re

from penstock.model.command import Command
from penstock.model.job import Leaks, Rule
from penstock.model.policy import CAUSES, READY_WITHIN, Policy, Retry, Service
from penstock.spec.options import Entry, Fields, Options, fields_of, seconds_of, text_of
from penstock.spec.program import command_of, scalars_of
from penstock.spec.tree import Mapping
from penstock.spec.variables import Scope, fill_pattern, fill_text


def read_policy(fields: Fields, options: Options, scope: Scope) -> Policy:
    """What the keys of a job say.

    Args:
        fields: of the job, over those of `defaults`.
        options: for the commands of the policy.
        scope: of the job.
    """
    outputs = [fill_text(node, scope) for node in scalars_of(fields.get("outputs"))]
    inputs = [fill_pattern(node, scope) for node in scalars_of(fields.get("inputs"))]
    return Policy(
        retry=_retry(fields.get("retries")),
        slots=int(text_of(fields.get("slots")) or 1),
        resources=counts_of(fields.get("resources")),
        service=_service(fields.get("service"), options, scope),
        when=_command(fields.get("when"), options, scope),
        inputs=tuple(path for path in inputs if path is not None),
        outputs=tuple(path for path in outputs if path is not None),
    )


def counts_of(entry: Entry | None) -> tuple[tuple[str, int], ...]:
    """Names of counted things, with how many of each."""
    fields = fields_of(entry.value if entry else None)
    counts = ((name, text_of(count)) for name, count in fields.items())
    return tuple((name, int(count)) for name, count in counts if count)


def leaks_of(fields: Fields) -> Leaks:
    """What becomes of processes that the job leaves behind."""
    match text_of(fields.get("leftovers")):
        case "warn":
            return "warn"
        case "fail":
            return "fail"
        case "allow":
            return "allow"
        case _:
            return "kill"


def rule_of(fields: Fields) -> Rule:
    """Which stages decide whether the job succeeded."""
    match text_of(fields.get("rule")):
        case "last":
            return "last"
        case "strict":
            return "strict"
        case _:
            return "pipefail"


def variables_of(commands: list[Command], scope: Scope) -> tuple[tuple[str, str], ...]:
    """The variables that a job may depend on, as far as its text can tell.

    Those that were filled in, and those whose name is a word of a command: it may ask
    the environment for them.
    """
    values = scope.values
    if not values:
        return ()
    text = "\n".join(command.typed for command in commands)
    return tuple(
        (name, value)
        for name, value in values.items()
        if name in scope.used or (name in text and is_word_of(text, name))
    )


def is_word_of(text: str, name: str) -> bool:
    """Whether `name` stands in `text` as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _retry(entry: Entry | None) -> Retry:
    if entry is None:
        return Retry()
    if not isinstance(entry.value, Mapping):
        return Retry(int(text_of(entry) or 0))
    fields = fields_of(entry.value)
    causes = tuple(cause.text for cause in scalars_of(fields.get("on")))
    return Retry(
        int(text_of(fields.get("times")) or 0),
        seconds_of(fields.get("backoff")) or 0.0,
        causes or CAUSES,
    )


def _service(entry: Entry | None, options: Options, scope: Scope) -> Service | None:
    if entry is None or not isinstance(entry.value, Mapping):
        return None
    fields = fields_of(entry.value)
    ready = _command(fields.get("ready"), options, scope)
    return Service(ready, seconds_of(fields.get("within")) or READY_WITHIN)


def _command(entry: Entry | None, options: Options, scope: Scope) -> Command | None:
    if entry is None:
        return None
    return options.given_to(command_of(entry.value, scope))
