"""The command line as a process of its own: on pipes, and on a terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """A clean environment: this checkout can be imported, no model is configured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100", **extra}


def piped(*args: str, stdin: str = "", env: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """Run `typedllm` with its three streams on pipes."""
    command = [sys.executable, "-m", "typedllm", *args]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, cwd=ROOT, env=environment(env), timeout=60, check=False
    )


def on_terminal(*args: str, typed: Sequence[str] = (), env: Mapping[str, str] = {}) -> tuple[int, str]:
    """Run `typedllm` with its three streams on a terminal.

    Args:
        *args: the command line.
        typed: what a person types, one piece at each prompt.
        env: further environment variables.

    Returns:
        The exit code, and all that stood on the screen.
    """
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "typedllm", *args]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment(env))
    os.close(slave)
    seen, answered, pieces = b"", 0, list(typed)
    while select.select([master], [], [], 30)[0]:
        try:
            piece = os.read(master, 65_536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen += piece
        if pieces and seen.count(b"> ") > answered:
            answered += 1
            os.write(master, pieces.pop(0).encode())
    os.close(master)
    try:
        return process.wait(30), seen.decode(errors="replace").replace("\r\n", "\n")
    finally:
        process.kill()
