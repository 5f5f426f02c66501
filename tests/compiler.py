"""The real TypeScript compiler, one run for many files."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

needed = pytest.mark.xdist_group("typescript")
"""Marks a test that compiles: they share one process, so that the compiler is installed once."""

_HOME = Path(__file__).parent / "typescript"
_TSC = _HOME / "node_modules" / "typescript" / "bin" / "tsc"
_OPTIONS = ("--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--pretty", "false")


def installed() -> bool:
    """Whether the compiler stands ready; installs it where npm can."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return False
    if not _TSC.exists():
        with tempfile.TemporaryDirectory(dir=_HOME, prefix="node_modules.") as folder:  # nobody sees half of it
            shutil.copy(_HOME / "package.json", folder)
            command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock"]
            subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=300)
            with suppress(OSError):  # another process was before
                Path(folder, "node_modules").rename(_HOME / "node_modules")
    return _TSC.exists()


def faults(files: Mapping[str, str]) -> dict[str, list[str]]:
    """What the compiler says against each file, under `strict`; a file without faults is left out.

    Args:
        files: the text of each module, by a name without suffix.
    """
    if not installed():
        pytest.skip("needs the TypeScript compiler: install node and npm, then run again")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, f"{name}.ts").write_text(f"export {{}};\n{text}", "utf-8")
        # By a file list: the command line has a length limit, hundreds of renderings do not.
        Path(folder, "tsc.list").write_text("\n".join(f'"{name}.ts"' for name in files), "utf-8")
        command = ["node", str(_TSC), *_OPTIONS, "@tsc.list"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=300)
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if match := re.match(r"(\w+)\.ts\((\d+),\d+\): (.*)", line):
            shown = files[match[1]].splitlines()
            found.setdefault(match[1], []).append(f"{match[3]}\n    {shown[int(match[2]) - 2][:300]}")
    assert done.returncode == 0 or found, done.stdout + done.stderr
    return found


def module(declarations: str, root: str, accepted: list[str], refused: list[str]) -> str:
    """A module that compiles only if the accepted JSON values are of the root type and the refused ones are not."""
    lines = [declarations]
    lines += [f"const accepted{i}: {root} = {value};" for i, value in enumerate(accepted)]
    lines += [f"// @ts-expect-error\nconst refused{i}: {root} = {value};" for i, value in enumerate(refused)]
    return "\n".join([*lines, ""])
