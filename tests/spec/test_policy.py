from __future__ import annotations

import sys

from penstock.model.policy import CAUSES, Retry
from tests.spec.definitions import mistakes, read


def job(text, **settings):
    return read(f"{{resources: {{gpu: 2}}, jobs: {{a: {text}}}}}", **settings).jobs[0]


def test_nothing_is_asked_of_the_scheduler_by_default():
    plain = job("{run: x}")
    assert plain.policy == plain.policy._replace(
        retry=Retry(0), slots=1, service=None, when=None
    )
    assert plain.leaks == "kill"


def test_retries_are_a_number_or_keys():
    assert job("{run: x, retries: 2}").policy.retry == Retry(2, 0.0, CAUSES)
    keys = "{times: 3, backoff: 1.5s, on: [exit, lost]}"
    retry = job(f"{{run: x, retries: {keys}}}").policy.retry
    assert retry == Retry(3, 1.5, ("exit", "lost"))


def test_what_it_takes():
    policy = job("{run: x, slots: 3, resources: {gpu: 2}}").policy
    assert (policy.slots, policy.resources) == (3, (("gpu", 2),))


def test_more_than_there_is_can_never_be_had():
    text = "{resources: {gpu: 2}, jobs: {a: {run: x, resources: {gpu: 3, cpu: 1}}}}"
    assert mistakes(text) == [
        "f:1:54: of `gpu` there are only 2",
        "f:1:62: there is no resource `cpu`; did you mean `gpu`?",
    ]


def test_a_service_says_when_it_is_ready():
    assert job("{run: x, service: true}").policy.service == (None, 60.0)
    service = job("{run: x, env: {P: 1}, service: {ready: test -e s, within: 5s}}")
    ready = service.policy.service.ready
    assert ready.argv == ("/bin/sh", "-c", "test -e s")
    assert ready.env == (("P", "1"),)
    assert service.policy.service.within == 5


def test_when_inputs_and_outputs():
    policy = job("{run: x, when: true, inputs: [a, '*.b'], outputs: c}").policy
    assert policy.when.argv == ("true",)
    assert (policy.inputs, policy.outputs) == (("a", "*.b"), ("c",))


def test_options_of_commands():
    keys = "signal: INT, nice: -5, memory: 1GiB, idle: 10s, leftovers: fail"
    found = job(f"{{run: x, {keys}}}")
    (stage,) = found.stages
    command = stage.command
    assert (command.signal, command.nice, command.memory) == (2, -5, 1 << 30)
    assert (stage.limits.idle, found.limits.idle) == (10, None)
    assert found.leaks == "fail"


def test_defaults_hold_where_nothing_nearer_does():
    pipeline = read("""
        defaults: {retries: 1, leftovers: warn, signal: HUP, memory: 1MiB}
        jobs:
          a: {run: x}
          b: {retries: 0, leftovers: allow, pipe: [{run: x, signal: 2}, y]}
    """)
    a, b = pipeline.jobs
    assert (a.policy.retry.times, a.leaks) == (1, "warn")
    assert (b.policy.retry.times, b.leaks) == (0, "allow")
    assert [stage.command.signal for stage in b.stages] == [2, 1]
    assert b.stages[0].command.memory == 1 << 20


def test_the_jobs_beside_the_jobs():
    pipeline = read("""
        setup: mkdir out
        teardown: {pipe: [x, y], timeout: 5s}
        notify: {on_failure: "mail {{who}}", always: {argv: [z]}}
        vars: {who: me}
        jobs: {a: {run: x}}
    """)
    assert pipeline.setup.stages[0].command.argv == ("mkdir", "out")
    assert (len(pipeline.teardown.stages), pipeline.teardown.limits.timeout) == (2, 5)
    assert pipeline.on_failure.stages[0].command.argv == ("mail", "me")
    assert pipeline.always.name == "always"
    assert pipeline.on_success is None


def test_a_job_may_not_have_the_name_of_one_that_is_there():
    found = mistakes("{setup: x, jobs: {setup: {run: x}}}")
    assert found == ["f:1:19: there is a job `setup` already, on line 1"]


def test_the_variables_that_a_job_depends_on():
    pipeline = read("""
        vars: {a: 1, b: 2, c: 3, bb: 4}
        jobs:
          x: {run: 'echo {{a}} "$b"'}
          y: {run: echo}
    """)
    x, y = pipeline.jobs
    assert x.policy.variables == (("a", "1"), ("b", "2"))
    assert y.policy.variables == ()


def test_a_python_function_is_a_command():
    (stage,) = job("{python: 'tools.text:upper'}").stages
    runner = "penstock.proc.function"
    assert stage.command.argv == (
        sys.executable,
        "-P",
        "-m",
        runner,
        "tools.text:upper",
    )
    assert stage.name == "tools.text_upper"


def test_an_output_may_be_told_twice_by_one_job_and_not_by_two():
    job("{run: x, stdout: o, outputs: o}")
    text = "{jobs: {a: {run: x, outputs: [o]}, b: {run: x, stdout: o}}}"
    (found,) = mistakes(text)
    assert "`o` is written twice, also by `outputs` of job `a`" in found
