"""Laws of streams: whatever the reply and however it is cut, nothing is shown that is not final."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from itertools import islice, pairwise, takewhile
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.generated import broken, typed_values
from tests.support.laws import examples
from tests.test_reading_corpus import ROWS, TYPES
from tests.zoo import ZOO
from typedllm import Client, Reply, Result, Schema
from typedllm.models.scripted import ScriptedModel
from typedllm.reading.extract import Extractor
from typedllm.records import MISSING, Policy
from typedllm.streaming import Event, Snapshot
from typedllm.streaming.live import Live


class Square(BaseModel):
    kind: Literal["square"]
    side: float


class Note(BaseModel):
    kind: Literal["note"]
    words: str


class Page(BaseModel):
    title: str
    size: Literal["short", "tall"]
    pages: int
    more: dict[str, str] = {}
    parts: list[Square | Note] = []
    author: str | None = None


CLEAN = st.text(st.sampled_from("ab 'é\U0001f600/\\\n\",:{}[]#.-1"), max_size=12)
SCALAR = st.none() | st.booleans() | st.integers(-(10**6), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    SCALAR | CLEAN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(CLEAN, inner, max_size=4), max_leaves=12
)
PAGE = st.builds(
    Page,
    title=CLEAN,
    size=st.sampled_from(["short", "tall"]),
    pages=st.integers(),
    more=st.dictionaries(CLEAN, CLEAN, max_size=3),
    parts=st.lists(
        st.builds(Square, kind=st.just("square"), side=st.floats(-1e6, 1e6))
        | st.builds(Note, kind=st.just("note"), words=CLEAN),
        max_size=3,
    ),
    author=st.none() | CLEAN,
)
DRESSED = {
    "plain": lambda text: text,
    "fenced": lambda text: f"Here it is:\n```json\n{text}\n```\nDone.",
    "after thoughts": lambda text: f'<think>Is it {{"title": "x"}}?</think>{text}',
    "trailing comma": lambda text: text.removesuffix("}") + ",}" if text.endswith('"}') else text,
    "key in another case": lambda text: text.replace('"title"', '"Title"'),
    "python": lambda text: text.replace("null", "None"),
    "in an envelope": lambda text: f'{{"page": {text}}}',
}


def followed(
    text: str | Reply, schema: Any, sizes: list[int], **options: Any
) -> tuple[list[tuple[Snapshot, Any]], Any]:
    """Each snapshot with a deep copy of its data, and the value."""
    with Client(ScriptedModel([text], chunk_sizes=sizes), max_repairs=0).stream("x", schema, **options) as stream:
        seen = [(snapshot, copy.deepcopy(snapshot.data)) for snapshot in stream]
        return seen, stream.finish()


def leaves(data: Any, path: str = "") -> dict[str, Any]:
    if isinstance(data, dict | list) and data:
        each = data.items() if isinstance(data, dict) else enumerate(data)
        pairs = [(str(key).replace("~", "~0").replace("/", "~1"), value) for key, value in each]
        return {p: v for key, value in pairs for p, v in leaves(value, f"{path}/{key}").items()}
    return {path: data}


def honest(seen: list[tuple[Snapshot, Any]]) -> None:
    """Nothing that was shown is taken back, unless all of it is."""
    rounds: list[list[tuple[Snapshot, Any]]] = [[]]
    for snapshot, data in seen:
        if any(event.kind == "restarted" for event in snapshot.events):
            rounds.append([])
        rounds[-1].append((snapshot, data))
    for each in rounds:
        for (snapshot, before), (_, after) in pairwise(each):
            later = leaves(after)
            for path, value in leaves(before).items() if before is not MISSING else ():
                if path in snapshot.open:
                    continue_ = later.get(path, MISSING)
                    grown = isinstance(continue_, str) and isinstance(value, str) and continue_.startswith(value)
                    assert grown or value in ({}, []), path
                else:
                    assert json.dumps(later[path]) == json.dumps(value), path


def rebuilt(seen: list[tuple[Snapshot, Any]]) -> Any:
    """What the events alone tell."""
    root: Any = MISSING
    texts: dict[str, str] = {}
    for snapshot, _ in seen:
        for event in snapshot.events:
            if event.kind == "restarted":
                root, texts = MISSING, {}
            elif event.kind == "grew":
                texts[event.path] = texts.get(event.path, "") + event.text
            elif event.kind == "closed":
                if event.path in texts:
                    assert str(event.value).startswith(texts[event.path])
                if event.path == "":
                    root = event.value
    return root


@examples(80)
@given(PAGE, st.sampled_from(sorted(DRESSED)), st.lists(st.integers(1, 30), min_size=1, max_size=6), st.booleans())
def test_a_stream_is_honest_and_ends_in_the_value(page: Page, dress: str, sizes: list[int], escaped: bool) -> None:
    written = json.dumps(page.model_dump(), ensure_ascii=escaped)
    text = DRESSED[dress](written)
    seen, result = followed(text, Page, sizes)
    honest(seen)
    whole = Schema(Page).read(text)
    assert (result.ok, result.fixes, dict(result.spans)) == (whole.ok, whole.fixes, dict(whole.spans))
    if result.ok:
        assert result.value == whole.value == page
        assert Schema(Page).validate(seen[-1][1]).value == page
        assert Schema(Page).validate(rebuilt(seen)).value == page


@examples(80)
@given(st.dictionaries(CLEAN, JSON, min_size=1, max_size=4) | st.lists(JSON, min_size=1), st.integers(1, 7), st.data())
def test_any_json_is_shown_honestly_and_kept_snapshots_never_change(value: Any, size: int, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 1])))
    seen, result = followed(text, Any, [size])
    honest(seen)
    assert json.dumps(result.value) == json.dumps(seen[-1][1]) == json.dumps(value)
    assert all(json.dumps(snapshot.data) == json.dumps(data) for snapshot, data in seen if data is not MISSING)


@examples(80)
@given(PAGE, st.integers(0, 300), st.integers(1, 9))
def test_a_cut_reply_shows_nothing_that_the_whole_one_does_not_hold(page: Page, end: int, size: int) -> None:
    text = page.model_dump_json()
    seen, _ = followed(Reply(text[:end], finish_reason="length"), Page, [size])
    final = leaves(page.model_dump())
    for snapshot, data in seen:
        if data is not MISSING and not snapshot.complete:
            for path, value in leaves(data).items():
                assert path in snapshot.open or json.dumps(final[path]) == json.dumps(value), path
                assert not isinstance(value, str) or final[path].startswith(value)


def shown(live: Live, extractor: Extractor, pieces: list[str]) -> tuple[list[Event], Any]:
    """All that is told of a reply but how texts grew, and the whole."""
    events: list[Event] = []
    for piece in pieces:
        extractor.feed(piece)
        snapshot = live.follow(extractor.latest)
        events += snapshot.events if snapshot is not None else ()
    extractor.close()
    if extractor.latest is not None and not extractor.latest.was_cut:
        snapshot = live.follow(extractor.latest)
        events += snapshot.events if snapshot is not None else ()
    return [event for event in events if event.kind != "grew"], live.shown


def counted(events: list[Event]) -> list[Event]:
    """The events that were not taken back."""
    voids = [at for at, event in enumerate(events) if event.kind == "restarted"]
    return events[voids[-1] :] if voids else events


def at_first(events: list[Event]) -> list[Event]:
    """The events before anything was taken back."""
    return list(takewhile(lambda event: event.kind != "restarted", events))


CUT_SHORT = Page(
    title="1é", size="short", pages=-999999820, more={}, author="{",
    parts=[Square(kind="square", side=side) for side in (-94.0, -5.0, -71.0)],
).model_dump()  # fmt: skip


@examples(150)
@given(
    PAGE.map(lambda page: page.model_dump()) | st.dictionaries(CLEAN, JSON, max_size=4) | st.lists(JSON),
    st.integers(0, 400),
    st.sampled_from(['"', ",", "}", "]", "{", "x", "'", "\\", "//", ""]),
    st.integers(0, 2),
    st.sampled_from([1, 2, 3, 7, 40]),
    st.booleans(),
)
@example([None, ['"'], []], 0, '"', 1, 1, False)  # the lane is sure of the end of a part that is no answer
@example(CUT_SHORT, 0, '"', 1, 40, False)  # and of its beginning
def test_the_lane_shows_what_the_reader_would(
    value: Any, at: int, wrong: str, gone: int, size: int, typed: bool
) -> None:
    text = json.dumps(value)
    text = text[:at] + wrong + text[at + gone :] if at < len(text) else text
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    target = Schema[Any](Page if typed else Any).target
    lane = Live(target, Policy.of(), lambda _: None)
    reader = Live(target, Policy.of(), lambda _: None)
    events, whole = shown(lane, lane.extractor(), pieces)
    others, known = shown(reader, Extractor(target), pieces)
    assert json.dumps(whole, default=repr) == json.dumps(known, default=repr)
    if known is not MISSING:
        assert json.dumps(counted(events), default=repr) == json.dumps(counted(others), default=repr)
    else:  # there is no answer: one of them may be a step ahead, at the end or before it takes all of it back
        events, others = at_first(events), at_first(others)
        common = min(len(events), len(others))
        assert json.dumps(events[:common], default=repr) == json.dumps(others[:common], default=repr)


def test_closed_parts_stay_the_same_objects_where_the_text_is_no_plain_json_any_more() -> None:
    text = '{"rows": [{"a": "one"}, {"a": "two"}, {"a": \'three\'}]}'
    first: dict[int, Any] = {}
    with Client(ScriptedModel([text], chunk_sizes=[3])).stream("x", dict[str, list[dict[str, str]]]) as stream:
        for snapshot in stream:
            rows = snapshot.data.get("rows", []) if snapshot.data is not MISSING else []
            for index, row in enumerate(rows):
                if f"/rows/{index}" not in snapshot.open:
                    assert first.setdefault(index, row) is row
    assert [row["a"] for row in first.values()] == ["one", "two", "three"]


def test_closed_parts_are_the_same_objects_from_snapshot_to_snapshot() -> None:
    page = Page(title="t", size="tall", pages=1, parts=[Note(kind="note", words=str(n) * 9) for n in range(5)])
    first: dict[str, Any] = {}
    with Client(ScriptedModel([page.model_dump_json()], chunk_sizes=[4])).stream("x", Page) as stream:
        for snapshot in stream:
            parts = (snapshot.data or {}).get("parts", []) if snapshot.data is not MISSING else []
            for index, part in enumerate(parts):
                if f"/parts/{index}" not in snapshot.open:
                    assert first.setdefault(f"/parts/{index}", part) is part
    assert len(first) == 5


def ends_in_the_value(seen: list[tuple[Snapshot, Any]], result: Result[Any], schema: Schema[Any]) -> None:
    """The last snapshot holds what the value was made of."""
    snapshot, data = seen[-1]
    assert snapshot.complete
    assert repr(schema.validate(data).value) == repr(result.value)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['type']}: {row['text'][:50]!r}")
def test_the_corpus_is_streamed_honestly(row: dict[str, Any]) -> None:
    schema = Schema[Any](TYPES[row["type"]])
    for size in (1, 7):
        seen, result = followed(row["text"], schema, [size])
        honest(seen)
        if result.ok:
            ends_in_the_value(seen, result, schema)


WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "in a fence": lambda text: f"Here:\n```json\n{text}\n```",
    "single quotes": lambda text: text.replace('"', "'"),
    "trailing commas": lambda text: text.replace("}", ",}").replace("]", ",]"),
    "python": lambda text: text.replace("null", "None").replace("true", "True"),
    "no last bracket": lambda text: text[:-1],
}


@pytest.mark.filterwarnings("ignore:Item 'id' on TypedDict")
@pytest.mark.parametrize("name", ZOO)
def test_every_type_is_streamed_honestly(name: str) -> None:
    """Also a text that the type refuses is shown as the model wrote it."""
    schema = Schema[Any](ZOO[name].type)
    for text in (*ZOO[name].accepted, *ZOO[name].mistyped[:1]):
        for dressed in {way(text): way for way in WAYS.values()}:
            seen, result = followed(dressed, schema, [1, 1, 5])
            honest(seen)
            if result.ok:
                ends_in_the_value(seen, result, schema)


NOISE = [
    "```json\n",
    "Sure: ",
    "\n```",
    "{",
    "}",
    '"',
    ",",
    "'",
    "// c\n",
    "...",
    "<think>x</think>",
    "]",
    "[",
    "\\",
    "1",
]


@examples(60)
@given(typed_values(most=1), st.data(), st.integers(1, 12))
def test_broken_replies_are_streamed_honestly(typed: tuple[Any, list[Any]], data: st.DataObject, size: int) -> None:
    schema = Schema[Any](typed[0])
    value = json.loads(schema.dump(typed[1][0]))
    text = json.dumps(data.draw(st.sampled_from([value, *islice(broken(value), 20)])))
    for _ in range(data.draw(st.integers(0, 3))):
        at, gone = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 3))
        text = text[:at] + data.draw(st.sampled_from(NOISE)) + text[at + gone :]
    seen, result = followed(text, schema, [size])
    honest(seen)
    if result.ok:
        ends_in_the_value(seen, result, schema)


def test_an_end_that_is_certain_takes_nothing_back() -> None:
    """What was shown goes on to what the whole reply turned out to be, where it is the same."""
    text = '{"size": "tall", "pages": 3, "title": "a"'
    for dressed in (text, f"```json\n{text}"):
        seen, result = followed(dressed, Page, [4])
        assert result.ok
        assert "restarted" not in [event.kind for snapshot, _ in seen for event in snapshot.events]
        assert seen[-1][0].events[-1] == Event("closed", "", value={"size": "tall", "pages": 3, "title": "a"})


SHOWN: list[tuple[str, str, list[Event]]] = [
    ("half a number", '{"pages": 12', [Event("opened", "")]),
    ("half a literal", '{"author": nul', [Event("opened", "")]),
    ("half a key", '{"tit', [Event("opened", "")]),
    ("half an enum", '{"size": "sho', [Event("opened", "")]),
    (
        "half an escape",
        '{"title": "a\\u00e',
        [Event("opened", ""), Event("opened", "/title"), Event("grew", "/title", "a")],
    ),
    (
        "half a surrogate pair",
        '{"title": "a\\ud83d',
        [Event("opened", ""), Event("opened", "/title"), Event("grew", "/title", "a")],
    ),
    (
        "a quote that may not end",
        '{"title": "a"',
        [Event("opened", ""), Event("opened", "/title"), Event("grew", "/title", "a")],
    ),
]


@pytest.mark.parametrize(("text", "events"), [each[1:] for each in SHOWN], ids=[each[0] for each in SHOWN])
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_held_back(text: str, events: list[Event], size: int) -> None:
    seen, _ = followed(Reply(text, finish_reason="length"), Page, [size])
    assert [event for snapshot, _ in seen for event in snapshot.events] == events
