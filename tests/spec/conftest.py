from __future__ import annotations

import pytest

from penstock.spec import shape


@pytest.fixture(autouse=True, scope="session")
def _keys_that_are_read_but_not_obeyed_yet():
    """What is refused until the scheduler obeys it is read here all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shape, "NOT_YET", frozenset({"stages", "from"}))
        yield
