"""Foreign text made safe: a terminal must not obey what a command wrote.

Escape sequences could recolour, overwrite or rename the window; lone surrogates (the
undecodable bytes of arguments and file names) break every encoder.
"""

from __future__ import annotations

_LONGEST_LINE = 500  # characters, of what is shown as an excerpt
_KEPT = frozenset("\t\n\xa0")


def readable(text: str) -> str:
    r"""`text` as valid Unicode: a byte that was not decodable appears as ``\xff``."""
    if text.isascii():
        return text
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        raw = text.encode("utf-8", "backslashreplace")
    return decoded(raw)


def decoded(raw: bytes) -> str:
    r"""`raw` as UTF-8; a byte that is not appears as ``\xff``."""
    return raw.decode("utf-8", "backslashreplace")


def visible(text: str) -> str:
    r"""`text` without anything that a terminal would obey: ESC appears as ``\x1b``."""
    text = readable(text)
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in _KEPT else c.encode("unicode_escape").decode()
        for c in text
    )


def last_lines(raw: bytes, number: int) -> list[str]:
    """The last lines of what a command wrote, as they would stand on a terminal.

    Of a very long one, its two ends.
    """
    lines = decoded(raw).rstrip().split("\n")[-number:]
    # A progress bar overwrites its line after each carriage return.
    shown = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines if line]
    return [_shorten(visible(line)) for line in shown]


def _shorten(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    half = _LONGEST_LINE // 2
    return f"{line[:half]} [...] {line[-half:]}"
