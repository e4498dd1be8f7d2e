"""``penstock doctor`` on this machine, and on ones that lack something."""

from __future__ import annotations

import json
import subprocess
import sys

from penstock.proc.probe import probe_all
from penstock.report.doctor import LAYERS, PROMISES


def test_every_layer_is_tried_and_nothing_else():
    tried = [probe.layer for probe in probe_all()]
    assert sorted([*tried, "yaml"]) == sorted(layer.name for layer in LAYERS)


def test_it_tells_what_this_machine_can_do(penstock_cli):
    done = penstock_cli("doctor", "--json")
    told = json.loads(done.out)
    assert (done.status, done.err) == (0, b"")
    assert told["promises"].keys() == PROMISES.keys()
    needed = [layer["ok"] for layer in told["layers"] if layer["needed"]]
    assert set(needed) == {True}
    text = penstock_cli("doctor").out.decode()
    assert all(f"\n  {promise} " in text for promise in PROMISES)


def test_that_a_caller_ignores_sigchld_is_no_lack_of_the_machine(penstock_cli):
    line = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
    line += "os.execv(sys.executable, [sys.executable, '-m', 'penstock', 'doctor'])"
    done = subprocess.run(
        [sys.executable, "-c", line],
        capture_output=True,
        cwd=penstock_cli.cwd,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_machine_without_namespaces_is_told_so(cage, penstock_cli):
    script = 'echo 0 > /proc/sys/user/max_pid_namespaces && exec "$0" doctor --json'
    done = cage("unshare", "-Ur", "sh", "-c", script, str(penstock_cli.program))
    told = json.loads(done.out)
    assert done.status == 0
    assert told["promises"]["P7"]["state"] == "weaker"
    assert "pidns" in told["promises"]["P7"]["because"]


def test_a_machine_without_its_own_proc_cannot_keep_the_promises(cage, penstock_cli):
    done = cage("unshare", "-fp", str(penstock_cli.program), "doctor", "--json")
    told = json.loads(done.out)
    assert done.status == 1
    assert told["promises"]["P1"] == {
        "state": "broken",
        "promise": PROMISES["P1"],
        "because": ["proc"],
    }


def test_few_descriptors_are_told(cage, penstock_cli):
    script = 'ulimit -n 64 && exec "$0" doctor'
    done = cage("sh", "-c", script, str(penstock_cli.program))
    assert done.status == 0
    assert b"  NO   open files         ulimit -n is 64, at most 64" in done.out
    assert b"  P9   weaker" in done.out


def test_a_directory_that_cannot_be_written_is_told(penstock_cli, tmp_path):
    gone = str(tmp_path / "gone")
    done = penstock_cli("doctor", cwd=tmp_path, env={"TMPDIR": gone})
    assert done.status == 0
    assert sys.executable.encode() in done.out
    assert b"temporary files    /" in done.out  # another one was found


def test_without_proc_nothing_is_run_and_why_is_told(cage, penstock_cli):
    hide = 'mount -t tmpfs none /proc && exec "$0" exec true'
    done = cage("sh", "-c", hide, str(penstock_cli.program))
    assert done.status == 125
    assert b"mount -t proc" in done.err
    assert b"Traceback" not in done.err
