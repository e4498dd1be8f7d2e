"""Build: one job of a definition, from its checked keys to a value of the model."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from penstock.model.command import Command
from penstock.model.job import Job, Place, Stage, chain
from penstock.model.stream import Direct, Inherit, Input, Log, Null
from penstock.spec.files import FileUse, file_use, output
from penstock.spec.mistakes import Spot, shown
from penstock.spec.options import (
    Entry,
    Fields,
    Options,
    fields_of,
    override,
    read_options,
)
from penstock.spec.quoting import quote
from penstock.spec.schema import COMMANDS, Where, names_in
from penstock.spec.tree import Mapping, Node, Scalar, Sequence
from penstock.spec.variables import Scope, fill_command, fill_text
from penstock.spec.words import command_from_text, split_words

# MAX_ARG_STRLEN of Linux (execve(2)), with the NUL at the end.
LONGEST_ARGUMENT_BYTES = 131_072

_LONGEST_STAGE_NAME = 40
_IN_NAMES = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
)


class Draft(NamedTuple):
    """A job, and where the parts stand that must fit those of other jobs.

    Attributes:
        job: incomplete where a mistake was reported.
        spot: of its name.
        needs: each name, where it stands.
        files: what it reads and writes.
    """

    job: Job
    spot: Spot
    needs: tuple[Scalar, ...]
    files: tuple[FileUse, ...]


def build_job(
    name: Scalar, node: Node, defaults: Options, scope: Scope, file: str
) -> Draft:
    """The job called `name` that `node` describes."""
    fields = fields_of(node)
    own = read_options(fields, scope)
    options = override(defaults, own)
    if own.timeout is not None:
        # The job's own limit replaces the one that every command has by default.
        options = options._replace(timeout=None)
    stages: list[Stage] = []
    files: list[FileUse] = []
    parts = _parts(name, node, fields, scope)
    for position, (spot, part) in enumerate(parts):
        uses = _files(part, name.text, scope)
        stage = _stage(part, options, scope, uses)
        label = _stage_name(stage.command)
        stages.append(
            stage._replace(
                name=label if len(parts) == 1 else f"{position + 1}-{label}",
                place=Place(file, *spot),
            )
        )
        files.extend(uses.values())
    needs = _scalars(fields.get("needs"))
    job = Job(
        name=name.text,
        stages=tuple(stages),
        links=chain(len(stages)),
        needs=tuple(need.text for need in needs),
        limits=options._replace(timeout=own.timeout).limits,
        place=Place(file, *name.spot),
    )
    return Draft(job, name.spot, needs, tuple(files))


def _parts(
    name: Scalar, node: Node, fields: Fields, scope: Scope
) -> list[tuple[Spot, Fields]]:
    """The keys of each command of a job, and where it stands."""
    given = [fields[key] for key in COMMANDS if key in fields]
    if not given:
        if isinstance(node, Mapping) and _all_known(fields, "job"):
            what = (
                f"job {shown(name.text)} does nothing: give it `run`, `argv` or `pipe`"
            )
            scope.mistakes.add(name.spot, what)
        return []
    for entry in sorted(given, key=lambda e: e.key.spot)[1:]:
        what = "a job has only one of `run`, `argv` and `pipe`; this is another"
        scope.mistakes.add(entry.key.spot, what)
    if "pipe" in fields:
        return _pipe(fields, scope) if len(given) == 1 else []
    own = ("run", "argv", "stdin", "stdout", "stderr")
    part = {key: entry for key, entry in fields.items() if key in own}
    return [(given[0].value.spot, part)]


def _pipe(fields: Fields, scope: Scope) -> list[tuple[Spot, Fields]]:
    """The commands of a pipe, the ends of which have the job's own streams."""
    pipe = fields["pipe"]
    items = pipe.value.items if isinstance(pipe.value, Sequence) else ()
    parts = [(item.spot, _part(pipe.key, item)) for item in items]
    if "stderr" in fields:
        scope.mistakes.add(
            fields["stderr"].key.spot,
            "`stderr` cannot stand beside `pipe`, as each command would empty the "
            "file: give it to one of them, {run: ..., stderr: ...}",
        )
    for position, (spot, part) in enumerate(parts, start=1):
        _check_command(spot, part, scope)
        _check_streams(part, position, len(parts), scope)
    for key, end in (("stdin", 0), ("stdout", -1)):
        if key in fields and parts:
            _give_stream(fields[key], parts[end][1], scope)
    return parts


def _part(key: Scalar, item: Node) -> Fields:
    """The keys of a command of a pipe; a mere text is its `run`."""
    return fields_of(item) if isinstance(item, Mapping) else {"run": Entry(key, item)}


def _check_command(spot: Spot, part: Fields, scope: Scope) -> None:
    """Report a command of a pipe that has nothing to run, or two things."""
    given = [part[key] for key in ("run", "argv") if key in part]
    if not given and _all_known(part, "stage"):
        scope.mistakes.add(spot, "a command of a `pipe` needs `run` or `argv`")
    for entry in sorted(given, key=lambda e: e.key.spot)[1:]:
        what = "a command has only one of `run` and `argv`; this is another"
        scope.mistakes.add(entry.key.spot, what)


def _check_streams(part: Fields, position: int, count: int, scope: Scope) -> None:
    """Report a file where a pipe is."""
    if "stdin" in part and position > 1:
        what = f"stdin of stage {position} is the stdout of stage {position - 1}"
        scope.mistakes.add(part["stdin"].key.spot, what)
    if "stdout" in part and position < count:
        what = f"stdout of stage {position} feeds stage {position + 1}"
        scope.mistakes.add(part["stdout"].key.spot, what)


def _give_stream(entry: Entry, part: Fields, scope: Scope) -> None:
    """Makes a stream of a job that of its first or last command."""
    key = entry.key.text
    if key in part:
        line = part[key].key.spot.line
        what = f"`{key}` of the whole job is also given on line {line}"
        scope.mistakes.add(entry.key.spot, what)
    part[key] = entry


def _all_known(fields: Fields, where: Where) -> bool:
    """Whether no key was refused, which might have been the one that is missing."""
    return set(fields) <= set(names_in(where))


def _files(part: Fields, job: str, scope: Scope) -> dict[str, FileUse]:
    """The files that a command has instead of its streams."""
    uses = {k: file_use(part.get(k), job, scope) for k in ("stdin", "stdout", "stderr")}
    return {key: use for key, use in uses.items() if use}


def _stage(
    part: Fields, options: Options, scope: Scope, uses: dict[str, FileUse]
) -> Stage:
    """A command with its streams, not yet named."""
    mine = override(options, read_options(part, scope))
    command = _command(part, scope)._replace(
        env=mine.env, cwd=mine.cwd, ok=mine.ok or (0,)
    )
    stdin, stdout, stderr = (uses.get(k) for k in ("stdin", "stdout", "stderr"))
    return Stage(
        name="",
        command=command,
        stdin=Input(stdin.path) if stdin else Null(),
        stdout=output(stdout.path, stdout.job) if stdout else Inherit(1),
        stderr=Direct(stderr.path) if stderr else Log(None),
        limits=mine.limits,
    )


def _command(part: Fields, scope: Scope) -> Command:
    """What is run; no words at all where that is already reported."""
    if "run" in part:
        text = fill_command(part["run"].value, scope)
        if text is None or _is_too_long(text, part["run"].value, scope):
            return Command((), "")
        return command_from_text(text)
    words = _words(part.get("argv"), scope)
    return Command(words, " ".join(map(quote, words)))


def _words(entry: Entry | None, scope: Scope) -> tuple[str, ...]:
    words: list[str] = []
    for item in _scalars(entry):
        text = fill_text(item, scope)
        if text is not None and not _is_too_long(text, item, scope):
            words.append(text)
    return tuple(words)


def _is_too_long(text: str, node: Node, scope: Scope) -> bool:
    """Reports what the kernel would refuse to hand to a program."""
    too_long = len(text.encode("utf-8", "surrogateescape")) >= LONGEST_ARGUMENT_BYTES
    if too_long:
        scope.mistakes.add(
            node.spot, "longer than 128 KiB, which no program can be given: use a file"
        )
    return too_long


def _scalars(entry: Entry | None) -> tuple[Scalar, ...]:
    if entry is None or not isinstance(entry.value, Sequence):
        return ()
    return tuple(item for item in entry.value.items if isinstance(item, Scalar))


def _stage_name(command: Command) -> str:
    """The program's name, as far as it can be seen, fit for the name of a file."""
    words = split_words(command.typed) or command.typed.split()
    programs = [word for word in words if "=" not in word]
    name = posixpath.basename(programs[0]) if programs else ""
    letters = "".join(c if c in _IN_NAMES else "_" for c in name)
    return letters[:_LONGEST_STAGE_NAME].strip("_.-") or "command"
