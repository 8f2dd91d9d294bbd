"""The table of docs/architecture.md, asserted from the imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "runec"

# Each row may import the rows below it, never its own row or one above.
ROWS: tuple[frozenset[str], ...] = (
    frozenset({"cli"}),
    frozenset({"devices"}),
    frozenset({"firmware"}),
    frozenset({"vm"}),
    frozenset({"codegen"}),
    frozenset({"frontend"}),
    frozenset({"backends"}),
    frozenset({"container"}),
    frozenset({"pipeline"}),
    frozenset({"proc_blocks", "models", "boards", "explanations"}),
    frozenset({"components"}),
    frozenset(
        {"diagnostics", "numbers", "values", "suggestions", "data"}
        | {"files", "toml", "cache", "tools"}
    ),
)
# Rooms of one row that may still not use the row below: only backends need third-party sources.
WITHOUT_COMPONENTS = frozenset({"proc_blocks", "models", "boards", "explanations"})
# The modules at the bottom build on one another in this order.
GROUND = (
    *("diagnostics", "numbers", "values", "suggestions", "data"),
    *("files", "toml", "cache", "tools"),
)
FOLDERS = {
    ".ci",
    "boards",
    "docs",
    "examples",
    "firmware_templates",
    "runec",
    "tests",
    "tools",
}

FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ("__init__.py", "__main__.py")
]


def row_of(room: str) -> int:
    return next(index for index, rooms in enumerate(ROWS) if room in rooms)


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the modules of runec that a file imports, in full, wherever in it the import stands."""
    package = path.relative_to(PROJECT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("runec."))
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            if module == "runec":
                yield from (f"runec.{name.name}" for name in node.names)
            elif module.startswith("runec."):
                yield module


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {room_of(path) for path in FILES}
    assert rooms == set().union(*ROWS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_its_right(path: Path) -> None:
    room = room_of(path)
    for module in imported_modules(path):
        other = module.split(".")[1]
        if other in (room, "__version__"):
            continue
        if room in GROUND and other in GROUND:
            assert GROUND.index(other) < GROUND.index(room), f"{room} imports {module}"
        else:
            assert row_of(other) > row_of(room), f"{room} imports {module}"
        if room in WITHOUT_COMPONENTS:
            assert other != "components", f"{room} imports {module}"


def test_backends_never_import_each_other() -> None:
    folder = PACKAGE / "backends"
    names = {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "_"}
    for path in sorted(folder.glob("*/**/*.py")):
        own = path.relative_to(folder).parts[0]
        for module in imported_modules(path):
            parts = module.split(".")
            if parts[1] == "backends" and len(parts) > 2 and parts[2] in names:
                assert parts[2] == own, f"{path.relative_to(PACKAGE)} imports {module}"


def test_the_root_holds_only_the_folders_of_the_design() -> None:
    found = {
        path.name
        for path in PROJECT.iterdir()
        if path.is_dir() and (path.name == ".ci" or not path.name.startswith("."))
    }
    assert found - {"build", "dist"} <= FOLDERS
    assert found >= {"boards", "docs", "examples", "firmware_templates", "runec", "tests", "tools"}


CODE = re.compile(r"R[01][0-9]{3}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_happens_depends_on_classes_of_errors_and_not_on_their_codes(path: Path) -> None:
    """A code is compared with nothing: neither a literal, nor a set of them under a name."""
    tree = ast.parse(path.read_text(), str(path))
    codes = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and _has_code(node.value)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            named = [side.id for side in sides if isinstance(side, ast.Name) and side.id in codes]
            assert not named, f"line {node.lineno} compares with {named[0]}"
            assert not any(map(_has_code, sides)), f"line {node.lineno} compares with a code"


def _has_code(node: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and CODE.fullmatch(each.value) is not None
        for each in ast.walk(node)
    )
