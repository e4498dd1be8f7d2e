"""A value is a value wherever it stands: `; rm -rf x` is never a command."""

from __future__ import annotations

import os
import subprocess

import pytest

from penstock.model.stream import Direct, Input, Output
from tests.spec.definitions import members, read

EVIL = [
    "; rm -rf x",
    "$(touch evil)",
    "`touch evil`",
    "' ; touch evil ; '",
    '" ; touch evil ; "',
    "a\nb; touch evil",
    "*",
    "-rf",
    "| touch evil",
    "> evil",
    "\\",
    "{{other}}",
    "é ☃",
]

TEXT = """
vars: {v: , other: 1}
defaults: {env: {D: "{{v}}"}, cwd: "/{{v}}"}
setup: "printf %s {{v}}"
teardown: {argv: [printf, "%s", "{{v}}"]}
notify:
  on_success: "printf %s {{v}}"
  on_failure: {run: "printf %s {{v}}"}
  always: 'printf %s "{{v}}"'
jobs:
  plain: {run: "printf %s {{v}}"}
  double: {run: 'printf %s "{{v}}"'}
  single: {run: "printf %s '{{v}}'"}
  substituted: {run: 'printf %s "$(printf %s. {{v}})"'}
  environment: {run: 'printf %s "$v"'}
  argv: {argv: [printf, "%s", "{{v}}"]}
  pipe: {pipe: ["printf %s {{v}}", cat]}
  env: {run: printf '%s' "$E", env: {E: "{{v}}"}}
  cwd: {run: pwd, cwd: "a{{v}}b"}
  files: {run: x, stdin: "i{{v}}", stdout: "o{{v}}.", stderr: "e{{v}}."}
  when: {run: x, when: "printf %s {{v}}"}
  service: {run: x, service: {ready: "printf %s {{v}}"}}
  paths: {run: x, inputs: "{{v}}/*", outputs: "made{{v}}."}
  listed: {for: {w: ["{{v}}"]}, run: "printf %s {{w}}"}
  found: {for: {w: {glob: "{{v}}*"}}, run: "printf %s {{w}}"}
  read: {for: {w: {lines: "l{{v}}"}}, run: "printf %s {{w}}"}
"""


@pytest.fixture(params=EVIL)
def value(request):
    return request.param


def printed(command, cwd):
    """What a command prints; it may not leave anything behind."""
    env = os.environ | dict(command.env)
    done = subprocess.run(
        command.argv, env=env, cwd=cwd, capture_output=True, check=True
    )
    assert not list(cwd.iterdir())
    return done.stdout.decode()


def test_a_value_stays_a_value(value, tmp_path):
    files = {value: "", f"{value}2": "", f"l{value}": f"{value.splitlines()[0]}\n"}
    pipeline = read(TEXT, files, v=value)
    jobs = {job.name: job for job in pipeline.jobs}
    commands = {name: job.stages[0].command for name, job in jobs.items()}
    told = [pipeline.setup, pipeline.teardown, pipeline.on_success]
    told += [pipeline.on_failure, pipeline.always]
    asked = [jobs["when"].policy.when, jobs["service"].policy.service.ready]
    asked += [job.stages[0].command for job in told]
    names = ["plain", "double", "single", "environment", "argv", "pipe", "env"]
    for command in (*asked, *(commands[name] for name in names)):
        assert printed(command, tmp_path) == value
    assert printed(commands["substituted"], tmp_path) == f"{value}."
    assert dict(commands["plain"].env)["D"] == value
    assert (commands["plain"].cwd, commands["cwd"].cwd) == (f"/{value}", f"a{value}b")


def test_a_value_stays_a_value_in_paths(value):
    files = {value: "", f"{value}2": "", f"l{value}": f"{value.splitlines()[0]}\n"}
    pipeline = read(TEXT, files, v=value)
    jobs = {job.name: job for job in pipeline.jobs}
    (stage,) = jobs["files"].stages
    assert stage.stdin == Input(f"i{value}")
    assert isinstance(stage.stdout, Output)
    assert stage.stdout.path == f"o{value}."
    assert stage.stderr == Direct(f"e{value}.")
    assert jobs["paths"].policy.outputs == (f"made{value}.",)
    pattern = value.replace("*", "[*]")
    assert jobs["paths"].policy.inputs == (f"{pattern}/*",)


def test_a_value_of_a_for_stays_a_value(value, tmp_path):
    files = {value: "", f"{value}2": "", f"l{value}": f"{value.splitlines()[0]}\n"}
    pipeline = read(TEXT, files, v=value)
    expected = {
        "listed": [value],
        "found": [value, f"{value}2"],
        "read": [value.splitlines()[0]],
    }
    for name, values in expected.items():
        commands = [job.stages[0].command for job in members(pipeline, name)]
        assert [printed(command, tmp_path) for command in commands] == values
