"""Being told to stop while something takes long: reading files, waiting for others."""

from __future__ import annotations

from penstock.typed import Protocol


class Stop(Protocol):
    """What tells that the run is to stop (`penstock.proc.signals.SignalFlags`)."""

    def fileno(self) -> int:
        """A descriptor that is readable when there may be something to tell."""
        ...

    def ask_to_stop(self) -> bool:
        """Whether the run is to stop; as often as it is asked."""
        ...


class Stopped(Exception):  # noqa: N818 (an event, not a fault)
    """The run is to stop, and so something was not finished."""
