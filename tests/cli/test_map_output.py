"""What is kept of the output of jobs, and for how long."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from penstock.cli.lines.map import MapOptions, Words
from penstock.cli.map_jobs import GROUPED, Commands, MapJobs
from penstock.cli.map_output import Printer
from penstock.cli.map_shelf import Piece, Printout, Shelf
from penstock.model.job import Job
from penstock.model.limits import Limits
from penstock.model.outcome import Exited, Outcome
from penstock.proc.signals import SignalFlags
from penstock.source.batch import Batches
from penstock.source.records import Given

MUCH = bytes(5 << 20)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    yield made
    made.close()


def of(data: bytes) -> Printout:
    return Printout(b"", Piece(data), Piece())


def text_of(piece: Piece) -> bytes:
    if piece.descriptor is None:
        return piece.data
    return os.pread(piece.descriptor, piece.size, piece.start)


def put(shelf: Shelf, name: str, data: bytes) -> list[bytes]:
    """Put an output on the shelf; those whose turn it is then."""
    shelf.put(name, of(data))
    return [text_of(each.out) for _, each in shelf.turns()]


def test_outputs_come_in_the_order_in_which_they_were_expected(shelf):
    for name in ("a", "b", "c"):
        shelf.expect(name)
    shelf.expect("a")  # tried again
    assert put(shelf, "c", b"C") == []
    assert shelf.waiting == 1
    assert put(shelf, "a", b"A") == [b"A"]
    assert put(shelf, "b", b"B") == [b"B", b"C"]
    assert shelf.waiting == 0


def test_what_does_not_fit_into_memory_waits_in_a_file(shelf):
    for name in ("a", "b", "c", "d"):
        shelf.expect(name)
    assert put(shelf, "b", MUCH) == []
    assert put(shelf, "c", b"C") == []
    assert put(shelf, "d", b"") == []
    assert put(shelf, "a", b"A") == [b"A", MUCH, b"C", b""]


def test_the_file_is_emptied_though_other_outputs_wait(shelf):
    for name in ("a", "b", "c", "d", "e"):
        shelf.expect(name)
    put(shelf, "b", MUCH)
    put(shelf, "c", MUCH)
    assert shelf._file is not None
    assert os.fstat(shelf._file).st_size == len(MUCH)
    put(shelf, "a", b"")
    put(shelf, "e", b"E")
    assert os.fstat(shelf._file).st_size == 0
    assert put(shelf, "d", b"D") == [b"D", b"E"]


def printer_of(flags: SignalFlags, tags: dict[str, bytes], *, ordered: bool) -> Printer:
    return Printer(
        lambda outcome: outcome.ok,
        tag_of=lambda job: tags.pop(job.name, b""),
        ordered=ordered,
        sized=False,
        stop=flags,
    )


def end(printer: Printer, name: str, *, ok: bool = True) -> None:
    printer.after(Job(name, ()), Outcome(name, Exited(0 if ok else 1), ok))


def test_the_tag_of_a_job_without_output_is_forgotten_too(flags):
    tags = {"a": b"a\t", "b": b"b\t"}
    printer = printer_of(flags, tags, ordered=False)
    end(printer, "a")
    end(printer, "b", ok=False)  # to be tried again
    assert tags == {"b": b"b\t"}


def test_so_many_outputs_wait_for_one_and_no_more(flags):
    printer = printer_of(flags, {}, ordered=True)
    given = Given([*map(str, range(100_000))])
    options = MapOptions(Words(("true",)))
    jobs = MapJobs(Batches(given), Commands(options, {}), Limits(), GROUPED)
    jobs.hold_while(lambda: printer.is_full)
    first = jobs.next(0)
    assert first is not None
    printer.before(first)
    while (job := jobs.next(0)) is not None:
        printer.before(job)
        end(printer, job.name)
    assert not jobs.is_over
    end(printer, first.name)
    assert jobs.next(0) is not None
    printer.close()
