"""Imports point down the house, never up and never round; read off the source by ``ast``."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "opsin"

# From the roof to the ground. A room may import what stands below it, or itself.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"terminal"},
    {"verbs"},
    {"study"},
    {"ensemble"},
    {"training"},
    {"lessons"},
    {"locate", "quantized"},
    {"report"},
    {"model"},
    {"committee"},
    {"engine"},
    {"runtimes"},
    {"tasks"},
    {"augment", "metrics", "nets"},
    {"proposals"},
    {"data"},
    {"ops"},
    {"recipe", "card"},
    {"results", "figures", "events"},
    {"files", "plugins"},
    {"errors"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


def room_of(path: Path) -> str:
    """Return the first name below ``opsin``."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the rooms a file imports from, wherever in the file."""
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports by dots"
            whole = node.module == "opsin"
            names = [f"opsin.{a.name}" for a in node.names] if whole else [node.module]
        else:
            continue
        rooms |= {n.split(".")[1] for n in names if n.startswith("opsin.")}
    return rooms - {"__version__"}


def test_every_room_has_its_place() -> None:
    rooms = {room_of(path) for path in SOURCE.rglob("*.py")} - {"__init__"}
    assert rooms == set(LEVEL)


def test_imports_point_down() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in SOURCE.rglob("*.py")
        if (room := room_of(path)) != "__init__"
        for other in imported(path)
        if other != room and LEVEL[other] <= LEVEL[room]
    ]
    assert not wrong


def test_nobody_asks_which_task_or_policy_it_is() -> None:
    """A plug-in is a file: the others must not know its name."""
    tasks = {path.stem for path in (SOURCE / "tasks").glob("[!_]*.py")}
    compared = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                parts = [node.left, *node.comparators]
                words = {p.value for p in parts if isinstance(p, ast.Constant)}
                if words & tasks:
                    compared.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert not compared
