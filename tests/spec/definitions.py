"""Definitions for tests: read from a text, with other files beside it as a mapping."""

from __future__ import annotations

import textwrap
from fnmatch import fnmatchcase

import pytest

from penstock.errors import DefinitionError
from penstock.spec.load import load


class Files:
    """A `Disk` of texts by path; counts how many lines were asked for."""

    def __init__(self, files):
        self._files = files
        self.lines_read = 0

    def read(self, path):
        if path not in self._files:
            raise FileNotFoundError(2, "No such file or directory", path)
        data = self._files[path]
        return data if isinstance(data, bytes) else textwrap.dedent(data).encode()

    def lines(self, path):
        for line in self.read(path).decode().splitlines():
            self.lines_read += 1
            yield line

    def glob(self, pattern):
        return iter(sorted(p for p in self._files if fnmatchcase(p, pattern)))


def read(text, files=None, **settings):
    return load(
        textwrap.dedent(text), file="f", settings=settings, disk=Files(files or {})
    )


def mistakes(text, files=None, **settings):
    """The first line of each mistake."""
    with pytest.raises(DefinitionError) as error:
        read(text, files, **settings)
    return [mistake.partition("\n")[0] for mistake in error.value.mistakes]


def members(pipeline, name):
    (family,) = (one for one in pipeline.families if one.name == name)
    return list(family.members())
