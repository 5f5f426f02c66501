"""Both type checkers see the same types, and refuse what must be refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "typing"
ROOT = HERE.parent.parent

pytestmark = pytest.mark.slow


def pyright(path: Path) -> set[int]:
    command = shutil.which("pyright", path=str(Path(sys.executable).parent)) or "pyright"
    out = subprocess.run(
        [command, "--outputjson", "--pythonpath", sys.executable, str(path)], cwd=ROOT, capture_output=True, text=True
    ).stdout
    return {
        row["range"]["start"]["line"] + 1 for row in json.loads(out)["generalDiagnostics"] if row["severity"] == "error"
    }


def mypy(path: Path) -> set[int]:
    out = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--enable-error-code",
            "empty-body",
            str(path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout
    return {int(match[1]) for match in re.finditer(rf"{re.escape(path.name)}:(\d+): error", out)}


@pytest.mark.parametrize("checker", [pyright, mypy])
@pytest.mark.parametrize("name", ["accepted.py", "refused.py"])
def test_checkers_agree_with_the_marks(checker: object, name: str) -> None:
    path = HERE / name
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = {number for number, line in enumerate(lines, 1) if "# error:" in line}
    assert callable(checker)
    assert checker(path) == expected
