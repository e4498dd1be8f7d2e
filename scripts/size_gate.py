"""Fail when a file in src/ has over 400 lines or a function over 60; warn over 250."""

import argparse
import ast
import sys
from pathlib import Path

FILE_MAX, FILE_WARN, FUNCTION_MAX = 400, 250, 60


def check(path: Path) -> tuple[list[str], list[str]]:
    """What is too long in `path`, and what is about to be."""
    text = path.read_text(encoding="utf-8")
    length = len(text.splitlines())
    files = [f"{path}: {length} lines"]
    functions = [
        f"{path}:{node.lineno}: {node.name} has {size} lines, limit {FUNCTION_MAX}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_MAX
    ]
    if length > FILE_MAX:
        return files + functions, []
    return functions, files if length > FILE_WARN else []


def main() -> int:
    """Check every file below the given folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("src")])
    n_failures = 0
    for folder in parser.parse_args().folders:
        for path in sorted(folder.rglob("*.py")):
            failures, warnings = check(path)
            n_failures += len(failures)
            for line in failures:
                print(f"size: {line}", file=sys.stderr)
            for line in warnings:
                print(f"size: warning: {line}, aim at {FILE_WARN}", file=sys.stderr)
    return min(n_failures, 1)


if __name__ == "__main__":
    sys.exit(main())
