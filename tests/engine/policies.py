"""Runs with policies, on the fake: what was told of each job, in order."""

from __future__ import annotations

from penstock.engine import Engine, RunResult
from penstock.executor.fake import FakeExecutor
from penstock.model.command import Command
from penstock.model.event import (
    ErrandEnded,
    Event,
    JobEnded,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
)
from penstock.model.job import Job, Pipeline, Stage
from penstock.model.policy import Policy

ASK = Command(("ask",), "ask")


def job(name: str, *needs: str, policy: Policy | None = None) -> Job:
    stage = Stage("only", Command(("x",), "x"))
    return Job(name, (stage,), needs=needs, policy=policy or Policy())


class Story:
    """A sink that remembers in words; `told` are they."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.events: list[Event] = []

    def receive(self, event: Event) -> None:
        self.events.append(event)
        words = _words(event)
        if words:
            self.told.append(words)


def _words(event: Event) -> str:
    match event:
        case JobStarted(job):
            return f"start {job.name}"
        case JobRetried(job, _, attempt, after):
            return f"retry {job.name} {attempt} {after:g}"
        case JobEnded(job, outcome):
            return f"{'ok' if outcome.ok else 'FAIL'} {job.name}"
        case JobSkipped(job, because) | JobPassed(job, because):
            verb = "skip" if isinstance(event, JobSkipped) else "pass"
            return f"{verb} {job.name}: {because}"
        case ErrandEnded(job, _, outcome):
            return f"{'yes' if outcome.ok else 'no'} {job.name}"
        case _:
            return ""


def run(
    fake: FakeExecutor,
    pipeline: Pipeline,
    *,
    keep_going: bool = False,
    deadline: float | None = None,
) -> tuple[RunResult, Story]:
    story = Story()
    engine = Engine(fake, [story], clock=fake.clock, interrupts=fake)
    result = engine.run(pipeline, name="test", keep_going=keep_going, deadline=deadline)
    return result, story
