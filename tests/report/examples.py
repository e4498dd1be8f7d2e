"""Jobs and outcomes to report on, with everything in them that can be told."""

from __future__ import annotations

from penstock.model.command import Command
from penstock.model.job import Job, Place, Stage, chain
from penstock.model.outcome import (
    Ending,
    Exited,
    Outcome,
    Process,
    Signaled,
    StageOutcome,
    TimedOut,
    Usage,
)
from penstock.model.stream import Log

TERM = Signaled(15, core=False)
KILL = Signaled(9, core=False)
LATE = TimedOut(30.0, "command", KILL, escalated=True)
LEFT = (Process(4321, "sleep 1000"),)


def stage(typed: str, *, shell: bool = False) -> Stage:
    argv = ("/bin/sh", "-c", typed) if shell else tuple(typed.split())
    name = typed.partition(" ")[0]
    return Stage(
        name,
        Command(argv, typed),
        stderr=Log(f"logs/{name}.log"),
        place=Place("penstock.yaml", 14, 9),
    )


def job(*commands: str, name: str = "clients", shell: bool = False) -> Job:
    stages = tuple(stage(typed, shell=shell) for typed in commands or ("true",))
    place = Place("penstock.yaml", 11, 3)
    return Job(name, stages, chain(len(stages)), place=place)


def outcome(of: Job, *endings: Ending, tail: bytes = b"") -> Outcome:
    """How `of` ended, stage by stage; the last bad one is to blame."""
    ends = endings or (Exited(0),) * len(of.stages)
    stages = tuple(
        StageOutcome(
            each.name,
            ending,
            ok=ending == Exited(0),
            pid=100 + i,
            elapsed=0.41,
            usage=Usage(0.5, 0.02, 34 << 20),
            tail=tail,
        )
        for i, (each, ending) in enumerate(zip(of.stages, ends, strict=True))
    )
    bad = [i for i, each in enumerate(stages) if not each.ok]
    culprit = bad[-1] if bad else None
    ending = stages[-1 if culprit is None else culprit].ending
    return Outcome(of.name, ending, not bad, stages, culprit, 0.41)
