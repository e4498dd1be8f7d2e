"""What penstock can promise on a machine, given what that can do."""

from __future__ import annotations

import pytest

from penstock.proc.probe import Probe
from penstock.report.doctor import (
    LAYERS,
    PROMISES,
    as_json,
    diagnose,
    format_findings,
    judge,
)

NEEDED = [layer.name for layer in LAYERS if layer.needed and layer.promises]
USEFUL = [layer.name for layer in LAYERS if not layer.needed and layer.promises]
FASTER = [layer.name for layer in LAYERS if not layer.promises]


def machine(*missing: str) -> tuple[Probe, ...]:
    """What is tried on a machine that lacks some layers."""
    return tuple(
        Probe(layer.name, ok=layer.name not in missing, detail=f"{layer.name} seen")
        for layer in LAYERS
    )


def states(*missing: str) -> set[str]:
    return set(judge(diagnose(machine(*missing))).values())


def test_with_every_layer_every_promise_is_kept():
    assert states() == {"kept"}


@pytest.mark.parametrize("name", NEEDED)
def test_without_a_layer_that_is_needed_its_promises_are_broken(name):
    (layer,) = (layer for layer in LAYERS if layer.name == name)
    told = judge(diagnose(machine(name)))
    assert {promise for promise in told if told[promise] != "kept"} == {*layer.promises}
    assert states(name) == {"kept", "broken"}


@pytest.mark.parametrize("name", USEFUL)
def test_without_another_layer_its_promises_are_weaker(name):
    assert states(name) == {"kept", "weaker"}


@pytest.mark.parametrize("name", FASTER)
def test_what_only_makes_things_faster_weakens_no_promise(name):
    assert states(name) == {"kept"}


def test_a_broken_promise_is_not_called_weaker():
    assert judge(diagnose(machine("proc", "visible")))["P1"] == "broken"
    assert judge(diagnose(machine("visible", "proc")))["P1"] == "broken"


def test_what_was_not_tried_is_missing():
    assert [f.probe.detail for f in diagnose(())] == ["not tried"] * len(LAYERS)


def test_every_layer_names_promises_that_there_are():
    assert {promise for layer in LAYERS for promise in layer.promises} <= {*PROMISES}


def test_all_is_told_for_people():
    text = format_findings(diagnose(machine("pidns", "subreaper", "splice")))
    assert "  yes  pidfd              pidfd seen\n" in text
    assert "  NO   child subreaper    subreaper seen\n" in text
    assert (
        "Without child subreaper P1, P2, P7 cannot be kept: What has lost its parent "
        "goes to init, and survives.\n"
    ) in text
    assert "Without PID namespaces P7 weaker: `--isolate pidns` is not to be" in text
    assert "Without splice and tee no promise is weaker: Copies go" in text
    assert "  P1   broken  no process of a command survives\n" in text
    assert "  P3   kept    no wait is without a limit\n" in text


def test_nothing_is_told_of_what_is_missing_where_nothing_is():
    text = format_findings(diagnose(machine()))
    assert "Without" not in text
    assert "\n\n\n" not in text


def test_all_is_told_for_programs():
    told = as_json(diagnose(machine("pidns", "cgroup")))
    assert isinstance(told["promises"], dict)
    assert told["promises"]["P7"] == {
        "state": "weaker",
        "promise": "a kill of penstock leaves nothing",
        "because": ["pidns", "cgroup"],
    }
    assert isinstance(told["layers"], list)
    (pidns,) = (layer for layer in told["layers"] if layer["name"] == "pidns")
    assert (pidns["ok"], pidns["detail"], pidns["needed"]) == (
        False,
        "pidns seen",
        False,
    )


def test_nothing_that_a_terminal_would_obey_is_told():
    probes = (Probe("shell", ok=True, detail="/bin/\x1b[31msh"),)
    assert "\x1b" not in format_findings(diagnose(probes))
