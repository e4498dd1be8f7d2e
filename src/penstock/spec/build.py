"""Build: one job of a definition, from its checked keys to a value of the model."""

from __future__ import annotations

import posixpath

from penstock.model.command import Command
from penstock.model.job import Family, Job, Link, Place, Stage, chain
from penstock.model.limits import Limits
from penstock.model.stream import Direct, Inherit, Input, Log, Null, Stdout
from penstock.spec.files import NAMED, FileUse, file_use, named_files, output
from penstock.spec.mistakes import Mistakes, Spot, listed, shown
from penstock.spec.options import (
    Entry,
    Fields,
    Options,
    fields_of,
    override,
    read_options,
    seconds_of,
)
from penstock.spec.policy import leaks_of, read_policy, rule_of, variables_of
from penstock.spec.program import read_program, scalars_of
from penstock.spec.schema import COMMANDS, PROGRAMS, Where, names_in
from penstock.spec.stages import is_path, links_of, members_of, within, without_paths
from penstock.spec.tree import Mapping, Node, Scalar, Sequence
from penstock.spec.variables import Scope
from penstock.spec.words import split_words
from penstock.typed import NamedTuple

_STREAMS = ("stdin", "stdout", "append", "stderr")
_LONGEST_STAGE_NAME = 40
_IN_NAMES = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
)


class Defaults(NamedTuple):
    """What a file says of all its jobs.

    Attributes:
        options: of every command.
        fields: all the keys, for what concerns jobs.
    """

    options: Options
    fields: Fields


class Draft(NamedTuple):
    """A job, and where the parts stand that must fit those of other jobs.

    Attributes:
        job: incomplete where a mistake was reported.
        spot: of its name.
        needs: each name, where it stands.
        files: what it reads and writes.
        resources: each name, where it stands.
        mistakes: of its file.
        family: if it stands for one; the job is then one of its members, or like one.
    """

    job: Job
    spot: Spot
    needs: tuple[Scalar, ...]
    files: tuple[FileUse, ...]
    resources: tuple[Scalar, ...]
    mistakes: Mistakes
    family: Family | None = None


def build_job(name: Scalar, node: Node, defaults: Defaults, scope: Scope) -> Draft:
    """The job called `name` that `node` describes."""
    outer, scope = scope, scope._replace(used=set())
    fields = fields_of(node) if isinstance(node, Mapping) else _one_command(name, node)
    own = read_options(fields, scope)
    options = override(defaults.options, own)
    if own.timeout is not None:
        # The job's own limit replaces the one that every command has by default.
        options = options._replace(timeout=None)
    all_fields = {**defaults.fields, **fields}
    policy = read_policy(all_fields, options, scope)
    uses = [use for key in NAMED for use in named_files(fields, key, name.text, scope)]
    stages, links = _stages_and_links(name, node, fields, options, scope, uses)
    needs = scalars_of(fields.get("needs"))
    commands = [stage.command for stage in stages]
    job = Job(
        name=name.text,
        stages=tuple(stages),
        links=links,
        needs=tuple(need.text for need in needs),
        limits=_limits(fields, options._replace(timeout=own.timeout)),
        place=Place(scope.mistakes.file, *name.spot),
        policy=policy._replace(variables=variables_of(commands, scope)),
        leaks=leaks_of(all_fields),
        rule=rule_of(fields),
    )
    outer.used.update(scope.used)
    counted = fields_of(fields["resources"].value) if "resources" in fields else {}
    things = tuple(entry.key for entry in counted.values())
    return Draft(job, name.spot, needs, tuple(uses), things, scope.mistakes)


def _one_command(name: Scalar, node: Node) -> Fields:
    """The keys of a job that is written as nothing but its command."""
    key = name._replace(text="run", spot=node.spot)
    return {"run": Entry(key, node)} if isinstance(node, Scalar) else {}


def _limits(fields: Fields, options: Options) -> Limits:
    """The limits of a job as a whole."""
    stall = seconds_of(fields.get("stall"))
    if stall is None:
        return options.limits
    return options.limits._replace(stall=stall, still=stall)


def _stages_and_links(
    name: Scalar,
    node: Node,
    fields: Fields,
    options: Options,
    scope: Scope,
    files: list[FileUse],
) -> tuple[list[Stage], tuple[Link, ...]]:
    """The commands of a job and what joins them; their files go to `files`."""
    if "stages" not in fields:
        stages = _stages(name, node, fields, options, scope, files)
        return stages, chain(len(stages))
    if not _is_alone(fields, scope):
        return [], ()
    return _graph(name, fields, options, scope, files)


def _graph(
    name: Scalar, fields: Fields, options: Options, scope: Scope, files: list[FileUse]
) -> tuple[list[Stage], tuple[Link, ...]]:
    """The stages of a graph, and its links."""
    for key in _STREAMS:
        if key in fields:
            what = f"`{key}` cannot stand beside `stages`: give it to one of them"
            scope.mistakes.add(fields[key].key.spot, what)
    members = members_of(fields["stages"])
    stages: list[Stage] = []
    used: list[set[str]] = []
    for member in members:
        _check_command(member.name.spot, member.part, "named", scope)
        inner = within(members, scope)
        uses = _files(member.part, name.text, inner)
        stage = _stage(member.part, options, inner, uses)
        typed = without_paths(stage.command.typed, inner.used)
        place = Place(scope.mistakes.file, *member.name.spot)
        command = stage.command._replace(typed=typed)
        stages.append(
            stage._replace(name=member.name.text, command=command, place=place)
        )
        files.extend(uses.values())
        used.append(inner.used)
        scope.used.update(n for n in inner.used if not is_path(n))
    return stages, links_of(members, used, scope)


def _stages(
    name: Scalar,
    node: Node,
    fields: Fields,
    options: Options,
    scope: Scope,
    files: list[FileUse],
) -> list[Stage]:
    """The commands of a job, named; what they read and write goes to `files`."""
    stages: list[Stage] = []
    parts = _parts(name, node, fields, scope)
    for position, (spot, part) in enumerate(parts):
        uses = _files(part, name.text, scope)
        stage = _stage(part, options, scope, uses)
        label = _stage_name(stage.command)
        stages.append(
            stage._replace(
                name=label if len(parts) == 1 else f"{position + 1}-{label}",
                place=Place(scope.mistakes.file, *spot),
            )
        )
        files.extend(uses.values())
    return stages


def _parts(
    name: Scalar, node: Node, fields: Fields, scope: Scope
) -> list[tuple[Spot, Fields]]:
    """The keys of each command of a job, and where it stands."""
    given = [fields[key] for key in COMMANDS if key in fields]
    if not given:
        if isinstance(node, Mapping) and _all_known(fields, "job"):
            what = f"job {shown(name.text)} does nothing"
            scope.mistakes.add(name.spot, f"{what}: give it one of {listed(COMMANDS)}")
        return []
    is_alone = _is_alone(fields, scope)
    if "pipe" in fields:
        return _pipe(fields, scope) if is_alone else []
    own = (*PROGRAMS, *_STREAMS)
    part = {key: entry for key, entry in fields.items() if key in own}
    return [(given[0].value.spot, part)]


def _is_alone(fields: Fields, scope: Scope) -> bool:
    """Whether a job says once what it runs; reports what says it again."""
    given = [fields[key] for key in COMMANDS if key in fields]
    for entry in sorted(given, key=lambda e: e.key.spot)[1:]:
        what = f"a job has only one of {listed(COMMANDS)}; this is another"
        scope.mistakes.add(entry.key.spot, what)
    return len(given) == 1


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
        _check_command(spot, part, "stage", scope)
        _check_streams(part, position, len(parts), scope)
    for key, end in (("stdin", 0), ("stdout", -1), ("append", -1)):
        if key in fields and parts:
            _give_stream(fields[key], parts[end][1], scope)
    return parts


def _part(key: Scalar, item: Node) -> Fields:
    """The keys of a command of a pipe; a mere text is its `run`."""
    return fields_of(item) if isinstance(item, Mapping) else {"run": Entry(key, item)}


def _check_command(spot: Spot, part: Fields, where: Where, scope: Scope) -> None:
    """Report a command that has nothing to run, or two things."""
    given = [part[key] for key in PROGRAMS if key in part]
    if not given and _all_known(part, where):
        whose = "a `pipe`" if where == "stage" else "`stages`"
        scope.mistakes.add(spot, f"a command of {whose} needs `run` or `argv`")
    for entry in sorted(given, key=lambda e: e.key.spot)[1:]:
        what = f"a command has only one of {listed(PROGRAMS)}; this is another"
        scope.mistakes.add(entry.key.spot, what)


def _check_streams(part: Fields, position: int, count: int, scope: Scope) -> None:
    """Report a file where a pipe is."""
    if "stdin" in part and position > 1:
        what = f"stdin of stage {position} is the stdout of stage {position - 1}"
        scope.mistakes.add(part["stdin"].key.spot, what)
    for key in ("stdout", "append"):
        if key in part and position < count:
            what = f"stdout of stage {position} feeds stage {position + 1}"
            scope.mistakes.add(part[key].key.spot, what)


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
    if "stdout" in part and "append" in part:
        what = "stdout goes to one file: `append` is another than `stdout`"
        scope.mistakes.add(part["append"].key.spot, what)
    uses = {k: file_use(part.get(k), job, scope) for k in _STREAMS if k in part}
    return {key: use for key, use in uses.items() if use}


def _stage(
    part: Fields, options: Options, scope: Scope, uses: dict[str, FileUse]
) -> Stage:
    """A command with its streams, not yet named."""
    mine = override(options, read_options(part, scope))
    command = mine.given_to(read_program(part, scope))
    stdin, stdout, append, stderr = (uses.get(k) for k in _STREAMS)
    out: Stdout = output(stdout.path, stdout.job) if stdout else Inherit(1)
    return Stage(
        name="",
        command=command,
        stdin=Input(stdin.path) if stdin else Null(),
        stdout=Direct(append.path, "a") if append else out,
        stderr=Direct(stderr.path) if stderr else Log(None),
        limits=mine.limits._replace(idle=mine.idle),
    )


def _stage_name(command: Command) -> str:
    """The program's name, as far as it can be seen, fit for the name of a file."""
    words = split_words(command.typed) or command.typed.split()
    programs = [word for word in words if "=" not in word]
    name = posixpath.basename(programs[0]) if programs else ""
    letters = "".join(c if c in _IN_NAMES else "_" for c in name)
    return letters[:_LONGEST_STAGE_NAME].strip("_.-") or "command"
