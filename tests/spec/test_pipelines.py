"""The files in `pipelines/` mean what the same commands mean in a shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from penstock.model.stream import Output
from penstock.spec.load import load

PIPELINES = Path(__file__).parents[2] / "pipelines"


def definition(name, **settings):
    path = PIPELINES / name
    return load(path.read_bytes(), file=str(path), settings=settings)


def as_stages(job, cwd):
    """What the job writes, its stages run one after the other."""
    out = b""
    for stage in job.stages:
        command = stage.command
        done = subprocess.run(
            command.argv,
            input=out,
            capture_output=True,
            check=True,
            env=os.environ | dict(command.env),
            cwd=cwd,
        )
        out = done.stdout
    return out


def as_shell(job, cwd):
    """What a shell writes for the same commands."""
    script = " | ".join(f"{{ {stage.command.typed}\n}}" for stage in job.stages)
    env = os.environ | dict(job.stages[0].command.env)
    return subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, check=True, env=env, cwd=cwd
    ).stdout


def run(pipeline, cwd):
    """Runs the jobs in the order of the file; what goes to stdout."""
    shown = b""
    for job in pipeline.jobs:
        out = as_stages(job, cwd)
        assert out == as_shell(job, cwd)
        match job.stages[-1].stdout:
            case Output(path, _):
                (cwd / path).parent.mkdir(parents=True, exist_ok=True)
                (cwd / path).write_bytes(out)
            case _:
                shown += out
    return shown.decode()


def test_the_largest_packages_come_first(tmp_path):
    lines = run(definition("packages.yaml", top="3"), tmp_path).splitlines()
    sizes = [int(line.split()[0]) for line in lines]
    assert len(sizes) == 3
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.slow
def test_identifiers_are_counted(tmp_path):
    lines = run(definition("identifiers.yaml", top="5"), tmp_path).splitlines()
    assert lines[0].split()[1] == "self"
    assert len(lines) == 5
