"""Names of signals, for messages; nothing here sends or receives one.

A table and not `signal.Signals`: that is an enum, which costs start-up, and only
`penstock.proc` may touch signals. The numbers are those of signal(7) for Linux on
x86, ARM, RISC-V, POWER and s390 (alpha, mips, parisc and sparc differ).
"""

from __future__ import annotations

SIGNAL_NAMES = (
    *("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE"),
    *("KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT"),
    *("CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU"),
    *("XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"),
)

# 32 and 33 belong to the threads of the C library (nptl(7)).
_REALTIME_MIN = 34
_REALTIME_MAX = 64


def signal_name(number: int) -> str:
    """The name of a signal: ``SIGKILL``, ``SIGRTMIN+3``, or ``signal 99``.

    Args:
        number: as in a wait status.
    """
    if 1 <= number <= len(SIGNAL_NAMES):
        return f"SIG{SIGNAL_NAMES[number - 1]}"
    if number == _REALTIME_MIN:
        return "SIGRTMIN"
    if _REALTIME_MIN < number <= _REALTIME_MAX:
        return f"SIGRTMIN+{number - _REALTIME_MIN}"
    return f"signal {number}"


def signal_number(name: str) -> int | None:
    """The number of a signal: of ``TERM``, ``SIGTERM``, ``RTMIN+3`` or ``15``.

    None if there is none of that name.
    """
    short = name.upper().removeprefix("SIG")
    if short in SIGNAL_NAMES:
        return SIGNAL_NAMES.index(short) + 1
    base, plus, offset = short.partition("+")
    if base == "RTMIN" and bool(plus) == bool(offset):
        number = _REALTIME_MIN + _small_number(offset or "0", _REALTIME_MAX)
    else:
        number = _small_number(name, _REALTIME_MAX)
    is_known = number in range(1, len(SIGNAL_NAMES) + 1)
    is_known = is_known or _REALTIME_MIN <= number <= _REALTIME_MAX
    return number if is_known else None


def _small_number(text: str, otherwise: int) -> int:
    """The number that `text` is, of two digits at most; else one that is no signal."""
    few = len(text) <= 2 and text.isascii() and text.isdecimal()  # noqa: PLR2004 (of 64)
    return int(text) if few else otherwise + 1
