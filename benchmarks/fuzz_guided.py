"""Coverage-guided fuzzing of the reader with atheris, which is installed for this alone.

    python -m benchmarks.fuzz_guided [-max_total_time=600] [-max_len=2000] [-seed=1]

The options are those of libFuzzer. It begins with the replies of the corpus; each new one breaks an old one that reached
new code, token by token, and is held to the laws of `tests/support/fuzzing.py`. Each kind of broken law is printed with
up to three texts.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["typedllm.reading"]):
    from tests.support import fuzzing

HEAD = 3
"""The first bytes of an input choose the type and how the text is read; the rest is the text."""
NAMES = list(fuzzing.TYPES)
BROKEN: Counter[str] = Counter()


def one(data: bytes) -> None:
    """Reads one text, and prints the law that it breaks."""
    name, state = NAMES[data[0] % len(NAMES)] if data else "any", data[1:HEAD]
    text = data[HEAD:].decode("utf-8", "replace")
    try:
        fuzzing.check(random.Random(state), fuzzing.TYPES[name], text)
    except Exception as error:
        law = f"{type(error).__name__}: {str(error)[:80]}"
        BROKEN[law] += 1
        if BROKEN[law] <= 3:
            print(f"{law}\n    {name} {state!r} {text!r}", flush=True)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """An input made of another one: mostly broken as a model breaks JSON, else byte by byte."""
    dice = random.Random(seed)
    if len(data) < HEAD or dice.random() < 0.2:
        changed: bytes = atheris.Mutate(data, most)
        return changed
    head = data[:HEAD] if dice.random() < 0.7 else dice.randbytes(HEAD)
    text = fuzzing.mutant(dice, [data[HEAD:].decode("utf-8", "replace")])
    return (head + text.encode("utf-8", "replace"))[:most]


def main() -> None:
    """Fuzzes until libFuzzer's options end it."""
    with tempfile.TemporaryDirectory() as folder:
        for index, text in enumerate(fuzzing.seeds()):
            head = bytes((index % len(NAMES), index // 256 % 256, index % 256))
            Path(folder, str(index)).write_bytes(head + text.encode("utf-8", "replace"))
        atheris.Setup([*sys.argv, folder], one, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
