"""Forking the processes of penstock's own: nursery and workers. Never a command."""

from __future__ import annotations

import os
import sys

from penstock.errors import shortage

TYPE_CHECKING = False  # `typing` takes 8 ms, and this is imported before the fork
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def fork_into(body: Callable[[], None]) -> int:
    """Fork; run `body` in the child, which then ends without any clean-up of ours.

    Args:
        body: what the child does; its exceptions end the child with 125.

    Returns:
        PID of the child, in the parent only.
    """
    pid = os.fork()
    if pid == 0:
        live_by(body)
    return pid


def step_aside() -> None:
    """Leave the group of whoever forked us: what its terminal sends is not for us.

    And its session, if it has one of its own; or it is that of a terminal, which we
    must not lose, as a command is to have it.
    """
    if os.getsid(0) == os.getpgrp():
        os.setsid()
    else:
        os.setpgid(0, 0)


def live_by(body: Callable[[], None]) -> NoReturn:
    """Run `body` and leave by _exit(2): the parent's atexit work is not ours."""
    status = 125
    try:
        body()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 125
    except BaseException as error:  # noqa: BLE001 (the last resort of a process)
        _complain(error)
    finally:
        os._exit(status)


def _complain(error: BaseException) -> None:
    lacking = shortage(error)
    if lacking is None:
        import traceback  # noqa: PLC0415 (on the way out)

        traceback.print_exc()
    else:
        print(f"penstock: {lacking}", file=sys.stderr)  # noqa: T201 (as the traceback)
    sys.stderr.flush()
