"""The package is built in rooms: no circle of imports, no name twice, no module that has grown too long."""

import ast
from collections import defaultdict
from pathlib import Path

import grimp
import pytest

PACKAGE = Path(__file__).parents[1] / "fercomp"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 250
"""Lines. What is longer has more than one subject."""

LAUNCHERS = PACKAGE / "cli"
"""A command's function has the name that the user types, and calls what has the same name in its room."""


def public_names(module: Path) -> set[str]:
    """Returns the functions, classes and constants that a module defines for others."""
    names = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def test_no_circle_of_imports():
    graph = grimp.build_graph("fercomp", cache_dir=None)
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    while leaves := [m for m, needed in imports.items() if not needed & imports.keys()]:
        for leaf in leaves:
            del imports[leaf]
    assert not imports, f"modules in a circle, or above one: {sorted(imports)}"


def test_no_public_name_stands_twice_in_the_package():
    places = defaultdict(list)
    for module in MODULES:
        if LAUNCHERS not in module.parents:
            for name in public_names(module):
                places[name].append(str(module.relative_to(PACKAGE)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_is_too_long():
    lines = {
        str(module.relative_to(PACKAGE)): len(module.read_text(encoding="utf-8").splitlines())
        for module in MODULES
    }
    assert len(lines) > 300
    assert {module: number for module, number in lines.items() if number > LONGEST} == {}


@pytest.mark.parametrize("room", ["modeling", "kaggle"])
def test_a_room_of_rooms_has_these_only(room):
    assert [m.name for m in (PACKAGE / room).glob("*.py")] == ["__init__.py"]
