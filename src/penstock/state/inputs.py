"""Inputs: which files a job reads, as far as it says."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping

from penstock.model.job import Family, Job, Pipeline
from penstock.model.stream import Input
from penstock.plan.fingerprint import MISSING
from penstock.state.contents import digest_below
from penstock.state.outputs import outputs_of, real

_MAGIC = re.compile(r"[*?[]")


class Inputs:
    """Knows the inputs of the jobs of a pipeline.

    They are what a job names in `inputs`, what its commands have as stdin, and the
    outputs of the jobs that it needs.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._made = {job.name: outputs_of(job) for job in pipeline.jobs}
        self._families: Mapping[str, Family] = {
            family.name: family for family in pipeline.families
        }

    def of(self, job: Job) -> tuple[str, ...]:
        """The paths, each once; what a pattern stands for is looked up now."""
        paths = [*named_inputs(job)]
        for need in job.needs:
            paths.extend(self._made_by(need))
        own = {real(path) for path in outputs_of(job)}  # a pattern may find them
        return tuple(path for path in dict.fromkeys(paths) if real(path) not in own)

    def _made_by(self, need: str) -> tuple[str, ...]:
        if need not in self._made and need in self._families:
            members = self._families[need].members()
            made = tuple(path for member in members for path in outputs_of(member))
            self._made[need] = made
        return self._made.get(need, ())


def named_inputs(job: Job) -> Iterator[str]:
    """What `job` itself says that it reads."""
    for pattern in job.policy.inputs:
        yield from _matches(pattern)
    for stage in job.stages:
        if isinstance(stage.stdin, Input):
            yield stage.stdin.path


def glance(path: str) -> str:
    """What can be told of a file without reading it: size and time of the change.

    Of a directory: that of all that is below it.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return MISSING
    if not stat.S_ISDIR(status.st_mode):
        return _change(status)
    try:
        return f"tree {digest_below(path, lambda file: _change(file.stat()))}"
    except OSError as error:
        return f"unreadable: {error}"


def contents_of(paths: tuple[str, ...], read: Callable[[str], str]) -> dict[str, str]:
    """What stands for the content of each, in the order of names."""
    return {path: read(path) for path in sorted(paths)}


def _change(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns}"


def _matches(pattern: str) -> Iterator[str]:
    """The files that a pattern stands for; a name that exists stands for itself."""
    if not _MAGIC.search(pattern) or os.path.lexists(pattern):
        yield pattern
        return
    from glob import iglob  # noqa: PLC0415 (only for patterns)

    yield from iglob(pattern, recursive=True)
