"""The rules of the house that no linter knows: sizes, names, and what is never imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def name_of(path: Path) -> str:
    """Give the path as a person would say it."""
    return str(path.relative_to(HOUSE))


every_module = pytest.mark.parametrize("path", modules(*ROOMS), ids=name_of)


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


def read(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@every_module
def test_no_function_is_too_long(path: Path) -> None:
    """What does not fit on a screen has another function in it."""
    long = {function.name: length(function) for function in functions(read(path))}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION} == {}


@every_module
def test_no_module_is_too_long(path: Path) -> None:
    """A module is one idea."""
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_MODULE


@every_module
def test_no_module_is_named_for_what_fits_nowhere(path: Path) -> None:
    """A name that says nothing collects everything."""
    assert not NAMES_FOR_WHAT_FITS_NOWHERE & set(path.relative_to(HOUSE).with_suffix("").parts)


@every_module
def test_nothing_is_mocked(path: Path) -> None:
    """Tests use the real thing, or a fake that works."""
    assert [name for name in imported(read(path)) if "mock" in name.split(".")] == []


@pytest.mark.parametrize("path", modules(*SHIPPED), ids=name_of)
def test_no_secret_comes_from_a_guessable_source(path: Path) -> None:
    """Finding GL#831: `random` is no source of secrets, so nothing that is shipped imports it."""
    assert [name for name in imported(read(path)) if name.split(".")[0] == "random"] == []


@pytest.mark.parametrize("path", modules("submit", "config"), ids=name_of)
def test_the_service_cannot_open_what_it_sealed(path: Path) -> None:
    """Opening sealed files is for the offline tool: no module of the service imports it."""
    assert [name for name in imported(read(path)) if name.startswith("crypto.open")] == []


@every_module
def test_every_test_has_its_sentence(path: Path) -> None:
    """Each test says in one sentence what holds, and asks one thing."""
    tests = [function for function in functions(read(path)) if function.name.startswith("test_")]
    assert [test.name for test in tests if not ast.get_docstring(test)] == []


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
