"""Each example runs: from its recorded replies, with what it prints compared; and live on the embedded model."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import environment

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/main.py"))


def run(example: Path, *args: str) -> str:
    command = [sys.executable, str(example / "main.py"), *args]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), cwd=example, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_prints_what_it_printed_when_it_was_recorded(example: Path) -> None:
    assert run(example) == (example / "expected.txt").read_text("utf-8")


@pytest.mark.local
@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs_live(example: Path) -> None:
    shown = run(example, "--model", "local")
    for line in (example / "input.txt").read_text("utf-8").splitlines():
        assert line in shown


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_complete_and_can_be_copied(example: Path) -> None:
    assert {path.name for path in example.iterdir() if path.is_file()} >= {
        "README.md",
        "expected.txt",
        "input.txt",
        "main.py",
        "replies.jsonl",
    }
    tree = ast.parse((example / "main.py").read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(module and module.startswith(("examples", "tests")) for module in imported)
