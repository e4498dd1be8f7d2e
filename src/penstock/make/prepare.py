"""Before anything is known but the words of the line: is there to be a jobserver?

The nursery is forked before the line is read, and it must have the descriptors of the
jobserver. So this is a glance; what it was mistaken about, the reader of the line says.
"""

from __future__ import annotations

from penstock.make.jobserver import Jobserver, Unusable, join, serve_pipe
from penstock.make.makeflags import read_makeflags, with_jobserver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

_USERS = ("run", "map")  # subcommands with more than one job
_OPTION = "--jobserver"


def prepare(argv: Sequence[str], environ: MutableMapping[str, str]) -> Jobserver | None:
    """The jobserver that is around us, or an empty one of ours in the pipe style."""
    if not argv or argv[0] not in _USERS:
        return None
    asked = _asked(argv)
    makeflags = environ.get("MAKEFLAGS", "")
    auth = read_makeflags(makeflags).auth
    if asked == "off":
        if auth is not None:  # nor shall what we start use it, beyond our -j
            environ["MAKEFLAGS"] = with_jobserver(makeflags, None, 0)
        return None
    if auth is not None:
        try:
            return join(auth)
        except Unusable:
            return None  # told by whoever wants to use it
    return serve_pipe() if asked == "pipe" else None


def _asked(argv: Sequence[str]) -> str | None:
    """The value of the option, if it is there."""
    asked = None
    for position, word in enumerate(argv):
        if word == _OPTION:
            asked = argv[position + 1] if position + 1 < len(argv) else None
        elif word.startswith(_OPTION + "="):
            asked = word.partition("=")[2]
    return asked
