"""`import typedllm` imports pydantic and the standard library, nothing else."""

import subprocess
import sys

import pytest

FORBIDDEN = (
    "openai",
    "jsonschema",
    "jiter",
    "anyio",
    "httpx",
    "httpx2",
    "xllamacpp",
    "typer",
    "rich",
    "opentelemetry",
    "genai_prices",
)


def test_heavy_parts_are_imported_at_first_use() -> None:
    code = f"import sys, typedllm; print([m for m in {FORBIDDEN} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_public_names_are_sorted_few_and_documented() -> None:
    import typedllm

    assert typedllm.__all__ == sorted(typedllm.__all__)
    assert len(typedllm.__all__) <= 30
    for name in typedllm.__all__:
        assert getattr(typedllm, name).__doc__, name


def test_the_package_itself_is_lazy_and_says_what_it_lacks() -> None:
    import typedllm

    code = "import sys, typedllm; print('typedllm.client' in sys.modules, typedllm.Usage().requests)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False 0\n"
    )
    assert set(typedllm.__all__) <= set(dir(typedllm))
    with pytest.raises(AttributeError, match="has no attribute 'Clients'"):
        _ = typedllm.Clients  # type: ignore[attr-defined]


def test_every_public_name_is_there_for_checkers_and_at_run_time() -> None:
    import ast
    from pathlib import Path

    import typedllm

    assert typedllm.__file__
    tree = ast.parse(Path(typedllm.__file__).read_text(encoding="utf-8"))
    seen = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(typedllm.__all__) <= seen
    for name in typedllm.__all__:
        assert getattr(typedllm, name) is not None
