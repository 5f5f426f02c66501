"""CPU time of importing the package against pydantic's, in fresh interpreters, interleaved; the medians' ratios."""

from __future__ import annotations

import statistics
import subprocess
import sys

CASES = {
    "import pydantic": "import pydantic",
    "import typedllm": "import typedllm",
    "pydantic in use": "from pydantic import BaseModel, TypeAdapter",
    "typedllm in use": "from typedllm import Client, Schema",
}
ROUNDS = 15


def measure(code: str) -> float:
    """Milliseconds of CPU for one statement in an interpreter of its own."""
    program = f"import time; start = time.process_time()\n{code}\nprint((time.process_time() - start) * 1000)"
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Print the medians and the two ratios."""
    rows: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, code in CASES.items():
            rows[name].append(measure(code))
    medians = {name: statistics.median(values) for name, values in rows.items()}
    for name, value in medians.items():
        print(f"{name:16} {value:7.1f} ms CPU")
    print(f"import: {medians['import typedllm'] / medians['import pydantic']:.2f} times pydantic")
    print(f"in use: {medians['typedllm in use'] / medians['pydantic in use']:.2f} times pydantic")


if __name__ == "__main__":
    main()
