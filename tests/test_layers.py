"""A module imports only what stands on a lower floor."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "typedllm"

FLOORS = [
    {"records", "errors", "policy"},
    {"schema"},
    {"reading"},
    {"validation", "prices", "meter", "tracing", "confidence"},
    {"budget"},
    {"declared", "prompts", "programs", "options"},
    {"watch"},
    {"repair", "models"},
    {"streaming", "drivers"},
    {"function"},
    {"client", "tools"},
    {"batch", "judge"},
    {"cli", "testing"},
    {"__main__"},
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
SAME_FLOOR = {("errors", "records"), ("records", "policy"), ("declared", "prompts"), ("testing", "cli")}


def part(module: str) -> str:
    return module.split(".")[1]


def imports(path: Path) -> set[str]:
    """Modules of this package that are imported, those for type checking only left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("typedllm"):
            found |= {node.module} if node.module != "typedllm" else {f"typedllm.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("typedllm.")}
    return found


MODULES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    here = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert here in FLOOR, f"{here} has no floor: give it one in FLOORS"
    for module in imports(path):
        there = part(module)
        allowed = there == here or FLOOR[there] < FLOOR[here] or (here, there) in SAME_FLOOR
        assert allowed, f"{here} imports {module}, which stands above it or beside it"


@pytest.mark.slow
def test_no_import_circle() -> None:
    graph = {path: imports(path) for path in MODULES}
    names = {"typedllm." + ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    done = set[Path]()

    def visit(path: Path, trail: tuple[Path, ...]) -> None:
        assert path not in trail, f"import circle: {' -> '.join(p.name for p in (*trail, path))}"
        if path in done:
            return
        for module in graph[path]:
            if module in names:
                visit(names[module], (*trail, path))
        done.add(path)

    for path in MODULES:
        visit(path, ())
