"""``penstock doctor``: what this machine can do, and which promises that weakens."""

from __future__ import annotations

import json
import os
import sys

from penstock._version import __version__
from penstock.cli.lines.doctor import DoctorOptions
from penstock.proc.probe import Probe, probe_all
from penstock.report.doctor import as_json, diagnose, format_findings, judge


def main(given: DoctorOptions) -> int:
    """Try all and tell it; 0, or 1 if a promise cannot be kept at all."""
    findings = diagnose((*probe_all(), _probe_yaml()))
    if given.json:
        about = {"penstock": __version__, "linux": os.uname().release}
        sys.stdout.write(json.dumps({**about, **as_json(findings)}) + "\n")
    else:
        sys.stdout.write(f"penstock {__version__}, Linux {os.uname().release}\n")
        sys.stdout.write(format_findings(findings))
    return 1 if "broken" in judge(findings).values() else 0


def _probe_yaml() -> Probe:
    import yaml  # noqa: PLC0415 (takes 10 ms)

    there = hasattr(yaml, "CSafeLoader")
    return Probe("yaml", ok=there, detail=f"PyYAML {yaml.__version__}")
