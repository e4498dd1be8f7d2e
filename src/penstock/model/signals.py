"""Names of signals, for messages; nothing here sends or receives one.

A table and not `signal.Signals`: that is an enum, which costs start-up, and only
`penstock.proc` may touch signals. The numbers are those of signal(7) for Linux on
x86, ARM, RISC-V, POWER and s390 (alpha, mips, parisc and sparc differ).
"""

from __future__ import annotations

_NAMES = (
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
    if 1 <= number <= len(_NAMES):
        return f"SIG{_NAMES[number - 1]}"
    if number == _REALTIME_MIN:
        return "SIGRTMIN"
    if _REALTIME_MIN < number <= _REALTIME_MAX:
        return f"SIGRTMIN+{number - _REALTIME_MIN}"
    return f"signal {number}"
