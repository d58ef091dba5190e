"""The rules of the house that no linter knows: sizes, names, and what is never imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]
ROOMS = ("submit", "crypto", "config", "tests", "deploy")
SHIPPED = ("submit", "crypto", "config", "deploy")

LONGEST_FUNCTION = 50  # lines, without its docstring
LONGEST_MODULE = 400  # lines
NAMES_FOR_WHAT_FITS_NOWHERE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*rooms: str) -> list[Path]:
    """Give every Python file of some rooms, and those beside them."""
    inside = [path for room in rooms for path in (HOUSE / room).rglob("*.py")]
    return sorted([*inside, *HOUSE.glob("*.py")])


def trees(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    """Give every file's path as a person would say it, and what it says."""
    for path in modules(*rooms):
        yield str(path.relative_to(HOUSE)), ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Give every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Count a function's lines from `def` to its end, without the docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def imported(tree: ast.AST) -> Iterator[str]:
    """Give the full name of everything that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(*rooms: str) -> Iterator[tuple[str, list[str]]]:
    """Give every import of some rooms, split at its dots."""
    for path, tree in trees(*rooms):
        yield from ((path, name.split(".")) for name in imported(tree))


def test_no_function_is_too_long() -> None:
    """What does not fit on a screen has another function in it."""
    every = [(path, function) for path, tree in trees(*ROOMS) for function in functions(tree)]
    lengths = {f"{path}: {function.name}": length(function) for path, function in every}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_no_module_is_too_long() -> None:
    """A module is one idea."""
    lengths = {str(path): path.read_text(encoding="utf-8").count("\n") for path in modules(*ROOMS)}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_module_is_named_for_what_fits_nowhere() -> None:
    """A name that says nothing collects everything."""
    parts = [path.relative_to(HOUSE).with_suffix("").parts for path in modules(*ROOMS)]
    assert [part for part in parts if NAMES_FOR_WHAT_FITS_NOWHERE & set(part)] == []


def test_nothing_is_mocked() -> None:
    """Tests use the real thing, or a fake that works."""
    assert [(path, name) for path, name in imports(*ROOMS) if "mock" in name] == []


def test_no_secret_comes_from_a_guessable_source() -> None:
    """Finding GL#831: `random` is no source of secrets, so nothing that is shipped imports it."""
    assert [(path, name) for path, name in imports(*SHIPPED) if name[0] == "random"] == []


def test_the_service_cannot_open_what_it_sealed() -> None:
    """Opening sealed files is for the offline tool: no module of the service imports it."""
    every = imports("submit", "config")
    assert [(path, name) for path, name in every if name[:2] == ["crypto", "open"]] == []


def test_every_test_has_its_sentence() -> None:
    """Each test says in one sentence what holds."""
    every = [(path, function) for path, tree in trees("tests") for function in functions(tree)]
    tests = [(path, test) for path, test in every if test.name.startswith("test_")]
    assert [(path, test.name) for path, test in tests if not ast.get_docstring(test)] == []


def test_the_gate_counts_lines_without_the_docstring() -> None:
    """The gate itself can fail: it counts what a reader has to hold in mind."""
    tree = ast.parse('def f():\n    """Two\n    lines."""\n    return 1\n')
    assert [length(function) for function in functions(tree)] == [2]


def test_the_gate_sees_every_way_to_import() -> None:
    """`from unittest import mock` is the same as `import unittest.mock`."""
    tree = ast.parse("import random\nfrom unittest import mock\nfrom unittest.mock import Mock\n")
    assert list(imported(tree)) == ["random", "unittest.mock", "unittest.mock.Mock"]


def test_the_gate_finds_the_house() -> None:
    """A gate that looks at nothing lets everything through."""
    assert HOUSE / "config" / "settings.py" in modules(*SHIPPED)
