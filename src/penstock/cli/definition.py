"""Reading a definition file."""

from __future__ import annotations

import os
from collections.abc import Mapping

from penstock.cli.options import DEFAULT_FILE
from penstock.errors import UsageError
from penstock.model.job import Pipeline
from penstock.proc.disk import LocalDisk
from penstock.spec.load import Definition, examine


def all_settings(
    settings: Mapping[str, str], files: Mapping[str, str]
) -> dict[str, str]:
    """The settings, and under them the contents of files, by name of the variable.

    Raises:
        UsageError: a file cannot be read.
    """
    contents: dict[str, str] = {}
    for name, path in files.items():
        try:
            data = LocalDisk().read(path)
        except OSError as error:
            why = f"cannot read {path}: {error.strerror}"
            raise UsageError(f"--set-file {name}={path}: {why}") from None
        contents[name] = os.fsdecode(data.removesuffix(b"\n"))
    return {**contents, **settings}


def read_definition(path: str, settings: Mapping[str, str]) -> Pipeline:
    """The pipeline that `path` defines.

    Raises:
        UsageError: the file cannot be read.
        DefinitionError: it is wrong.
    """
    return examine_definition(path, settings).pipeline


def examine_definition(path: str, settings: Mapping[str, str]) -> Definition:
    """All that is to be said of the definition in `path`.

    Raises:
        UsageError: the file cannot be read.
        DefinitionError: it is wrong.
    """
    disk = LocalDisk()
    try:
        data = disk.read(path)
    except OSError as error:
        hint = (
            "name one: penstock run FILE"
            if path == DEFAULT_FILE
            else "is the path right?"
        )
        raise UsageError(
            f"cannot read {path}: {error.strerror}\nhint: {hint}"
        ) from None
    return examine(data, file=path, settings=settings, disk=disk)
