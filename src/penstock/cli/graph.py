"""``penstock graph``: a definition as a picture, or as a Makefile."""

from __future__ import annotations

from penstock.cli.definition import all_settings, read_definition
from penstock.cli.lines.graph import GraphOptions
from penstock.cli.options import DEFAULT_FILE
from penstock.cli.printing import say
from penstock.report.graph import draw_dot, draw_mermaid, draw_text
from penstock.report.graph_svg import draw_svg
from penstock.report.makefile import format_makefile

_DRAW = {
    "text": draw_text,
    "mermaid": draw_mermaid,
    "dot": draw_dot,
    "svg": draw_svg,
    "make": format_makefile,
}


def main(given: GraphOptions) -> int:
    """Print it; 0."""
    settings = all_settings(given.settings, given.setting_files)
    pipeline = read_definition(given.file or DEFAULT_FILE, settings)
    return say(0, out=_DRAW[given.format](pipeline))
