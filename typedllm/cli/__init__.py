"""The command line. What it needs comes with the extra `cli` and is imported when a command is run."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["main"]

_EXTRA: Final = ("rich", "typer")


def main() -> None:
    """Run the command line on the arguments of this process; ends the process."""
    try:
        from typedllm.cli.app import app
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.exit(_without(missing))
    app(prog_name="typedllm")


def _without(missing: str) -> int:
    print(f"error: the command line is not installed: {missing} (pip install 'typedllm[cli]')", file=sys.stderr)
    return 2
