from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.link import Framing
from penstock.proc.records import CutShortError, records_of

FRAMINGS: tuple[Framing, ...] = ("lines", "nul", "length")


def encoded(framing: Framing, content: bytes) -> bytes:
    """One record."""
    if framing == "length":
        return len(content).to_bytes(4, "big") + content
    delimiter = b"\n" if framing == "lines" else b"\0"
    return content.replace(delimiter, b"x") + delimiter


@st.composite
def streams(draw: st.DrawFn) -> tuple[Framing, list[bytes], list[bytes]]:
    """A framing, records, and the chunks in which their bytes come."""
    framing = draw(st.sampled_from(FRAMINGS))
    records = [encoded(framing, content) for content in draw(st.lists(st.binary()))]
    data = b"".join(records)
    cuts = sorted(draw(st.sets(st.integers(0, len(data)))) | {0, len(data)})
    return framing, records, [data[a:b] for a, b in pairwise(cuts)]


@given(streams())
def test_what_is_whole_ends_where_a_record_ends(
    stream: tuple[Framing, list[bytes], list[bytes]],
):
    framing, expected, chunks = stream
    ends = {0}
    for record in expected:
        ends.add(max(ends) + len(record))
    records, kept, passed = records_of(framing), b"", 0
    for chunk in chunks:
        data = kept + chunk
        whole = records.whole(data)
        passed += whole
        assert passed in ends
        kept = data[whole:]
        assert not any(passed < end <= passed + len(kept) for end in ends)
    assert records.finish(kept, midway=False) == b""


@given(streams())
def test_a_record_may_be_passed_on_before_it_is_whole(
    stream: tuple[Framing, list[bytes], list[bytes]],
):
    framing, expected, chunks = stream
    ends = {0}
    for record in expected:
        ends.add(max(ends) + len(record))
    records, kept, passed, midway = records_of(framing), b"", 0, False
    for chunk in chunks:
        data = kept + chunk
        whole = records.whole(data)
        midway = midway and not whole
        passed, kept = passed + whole, data[whole:]
        if len(kept) > 4 or (kept and midway):
            records.begun(kept)
            passed, kept, midway = passed + len(kept), b"", True
        assert midway or passed in ends
    assert (passed, kept) == (max(ends), b"")


@pytest.mark.parametrize("framing", ["lines", "nul"])
def test_a_last_record_without_its_delimiter_is_given_it(framing: Framing):
    delimiter = encoded(framing, b"")
    for data, midway in ((b"x", False), (b"x", True), (b"", True)):
        finished = records_of(framing).finish(data, midway=midway)
        assert finished == data + delimiter
    assert records_of(framing).finish(b"", midway=False) == b""


@pytest.mark.parametrize(("data", "midway"), [(b"\0\0", False), (b"", True)])
def test_a_record_of_known_length_cannot_be_completed(
    data: bytes,
    midway: bool,  # noqa: FBT001 (a parameter)
):
    with pytest.raises(CutShortError):
        records_of("length").finish(data, midway=midway)
