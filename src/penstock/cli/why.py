"""``penstock why``: which jobs are up to date, and why the others will be run."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from penstock.cli.definition import all_settings, read_definition
from penstock.cli.lines.why import WhyOptions
from penstock.cli.streams import warn
from penstock.cli.upkeep import HOME, name_definition
from penstock.clock import MonotonicClock
from penstock.model.job import Job, Pipeline
from penstock.report.plain import visible
from penstock.spec.select import select
from penstock.state.entry import Success
from penstock.state.judge import Judge, is_watched
from penstock.state.memory import STORE
from penstock.state.outputs import outputs_of
from penstock.state.store import Store
from penstock.typed import NamedTuple

_SERVICE = "it is a service"
_NO_OUTPUTS = "it has no `outputs`, by which one could tell that it is done"


class _Answer(NamedTuple):
    """What there is to say of a job.

    Attributes:
        reasons: why it will be run; none: it is up to date.
        changing: jobs whose outputs it reads, and which will be run before it.
        success: the last one, if it is remembered.
    """

    reasons: tuple[str, ...]
    changing: tuple[str, ...]
    success: Success | None


def main(given: WhyOptions) -> int:
    """Tell it on standard output; 0."""
    path, names = given.target(os.path.exists)
    settings = all_settings(given.settings, given.setting_files)
    pipeline = read_definition(path, settings)
    select(pipeline, names)  # tells of names that are none
    file = os.path.join(HOME, STORE)
    with closing(_open(file)) as store:
        answers = _Answers(pipeline, store)
        for job in _wanted(pipeline, names):
            answer = answers.of(job)
            told = _as_json(job, answer) if given.json else _as_text(job, answer)
            sys.stdout.write(told)
    return 0


class _Answers:
    """Finds the answers, each once."""

    def __init__(self, pipeline: Pipeline, store: Store) -> None:
        definition, clock = name_definition(pipeline.file), MonotonicClock()
        self._judge = Judge(pipeline, definition, lambda: store, clock)
        self._jobs = {job.name: job for job in pipeline.jobs}
        self._families = {family.name: family for family in pipeline.families}
        self._known: dict[str, bool] = {}

    def of(self, job: Job) -> _Answer:
        """The answer for one job."""
        if job.policy.service is not None:
            return _Answer((_SERVICE,), (), None)
        if not is_watched(job):
            return _Answer((_NO_OUTPUTS,), (), None)
        verdict = self._judge.judge(job, self._judge.fingerprint(job))
        changing = [need for need in job.needs if self._may_change(need)]
        return _Answer(verdict.reasons, tuple(changing), verdict.success)

    def _may_change(self, need: str) -> bool:
        """Whether a job that is needed will, or may, make its outputs anew."""
        waiting = [need]  # a chain may be longer than Python's own stack
        while need not in self._known:
            name = waiting[-1]
            unknown = [n for n in self._needs_of(name) if n not in self._known]
            waiting.extend(unknown)
            if not unknown:
                waiting.pop()
                self._known[name] = any(map(self._will_make, self._named(name)))
        return self._known[need]

    def _will_make(self, job: Job) -> bool:
        """Whether `job` may change a file; what it needs is known."""
        if not outputs_of(job):
            return False
        answer = self.of(job)
        return bool(answer.reasons or answer.changing)

    def _needs_of(self, name: str) -> tuple[str, ...]:
        found = self._families.get(name) or self._jobs.get(name)
        return found.needs if found else ()

    def _named(self, need: str) -> Iterator[Job]:
        if need in self._families:
            yield from self._families[need].members()
        elif need in self._jobs:
            yield self._jobs[need]


def _open(file: str) -> Store:
    """What is remembered; nothing, and no file is made, where there is none."""
    return Store.open(file, warn) if os.path.exists(file) else Store(None, file, warn)


def _wanted(pipeline: Pipeline, names: Sequence[str]) -> Iterator[Job]:
    """The jobs that are asked about, in order; those of families last."""
    yield from (job for job in pipeline.jobs if not names or job.name in names)
    for family in pipeline.families:
        whole = not names or family.name in names
        yield from (job for job in family.members() if whole or job.name in names)


def _as_text(job: Job, answer: _Answer) -> str:
    name = visible(job.name)
    if answer.reasons:
        reasons = "".join(f"  {visible(reason)}\n" for reason in answer.reasons)
        return f"{name}: will be run\n{reasons}"
    since = _when(answer.success)
    if answer.changing:
        before = ", ".join(map(visible, answer.changing))
        return f"{name}: up to date{since}, unless what it needs changes: {before}\n"
    return f"{name}: up to date{since}\n"


def _when(success: Success | None) -> str:
    if success is None:
        return ""
    return time.strftime(" since %Y-%m-%d %H:%M:%S", time.localtime(success.at))


def _as_json(job: Job, answer: _Answer) -> str:
    success = answer.success
    told = {
        "job": job.name,
        "up_to_date": not answer.reasons,
        "reasons": answer.reasons,
        "changing": answer.changing,
        "run": None if success is None else success.run,
    }
    return json.dumps(told) + "\n"
