"""penstock: shell pipelines that always end and leave nothing behind.

This module only says where each public name lives, and loads none before it is used: a
recipe line in a Makefile pays for every import, every time.
"""

from penstock._version import __version__

__all__ = [
    "DefinitionError",
    "NurseryLost",
    "PenstockError",
    "UsageError",
    "__version__",
]

_HOMES = {
    "DefinitionError": "penstock.errors",
    "NurseryLost": "penstock.errors",
    "PenstockError": "penstock.errors",
    "UsageError": "penstock.errors",
}

# Type checkers take a name spelled so for true; to import `typing` itself takes 8 ms.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from penstock.errors import (
        DefinitionError,
        NurseryLost,
        PenstockError,
        UsageError,
    )
else:  # hidden from them, or any misspelled name would exist

    def __getattr__(name: str) -> object:
        """Load a public name when it is first asked for (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module 'penstock' has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 (only when it is needed)

        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """All names, loaded or not, for whoever explores."""
        return sorted({*globals(), *__all__})
