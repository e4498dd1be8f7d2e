"""Large definitions are read in a time and a memory that grow with their size."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

READ = """
import json, resource, sys
from penstock.spec.load import load
with open(sys.argv[1], "rb") as file:
    pipeline = load(file.read(), file="f")
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime
seconds = used()
# Not ru_maxrss: that begins with what the process was before execve(2).
peak = next(l.split()[1] for l in open("/proc/self/status") if l.startswith("VmHWM"))
began = used()
for _ in range(10_000_000): pass
print(json.dumps([len(pipeline.jobs), seconds, int(peak), used() - began]))
"""


def definition(jobs, path):
    """Half of the jobs stand alone, half in one chain."""
    lines = ["vars: {a: x, b: y}", "defaults: {timeout: 2m, env: {LC_ALL: C}}", "jobs:"]
    for n in range(jobs):
        lines.append(f"  job-{n}:")
        if n % 2 and n > 1:
            lines.append(f"    needs: [job-{n - 2}]")
        lines += [f"    run: echo {{{{a}}}} {n}", f"    stdout: out/{n}.txt"]
    path.write_text("\n".join(lines))
    return path


def measured(path):
    """How many jobs there are, the seconds of CPU and the MiB that it took.

    And the seconds that ten million turns of a loop take on this machine now.
    """
    argv = [sys.executable, "-c", READ, str(path)]
    out = subprocess.run(argv, check=True, capture_output=True).stdout
    jobs, seconds, kibibytes, loop = json.loads(out)
    return jobs, seconds, kibibytes / 1024, loop


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_times_the_jobs_take_ten_times_as_long(tmp_path):
    jobs, seconds, mebibytes, loop = measured(definition(10_000, tmp_path / "small"))
    assert jobs == 10_000
    assert seconds < 25 * loop
    assert mebibytes < 150
    jobs, longer, more, _ = measured(definition(100_000, tmp_path / "large"))
    assert jobs == 100_000
    assert longer < 20 * seconds
    assert more < 12 * mebibytes
