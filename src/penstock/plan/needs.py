"""Needs: which jobs and families wait for which others. Families count as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Needs:
    """Counts down what each name still waits for.

    Args:
        needs: for each name, those that it needs; all are known, and form no circle.
    """

    def __init__(self, needs: Mapping[str, tuple[str, ...]]) -> None:
        self._dependents: dict[str, list[str]] = {}
        self._unmet: dict[str, int] = {}
        for name, needed in needs.items():
            if needed:
                distinct = dict.fromkeys(needed)
                self._unmet[name] = len(distinct)
                for need in distinct:
                    self._dependents.setdefault(need, []).append(name)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names that wait for something."""
        return tuple(self._unmet)

    def __bool__(self) -> bool:
        return bool(self._unmet)

    def of(self, name: str) -> tuple[str, ...]:
        """The names that need `name` directly."""
        return tuple(self._dependents.get(name, ()))

    def meet(self, name: str) -> Iterator[str]:
        """Note that nobody has to wait for `name` any more; who waits for nothing."""
        for dependent in self._dependents.get(name, ()):
            if dependent not in self._unmet:
                continue  # given up, because of another
            self._unmet[dependent] -= 1
            if not self._unmet[dependent]:
                del self._unmet[dependent]
                yield dependent

    def give_up(self, failed: str) -> Iterator[str]:
        """What waits and needs `failed`, directly or not, nearest first; forgotten."""
        causes = [failed]
        for cause in causes:
            for dependent in self._dependents.get(cause, ()):
                if self._unmet.pop(dependent, None) is not None:
                    causes.append(dependent)
                    yield dependent

    def forget(self) -> None:
        """Let nobody wait any more."""
        self._unmet.clear()
