"""What the pages point to is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROOM = re.compile(r"\*\*`(\w+)`: ")


def links() -> Iterator[tuple[Path, str]]:
    """Each page, with what it leads to in this project."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                yield page, target


def test_every_link_leads_somewhere():
    found = [*links()]
    assert len(found) > 20
    assert [link for link in found if not (link[0].parent / link[1]).exists()] == []


def rooms() -> Iterator[Path]:
    """The files that the page of the architecture has a line for."""
    place = ROOT / "src/penstock"
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        room = ROOM.match(line)
        if room is not None:
            place = ROOT / "src/penstock" / room[1]
        elif line.startswith("| `"):
            cell = line.split("|")[1]
            yield from (place / name for name in re.findall(r"`([\w.]+[./]\w*)`", cell))


def test_the_files_of_the_architecture_are_there():
    files = [*rooms()]
    assert len(files) > 200
    assert [path for path in files if not path.exists()] == []


def test_the_tests_of_the_guarantees_are_there():
    text = (ROOT / "docs/guarantees.md").read_text()
    names = set(re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)`", text))
    found = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(names) > 15
    assert names <= found
