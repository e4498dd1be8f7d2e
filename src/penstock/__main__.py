"""``penstock`` as a program; ``python -m penstock``."""

from __future__ import annotations

# Python turns Ctrl-C into KeyboardInterrupt from its own start on, and at any point of
# the imports below that is a traceback, or is swallowed. Until a subcommand installs
# its handlers, SIGINT shall simply end us; where it is ignored (nohup, a shell's `&`)
# Python has not touched it, and neither do we. `_signal` is in the interpreter;
# `signal` makes enums of it all, which takes 4 ms in which nothing would help.
import _signal  # type: ignore[import-not-found]  # typeshed does not know it

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import sys

from penstock.cli.main import main as run
from penstock.proc.coercion import undo_coercion
from penstock.proc.stdio import leave
from penstock.proc.title import show_as

TYPE_CHECKING = False  # `typing` takes 8 ms
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line that this process was started with."""
    # Python itself takes some milliseconds to start, in which nothing of ours can be
    # done. What was blocked meanwhile (scripts/launcher/penstock) is heard here.
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))
    # Where it is ignored, children are not waited for, but gone (wait(2), NOTES).
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    undo_coercion()
    show_as("penstock")
    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
