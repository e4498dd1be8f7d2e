"""From what a machine can do to what penstock can promise on it. Pure.

What is tried is in `proc.probe`; the C loader for YAML is looked for by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.proc.probe import Probe
from penstock.report.plain import visible
from penstock.typed import Literal, NamedTuple

State = Literal["kept", "weaker", "broken"]

PROMISES = {
    "P1": "no process of a command survives",
    "P2": "no zombie is older than a second",
    "P3": "no wait is without a limit",
    "P4": "a deadline is kept within 50 ms",
    "P5": "TERM, the grace, KILL: to the whole tree",
    "P6": "a signal to penstock cleans up, at any instant",
    "P7": "a kill of penstock leaves nothing",
    "P8": "statuses are true",
    "P9": "a pipeline starts whole or not at all",
    "P10": "commands have a clean environment",
    "P11": "bytes pass unchanged, in bounded memory",
    "P12": "a backlog costs no memory",
    "P13": "nothing half-written has its final name",
}


class Layer(NamedTuple):
    """Something that a promise rests on.

    Attributes:
        name: as in `Probe.layer`.
        title: for people.
        promises: those that it carries; none if it only makes things faster.
        without: what happens where it is missing, in a sentence.
        needed: those promises cannot be kept at all without it.
    """

    name: str
    title: str
    promises: tuple[str, ...]
    without: str
    needed: bool = False


class Finding(NamedTuple):
    """What a layer is on this machine."""

    layer: Layer
    probe: Probe


LAYERS = (
    Layer("python", "Python", (), "", needed=True),
    Layer(
        *("proc", "/proc", ("P1", "P2", "P3")),
        "What a command starts cannot be found, and so not be ended.",
        needed=True,
    ),
    Layer(
        *("pidfd", "pidfd", ("P1", "P3", "P4", "P7")),
        "No command can be run: its end could not be waited for.",
        needed=True,
    ),
    Layer(
        *("subreaper", "child subreaper", ("P1", "P2", "P7")),
        "What has lost its parent goes to init, and survives.",
        needed=True,
    ),
    Layer(
        *("sockets", "packet sockets", ("P7", "P8")),
        "No command can be run: workers cannot be told of it.",
        needed=True,
    ),
    Layer(
        *("memfd", "anonymous files", ("P8",)),
        "No command can be run: runs cannot be marked, nor large jobs handed over.",
        needed=True,
    ),
    Layer(
        *("children", "lists of children", ("P4", "P5")),
        "The tree of a command is found by reading all of /proc, which takes longer, "
        "most of all where a command forks all the time.",
    ),
    Layer(
        *("visible", "others' processes", ("P1",)),
        "What a command has started as another user (set-id) cannot be named when it "
        "survives.",
    ),
    Layer(
        *("shell", "shell", ("P9",)),
        "Commands that are given as a text for sh, and scripts without `#!`, cannot "
        "be started.",
    ),
    Layer(
        *("temporary", "temporary files", ("P9",)),
        "Jobs that have FIFOs cannot be started; set TMPDIR.",
    ),
    Layer(
        *("pidns", "PID namespaces", ("P7",)),
        "`--isolate pidns` is not to be had: if all of penstock is killed in the same "
        "instant, commands live on until `penstock reap`, and what has dropped its "
        "environment longer than that.",
    ),
    Layer(
        *("cgroup", "control groups", ("P3", "P7")),
        "`--isolate cgroup` is not to be had: what forks as fast as it can is ended by "
        "killing one process after the other, which takes longer, and "
        "`penstock reap` may miss what has dropped its environment.",
    ),
    Layer(
        *("descriptors", "open files", ("P9",)),
        "Fewer jobs run at once, and a pipeline with many commands may fail to start.",
    ),
    Layer(
        *("processes", "processes", ("P9",)),
        "Commands may fail to start, where many run at once.",
    ),
    Layer("pipes", "pipes", (), "Their size is not known."),
    Layer("splice", "splice and tee", (), "Copies go through penstock's memory."),
    Layer("yaml", "YAML in C", (), "Definition files are read ten times more slowly."),
    Layer("terminal", "terminals", (), ""),
)


def diagnose(probes: Sequence[Probe]) -> tuple[Finding, ...]:
    """What each layer is; a layer that was not tried is missing."""
    found = {probe.layer: probe for probe in probes}
    return tuple(
        Finding(
            layer,
            found.get(layer.name) or Probe(layer.name, ok=False, detail="not tried"),
        )
        for layer in LAYERS
    )


def judge(findings: Sequence[Finding]) -> Mapping[str, State]:
    """What becomes of each promise."""
    states: dict[str, State] = dict.fromkeys(PROMISES, "kept")
    for layer, probe in findings:
        for promise in () if probe.ok else layer.promises:
            if layer.needed:
                states[promise] = "broken"
            elif states[promise] == "kept":
                states[promise] = "weaker"
    return states


def format_findings(findings: Sequence[Finding]) -> str:
    """All of it, for people."""
    width = max(len(finding.layer.title) for finding in findings)
    lines = [
        f"  {'yes' if probe.ok else 'NO ':<3}  {layer.title:<{width}}  "
        f"{visible(probe.detail)}"
        for layer, probe in findings
    ]
    missing = [finding for finding in findings if not finding.probe.ok]
    if missing:
        lines.append("")
    for layer, _ in missing:
        names = ", ".join(layer.promises) or "no promise"
        verb = "cannot be kept" if layer.needed else "weaker"
        what = f"{names} {verb}" if layer.promises else "no promise is weaker"
        lines.append(f"Without {layer.title} {what}: {layer.without}")
    states = judge(findings)
    lines += [""] if states else []
    lines += [
        f"  {promise:<3}  {state:<6}  {PROMISES[promise]}"
        for promise, state in states.items()
    ]
    return "\n".join(lines) + "\n"


def as_json(findings: Sequence[Finding]) -> Mapping[str, object]:
    """All of it, for programs."""
    return {
        "layers": [
            {
                "name": layer.name,
                "title": layer.title,
                "ok": probe.ok,
                "detail": visible(probe.detail),
                "needed": layer.needed,
                "promises": list(layer.promises),
                "without": layer.without,
            }
            for layer, probe in findings
        ],
        "promises": {
            promise: {
                "state": state,
                "promise": PROMISES[promise],
                "because": _because(promise, findings),
            }
            for promise, state in judge(findings).items()
        },
    }


def _because(promise: str, findings: Sequence[Finding]) -> list[str]:
    """The missing layers that a promise rests on."""
    return [
        layer.name
        for layer, probe in findings
        if promise in layer.promises and not probe.ok
    ]
