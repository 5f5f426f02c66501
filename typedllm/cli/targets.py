"""From what `--schema` names to a `Schema`."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from typedllm.cli.exits import MistakeError
from typedllm.declared import Schema
from typedllm.function import AsyncPromptFunction, PromptFunction

FORMS: Final = "file.py:Name, module.path:Name or file.json"


def load(where: str) -> Schema[Any]:
    """The schema that is named.

    Args:
        where: `file.py:Name`, `module.path:Name`, or a JSON Schema document `file.json`. The name may be that of a
            type, of a `Schema` or of a prompt function; `Outer.Inner` reaches into a class.

    Raises:
        MistakeError: there is no such file, module or name, or the module fails when it is imported.
        SchemaError: the type cannot be rendered or validated.
    """
    if where.endswith(".json"):
        return Schema.from_json_schema(_existing(Path(where)))
    place, colon, name = where.rpartition(":")
    if not colon:
        place, name = where, ""
    if not place.endswith(".py") and not all(part.isidentifier() for part in place.split(".")):
        raise MistakeError(f"not the name of a schema: {where} (write {FORMS})")
    module = _from_file(_existing(Path(place))) if place.endswith(".py") else _imported(place)
    found = _named(module, name, place)
    if isinstance(found, PromptFunction | AsyncPromptFunction):
        found = found.schema  # pyright: ignore  # of which type, only its author knows
    if isinstance(found, Schema):
        return found  # pyright: ignore[reportUnknownVariableType]
    return Schema(found)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MistakeError(f"there is no file {path} (--schema takes {FORMS})")
    return path


def _from_file(path: Path) -> ModuleType:
    name = f"_schema_of_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _reach(str(path.parent.resolve()), last=True)  # a neighbour called calendar.py must not hide Python's own
    _reach(str(Path.cwd()))
    with _Importing(str(path)):
        spec.loader.exec_module(module)
    return module


def _imported(name: str) -> ModuleType:
    _reach(str(Path.cwd()))
    with _Importing(name):
        return importlib.import_module(name)


def _reach(folder: str, *, last: bool = False) -> None:
    """Let the module import its neighbours, as `python file.py` and `python -m module` do."""
    if folder not in sys.path:
        sys.path.insert(len(sys.path) if last else 0, folder)


class _Importing:
    """Turns whatever a module raises when it is imported into one line that says where."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, Exception):
            return
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f" ({Path(last.filename).name}, line {last.lineno})" if "importlib" not in last.filename else ""
        raise MistakeError(f"{self._what} cannot be imported: {type(error).__name__}: {error}{place}") from error


def _named(module: ModuleType, name: str, place: str) -> Any:
    if not name:
        raise MistakeError(f"no type is named: write {place}:Name{_choice(module)}")
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(name, _types(module), 1)
            hint = f" (did you mean {near[0]}?)" if near else _choice(module)
            raise MistakeError(f"{place} has no {name}{hint}")
        found = getattr(found, part)
    return found


def _choice(module: ModuleType) -> str:
    names = _types(module)
    return f" (there: {', '.join(names)})" if names else ""


def _types(module: ModuleType) -> list[str]:
    """What a user may well mean: the public classes that the module itself defines, in order."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
