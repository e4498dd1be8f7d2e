"""Relays: the processes of a job that are penstock's own, and move its bytes.

A relay is forked by the worker as a command is started by it: in a session of its own,
below the worker, with a status and a CPU time. It has the ends of the pipes that its
wiring names and no other descriptor. It takes no notice of TERM: when the commands
round it have ended, so has all that it can do, and what they wrote before is not lost.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial

from penstock.model.outcome import Exited, Signaled, Usage
from penstock.model.wiring import PipeEnd, RelayWiring
from penstock.proc.fan import fan_out
from penstock.proc.fork import fork_into
from penstock.proc.merge import merge
from penstock.proc.meter import Meter
from penstock.proc.prctl import set_title
from penstock.proc.records import CutShortError
from penstock.proc.signals import outlast_commands
from penstock.proc.spool import spool

TITLE = "ps-relay"


class Relay:
    """A relay that was started, and how it ended once it has.

    Attributes:
        plan: what it does.
        meter: what passed through it.
        pid: its process.
        started_at: on the monotonic clock.
        elapsed: seconds it ran; meaningful once `status` is known.
        status: None while it runs.
        usage: None while it runs.
        was_ended: it was still alive when KILL was sent.
    """

    def __init__(self, plan: RelayWiring, started_at: float) -> None:
        self.plan = plan
        self.meter = Meter(len(plan.edges))
        self.pid = 0
        self.started_at = started_at
        self.elapsed = 0.0
        self.status: Exited | Signaled | None = None
        self.usage: Usage | None = None
        self.was_ended = False

    def start(self, ends: Mapping[PipeEnd, int]) -> None:
        """Fork it.

        Raises:
            OSError: no more processes are allowed, say.
        """
        inputs = tuple(ends[end] for end in self.plan.inputs)
        outputs = tuple(ends[end] for end in self.plan.outputs)
        self.pid = fork_into(partial(self._live, inputs, outputs))

    def end(self, status: Exited | Signaled, usage: Usage, now: float) -> None:
        """Note how it ended; the process has been reaped."""
        self.status, self.usage = status, usage
        self.elapsed = now - self.started_at

    def _live(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
        """What the process does."""
        os.setsid()
        outlast_commands()
        _keep_only((*inputs, *outputs))
        set_title(TITLE)
        try:
            self._relay(inputs, outputs)
        except BrokenPipeError:
            return  # nobody reads: the status of those who did tells why
        except CutShortError:
            self.meter.fail("a record was cut short")
        except OSError as error:
            self.meter.fail(str(error.strerror))
        else:
            return
        raise SystemExit(1)

    def _relay(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
        match self.plan.kind:
            case "fan":
                fan_out(inputs[0], outputs, self.plan.stops, self.meter)
            case "merge":
                merge(inputs, outputs[0], self.plan.framing, self.meter)
            case "spool":
                spool(inputs[0], outputs[0], self.plan.quota_bytes, self.meter)


def _keep_only(descriptors: tuple[int, ...]) -> None:
    """Close all others but stderr; stdin and stdout lead nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    start = 3
    for descriptor in sorted(descriptors):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))
