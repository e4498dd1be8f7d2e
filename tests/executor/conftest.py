from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.executor.pool import Pool


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Two slots; closed at the end, and nothing may be left of it then."""
    with Pool.open(2) as made:
        yield made
    assert made.is_clean
