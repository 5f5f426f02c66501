"""Writes the JSON Schema documents anew from the modules: `python -m schemas`."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from schemas import ROOTS, path_of
from typedllm.models.replay import line_schema
from typedllm.schema.build import build, strip_hints


def document(root: type[BaseModel]) -> str:
    """The JSON Schema document of a type, as text."""
    return json.dumps(strip_hints(build(root).document), indent=2, ensure_ascii=False) + "\n"


def documents() -> dict[Path, str]:
    """Every document of this folder, with its text: of the domains, and of the files that typedllm itself writes."""
    files = {path_of("replay.schema"): json.dumps(line_schema(), indent=2, ensure_ascii=False) + "\n"}
    return {path_of(domain): document(root) for domain, root in ROOTS.items()} | files


def main() -> None:
    """Write each document that is out of step, and name it."""
    for path, text in documents().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(path.name)


if __name__ == "__main__":
    main()
