from __future__ import annotations

from contextlib import closing

from penstock.cli.map_shelf import Piece, Printout, Shelf


def printout(text: bytes) -> Printout:
    return Printout(b"", Piece(text), Piece())


def test_what_waits_for_one_that_never_comes_is_given_back_at_the_end():
    with closing(Shelf()) as shelf:
        for name in "abcd":
            shelf.expect(name)
        shelf.put("b", printout(b"b"))
        shelf.put("d", printout(b"d"))
        assert [*shelf.turns()] == []
        assert [each.out.data for _, each in shelf.rest()] == [b"b", b"d"]
        assert [*shelf.rest()] == []
