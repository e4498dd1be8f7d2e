"""A definition as a Makefile, for where there is make and no penstock. Pure text.

Each job becomes a target, its needs the prerequisites, its stages a pipeline of sh.
What plain make has nothing for (deadlines, retries ...) is named in a comment on top.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from penstock.errors import UsageError
from penstock.model.job import Job, Pipeline, Stage, chain
from penstock.model.policy import Policy
from penstock.model.stream import (
    Direct,
    Input,
    Null,
    Output,
    Stderr,
    Stdin,
    Stdout,
)
from penstock.report.accepted import accepting
from penstock.report.words import duration

_MOST = 10_000  # targets
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_MARKS = "@+-"  # at the start of a recipe they are make's


def format_makefile(pipeline: Pipeline) -> str:
    """`pipeline` as a Makefile; ends with a newline.

    Raises:
        UsageError: a job has something that a recipe of sh cannot say.
    """
    jobs, members = [*pipeline.jobs], dict[str, list[str]]()
    for family in pipeline.families:
        for job in family.members():
            members.setdefault(family.name, []).append(job.name)
            jobs.append(job._replace(needs=family.needs))
            if len(jobs) > _MOST:
                raise UsageError(f"more than {_MOST} jobs: too many for a Makefile")
    first = [pipeline.setup] if pipeline.setup is not None else []
    names = _targets([*(job.name for job in [*first, *jobs]), *members])
    goal = "all" if "all" not in names.values() else "all-jobs"
    lines = [*_head(pipeline, [*first, *jobs]), ""]
    targets = [names[job.name] for job in jobs]
    lines += [f".PHONY: {' '.join([goal, *names.values()])}"]
    lines += [f"{goal}: {' '.join(targets)}"]
    for family_name, of in members.items():
        lines += [f"{names[family_name]}: {' '.join(names[name] for name in of)}"]
    for number, job in enumerate([*first, *jobs], 1):
        setup = [] if job in first else [each.name for each in first]
        needs = "".join(f" {names[name]}" for name in (*setup, *job.needs))
        lines += ["", *_rule(job, names[job.name], needs, f"RECIPE_{number}")]
    return "\n".join(lines) + "\n"


def _targets(jobs: list[str]) -> dict[str, str]:
    """A target for each name of a job: without what means something to make."""
    targets: dict[str, str] = {}
    taken: set[str] = set()
    for job in jobs:
        target = "".join(char if char in _SAFE else "_" for char in job)
        target = target.lstrip(".") or "_"
        while target in taken:
            target += "_"
        taken.add(target)
        targets[job] = target
    return targets


def _head(pipeline: Pipeline, jobs: list[Job]) -> Iterator[str]:
    source = f" {pipeline.file}" if pipeline.file else ""
    yield f"# Made by `penstock graph --format make{source}`; change that, not this."
    yield "# For pipelines that fail with any of their commands: make SHELL=penstock-sh"
    lost = [*_lost(pipeline, jobs)]
    if lost:
        yield "#"
        yield "# Not in this Makefile:"
        yield from (f"#   {_one_line(text)}" for text in lost)
    yield ""
    yield "SHELL = /bin/sh"
    yield ".DELETE_ON_ERROR:"


def _lost(pipeline: Pipeline, jobs: list[Job]) -> Iterator[str]:
    """What make has nothing for."""
    for job in jobs:
        timeouts = [job.limits.timeout, *(s.limits.timeout for s in job.stages)]
        limits = dict.fromkeys(limit for limit in timeouts if limit is not None)
        told = ", ".join(map(duration, limits))
        if told:
            yield f"{job.name}: its timeout ({told})"
        if any(stage.command.memory for stage in job.stages):
            yield f"{job.name}: its memory limit"
        if job.policy._replace(inputs=(), outputs=(), variables=()) != Policy():
            yield f"{job.name}: its retries, slots, resources or condition"
    ends = {
        "teardown": pipeline.teardown,
        "on_success": pipeline.on_success,
        "on_failure": pipeline.on_failure,
        "always": pipeline.always,
    }
    yield from (name for name, job in ends.items() if job is not None)


def _rule(job: Job, target: str, needs: str, variable: str) -> Iterator[str]:
    """The lines of a target; `variable` may be used, its name is no other's."""
    text = _recipe(job)
    if "\n" not in text:
        yield f"{target}:{needs}"
        yield f"\t{text}"
        return
    yield f"define {variable}"  # a recipe line cannot hold a newline
    for line in text.split("\n"):
        # `$()` is nothing, and keeps make from seeing an end, or a continued line.
        start = "$()" if line.split()[:1] in (["endef"], ["define"]) else ""
        yield start + line + ("$()" if line.endswith("\\") else "")
    yield "endef"
    yield f"export {variable}"
    yield f"{target}:{needs}"
    yield f'\t@eval "$${variable}"'


def _recipe(job: Job) -> str:
    """The job as one text for sh, as a recipe spells it."""
    if job.policy.service is not None:
        raise UsageError(f"job {job.name} is a service: a Makefile has none")
    if job.links != chain(len(job.stages)):
        raise UsageError(f"job {job.name} is more than a chain: sh has no word for it")
    text = " | ".join(_stage(job, position) for position in range(len(job.stages)))
    for stage in job.stages:
        if isinstance(stage.stdout, Output):
            path = shlex.quote(stage.stdout.path)
            text += f" && mv -f {_partial(stage.stdout)} {path}"
    text = text.replace("$", "$$")
    return f"'{text[0]}'{text[1:]}" if text[0] in _MARKS else text


def _stage(job: Job, position: int) -> str:
    stage = job.stages[position]
    command = stage.command
    text = shlex.join(command.argv)
    if command.env:
        text = (
            f"env {shlex.join(f'{name}={value}' for name, value in command.env)} {text}"
        )
    if command.nice:
        text = f"nice -n {command.nice} {text}"
    text = accepting(text, command.ok)
    if command.cwd is not None:
        text = f"(cd {shlex.quote(command.cwd)} && {text})"
    return text + "".join(_redirections(job, stage, position))


def _redirections(job: Job, stage: Stage, position: int) -> Iterator[str]:
    if position == 0:
        yield _redirection("<", stage.stdin)
    if position + 1 == len(job.stages):
        yield _redirection(">", stage.stdout)
    yield _redirection("2>", stage.stderr)


def _redirection(sign: str, stream: Stdin | Stdout | Stderr) -> str:
    match stream:
        case Direct(path, "a"):
            return f" >>{shlex.quote(path)}"
        case Null(path) | Input(path) | Direct(path):
            return f" {sign}{shlex.quote(path)}"
        case Output():
            return f" {sign}{_partial(stream)}"
        case _:
            return ""


def _partial(output: Output) -> str:
    return shlex.quote(f"{output.path}.partial")


def _one_line(text: str) -> str:
    return " ".join(text.split())
