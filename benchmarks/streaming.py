"""What it costs to follow a streamed reply, piece by piece.

    python benchmarks/streaming.py                     10 KB, 100 KB and 400 KB in pieces of 20 characters
    python benchmarks/streaming.py --sizes 10,100,400,1000 --pieces 1,4,20,200
    python benchmarks/streaming.py --kind "trailing commas"    of a reply that is mended as it comes
    python benchmarks/streaming.py --instructor        with instructor's partial objects, when it is installed (minutes)

The reply is one object with a list of nested records. Seconds are CPU of this process; `peak` is what Python allocated
at most, measured in a run of its own. `plain` is the least that anyone can do in Python: a push parser of valid JSON
that shows nothing and mends nothing; the last column says how many times of it a way costs. `stream` is a client's
stream from the model's pieces to the value. What is extrapolated (quadratic peers at large sizes) is marked with `~`.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from typedllm import Client, Schema
from typedllm.models.scripted import ScriptedModel
from typedllm.reading.extract import Extractor
from typedllm.records import Policy
from typedllm.streaming.live import Live

AFFORDABLE = 2_000_000_000
"""Characters that a peer which parses anew at each piece is given to parse; beyond, it is extrapolated."""


class Address(BaseModel):
    street: str
    city: str


class Record(BaseModel):
    id: int
    name: str
    tags: list[str]
    price: float
    active: bool
    address: Address
    note: str | None


class Reply(BaseModel):
    items: list[Record]


def reply(size: int) -> str:
    """A reply of about so many characters."""
    records: list[str] = []
    length = 0
    while length < size:
        number = len(records)
        record = Record(
            id=number,
            name=f"Record number {number}",
            tags=["red", "green", "blue"],
            price=number * 1.25,
            active=number % 2 == 0,
            address=Address(street=f"{number} Main Street", city="Springfield"),
            note=None if number % 3 else 'They said "soon".\nThat was in May.',
        )
        records.append(record.model_dump_json())
        length += len(records[-1]) + 1
    return '{"items":[' + ",".join(records) + "]}"


KINDS: dict[str, Callable[[str], str]] = {
    "clean": lambda text: text,
    "in a fence": lambda text: f"Here it is:\n```json\n{text}\n```\n",
    "trailing commas": lambda text: text.replace("}", ",}"),
    "single quotes": lambda text: text.replace("'", "").replace('\\"', "").replace('"', "'"),
    "unquoted keys": lambda text: re.sub(r'"(\w+)":', r"\1:", text),
    "broken at the end": lambda text: text.removesuffix("]}") + ",]}",
}


def reader(pieces: Sequence[str]) -> None:
    """The tolerant reader alone."""
    extractor = Extractor(Schema(Reply).target)
    for piece in pieces:
        extractor.feed(piece)
    extractor.close()


def snapshots(pieces: Sequence[str]) -> None:
    """The reader, and a snapshot at each piece."""
    for _ in _followed(pieces):
        pass


def every_data(pieces: Sequence[str]) -> None:
    """The same, and the data of each snapshot is read."""
    for snapshot in _followed(pieces):
        _ = snapshot.data


def stream(pieces: Sequence[str]) -> None:
    """All of it: a client's stream with its bounds, its account and the value at the end."""
    model = ScriptedModel(["".join(pieces)], chunk_sizes=[len(pieces[0])])
    with Client(model).stream("x", Reply) as each:
        for _ in each:
            pass
        each.result()


def _followed(pieces: Sequence[str]) -> Iterator[Any]:
    target = Schema(Reply).target
    live = Live(target, Policy.of(), lambda _: None)
    extractor = live.extractor()
    for piece in pieces:
        extractor.feed(piece)
        if (snapshot := live.follow(extractor.latest)) is not None:
            yield snapshot
    extractor.close()
    live.follow(extractor.latest)


def plain(pieces: Sequence[str]) -> None:
    """A push parser of valid JSON: the floor."""
    parser = PlainParser()
    for piece in pieces:
        parser.feed(piece)
    assert parser.root is not None


class PlainParser:
    """Valid JSON with short white space only, in pieces: containers, strings, numbers, words."""

    def __init__(self) -> None:
        self.root: Any = None
        self._stack: list[Any] = []
        self._keys: list[str | None] = []
        self._buf = ""

    def feed(self, piece: str) -> None:
        """Takes the next piece."""
        buf, at = self._buf + piece, 0
        size = len(buf)
        while at < size:
            sign = buf[at]
            if sign in "{[":
                made: Any = {} if sign == "{" else []
                self._add(made)
                self._stack.append(made)
                self._keys.append(None)
            elif sign in "}]":
                self._stack.pop()
                self._keys.pop()
            elif sign == '"':
                end = buf.find('"', at + 1)
                while end > 0 and (end - len(buf[:end].rstrip("\\"))) % 2:
                    end = buf.find('"', end + 1)
                if end < 0:
                    break
                self._text(json.loads(buf[at : end + 1]))
                at = end
            elif sign not in ",: ":
                end = at
                while end < size and buf[end] not in ",}] ":
                    end += 1
                if end == size:
                    break
                self._add(json.loads(buf[at:end]))
                at = end - 1
            at += 1
        self._buf = buf[at:]

    def _text(self, text: str) -> None:
        if self._stack and isinstance(self._stack[-1], dict) and self._keys[-1] is None:
            self._keys[-1] = text
        else:
            self._add(text)

    def _add(self, data: Any) -> None:
        if not self._stack:
            self.root = data
        elif isinstance(self._stack[-1], list):
            self._stack[-1].append(data)
        else:
            self._stack[-1][self._keys[-1]] = data
            self._keys[-1] = None


def jiter(pieces: Sequence[str]) -> None:
    """jiter parses the text so far anew at each piece."""
    from jiter import from_json

    text = b""
    for piece in pieces:
        text += piece.encode()
        from_json(text, partial_mode="trailing-strings")


def instructor(pieces: Sequence[str]) -> None:
    """instructor's partial objects."""
    from instructor.dsl.partial import Partial  # type: ignore[import-not-found, unused-ignore]

    partial: Any = Partial[Reply]
    for _ in partial.model_from_chunks(iter(pieces)):
        pass


Way = Callable[[Sequence[str]], None]
OURS: dict[str, Way] = {
    "plain": plain,
    "reader": reader,
    "snapshots": snapshots,
    "every .data": every_data,
    "stream": stream,
}
ANEW: dict[str, Way] = {"jiter anew": jiter}


def cut(text: str, size: int) -> list[str]:
    """The text in pieces."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def seconds(way: Way, pieces: Sequence[str]) -> float:
    """CPU seconds of one run."""
    began = time.process_time()
    way(pieces)
    return time.process_time() - began


def peak(way: Way, pieces: Sequence[str]) -> float:
    """The most that was allocated, in MB."""
    tracemalloc.start()
    way(pieces)
    found = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return found


def main() -> None:
    """Print one line a way, size and piece."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10,100,400", help="in KB")
    parser.add_argument("--pieces", default="20", help="in characters")
    parser.add_argument("--kind", default="clean", choices=KINDS, help="how the reply is written")
    parser.add_argument("--instructor", action="store_true", help="measure instructor too")
    parser.add_argument("--memory", action="store_true", help="measure the peaks too")
    args = parser.parse_args()
    sizes = [int(size) * 1000 for size in args.sizes.split(",")]
    ways = OURS | ANEW | ({"instructor": instructor} if args.instructor else {})
    head = " ".join(f"{size // 1000:>7} KB" for size in sizes)
    print(f"{'way':12} {'piece':>5} {head}   growth  us/piece  x plain")
    for piece in map(int, args.pieces.split(",")):
        floor = 0.0
        for name, way in ways.items():
            kind = "clean" if way is plain else args.kind
            if kind != "clean" and name in ANEW:
                continue
            line, most = row(name, way, piece, sizes, KINDS[kind])
            floor = floor or most
            print(f"{line} {most / floor:>8.1f}", flush=True)
            if args.memory and name in OURS:
                peaks = " ".join(f"{peak(way, cut(reply(size), piece)):>7.2f} MB" for size in sizes)
                print(f"{'  peak':12} {piece:>5} {peaks}", flush=True)


def row(name: str, way: Way, piece: int, sizes: Sequence[int], written: Callable[[str], str]) -> tuple[str, float]:
    """The line of one way: seconds at each size, how they grow, what one piece costs at the last; and the last."""
    measured: list[tuple[int, float]] = []
    cells: list[str] = []
    last = 0.0
    for size in sizes:
        text = written(reply(size))
        work = len(text) ** 2 // piece // 2 * (5 if name == "instructor" else 1)
        if name not in OURS and work > AFFORDABLE and measured:
            known, took = measured[-1]
            last = took * (size / known) ** 2
            cells.append(f"~{last:>9.3f}")
            continue
        last = min(seconds(way, cut(text, piece)) for _ in range(3))
        measured.append((size, last))
        cells.append(f"{last:>10.3f}")
    (first, least), (end, most) = measured[0], measured[-1]
    growth = f"{math.log(most / least) / math.log(end / first):>7.2f}" if end > first else "      -"
    return f"{name:12} {piece:>5} " + " ".join(cells) + f" {growth} {most / (end / piece) * 1e6:>9.1f}", last


if __name__ == "__main__":
    main()
