"""How the command line is entered."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.terminal import ROOT, environment, piped


@pytest.mark.parametrize("extra", ["typer", "rich"])
def test_without_its_extra_it_says_what_to_install(extra: str) -> None:
    code = f"import sys; sys.modules[{extra!r}] = None; from typedllm.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 2
    assert done.stderr == f"error: the command line is not installed: {extra} (pip install 'typedllm[cli]')\n"
    assert done.stdout == ""


def test_a_missing_module_of_another_kind_is_not_blamed_on_the_extra() -> None:
    code = "import sys; sys.modules['pydantic'] = None; from typedllm.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 1
    assert "pydantic" in done.stderr
    assert "typedllm[cli]" not in done.stderr


def test_help_lists_the_commands_and_the_exit_codes() -> None:
    done = piped("--help")
    assert done.returncode == 0
    for word in ("run", "chat", "check", "render", "130 interrupted"):
        assert word in " ".join(done.stdout.split())


def test_a_reader_that_goes_away_is_no_crash() -> None:
    command = [sys.executable, "-m", "typedllm", "render", "-s", "schemas.coffee:Cart", "--format", "json-schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment()) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        done.stdout.close()
        assert b"Traceback" not in done.stderr.read()
