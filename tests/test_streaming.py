"""Streams through both clients: snapshots, items, parts, early stops, and what they cost."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from pydantic import BaseModel, Field

from tests.both import Both
from typedllm import AsyncClient, Attempt, BudgetError, Client, ModelError, RepairError, Reply, Usage
from typedllm.models.scripted import ScriptedModel
from typedllm.streaming import Snapshot


class Line(BaseModel):
    sku: str
    count: int = Field(ge=0)


class Order(BaseModel):
    who: str
    lines: list[Line]
    note: str | None = None


GOOD = '{"who":"Ann, Lee","lines":[{"sku":"a","count":1},{"sku":"b","count":2}],"note":"x\\u00e9y"}'
BAD = GOOD.replace('"count":1', '"count":-1')
VALUE = Order(who="Ann, Lee", lines=[Line(sku="a", count=1), Line(sku="b", count=2)], note="xéy")


def collect(both: Both, model: Any, schema: Any, take: str, *args: Any, **options: Any) -> tuple[list[Any], Any]:
    """What a stream gives, and the stream itself."""
    client = both.client(model)
    if both.world == "sync":
        with client.stream("x", schema, **options) as stream:
            return list(getattr(stream, take)(*args) if take else stream), stream

    async def main() -> tuple[list[Any], Any]:
        async with client.stream("x", schema, **options) as stream:
            each = getattr(stream, take)(*args) if take else stream
            return [item async for item in each], stream

    return anyio.run(main, backend=both.world)


@pytest.mark.parametrize("size", [1, 3, 20, 1000])
def test_snapshots_end_in_the_value(both: Both, size: int) -> None:
    model = ScriptedModel([Reply(GOOD, usage=Usage(10, output_tokens=5, requests=1))], chunk_sizes=[size])
    snapshots, stream = collect(both, model, Order, "")
    assert snapshots[-1].complete
    assert snapshots[-1].data == VALUE.model_dump()
    assert stream.usage == Usage(10, output_tokens=5, requests=1)
    assert not any(snapshot.complete for snapshot in snapshots[:-1])


def leaves(data: Any, path: str = "") -> dict[str, Any]:
    if isinstance(data, dict):
        return {p: v for key, value in data.items() for p, v in leaves(value, f"{path}/{key}").items()}
    if isinstance(data, list):
        return {p: v for index, value in enumerate(data) for p, v in leaves(value, f"{path}/{index}").items()}
    return {path: data}


def test_no_leaf_is_shown_that_is_not_final() -> None:
    with Client(ScriptedModel([GOOD], chunk_sizes=[1])).stream("x", Order) as stream:
        snapshots = list(stream)
        final = leaves(snapshots[-1].data)
        for snapshot in snapshots:
            for path, value in leaves(snapshot.data).items():
                assert final[path] == value or (path in snapshot.open and str(final[path]).startswith(value)), path


def test_a_snapshot_that_is_kept_never_changes() -> None:
    with Client(ScriptedModel([GOOD], chunk_sizes=[5])).stream("x", Order) as stream:
        seen = [(snapshot, repr(snapshot.data)) for snapshot in stream]
    assert all(repr(snapshot.data) == text for snapshot, text in seen)
    first = [snapshot.data["lines"][0] for snapshot, _ in seen if "/lines/1" in "".join(snapshot.open)]
    assert all(line is first[0] for line in first)


def test_events_rebuild_the_texts() -> None:
    with Client(ScriptedModel([GOOD], chunk_sizes=[4])).stream("x", Order) as stream:
        events = [event for snapshot in stream for event in snapshot.events]
    grown = "".join(event.text for event in events if event.kind == "grew" and event.path == "/who")
    assert "Ann, Lee".startswith(grown)
    closed = {event.path: event.value for event in events if event.kind == "closed"}
    assert closed["/who"] == "Ann, Lee"
    assert closed["/lines/1"] == {"sku": "b", "count": 2}
    assert closed[""] == VALUE.model_dump()


def test_a_repair_replaces_what_was_shown(both: Both) -> None:
    snapshots, stream = collect(both, ScriptedModel([BAD, GOOD]), Order, "")
    assert snapshots[-1].data == VALUE.model_dump()
    assert snapshots[-1].events[0].kind == "restarted"
    assert both.world != "sync" or stream.result() == VALUE


def test_items_are_instances_as_they_close(both: Both) -> None:
    items, _ = collect(both, ScriptedModel([GOOD], chunk_sizes=[3]), Order, "items", "/lines")
    assert items == VALUE.lines
    items, _ = collect(both, ScriptedModel(['[{"sku":"a","count":"1"}]']), list[Line], "items")
    assert items == [Line(sku="a", count=1)]


def test_an_invalid_item_is_repaired_on_its_own(both: Both) -> None:
    model = ScriptedModel([BAD, '{"sku":"a","count":1}'], chunk_sizes=[3])
    items, stream = collect(both, model, Order, "items", "/lines")
    assert items == VALUE.lines
    assert '{"sku":"a","count":-1}' in model.requests[1].messages[-1].text
    assert stream.usage.requests >= 1


def test_the_result_has_the_items_that_were_repaired_on_their_own() -> None:
    one = Usage(10, output_tokens=5, requests=1)
    mended = Reply('{"sku":"a","count":1}', usage=one)
    model = ScriptedModel([Reply(BAD, usage=one), mended], chunk_sizes=[3])
    with Client(model).stream("x", Order, max_repairs=0) as stream:
        assert list(stream.items("/lines", Line)) == VALUE.lines
        result = stream.finish()
    assert result.value == VALUE
    assert [attempt.kind for attempt in result.attempts] == ["first", "patch"]
    assert [issue.path for issue in result.attempts[0].issues] == ["/lines/0/count"]
    assert result.usage == stream.usage == one + one
    assert len(model.requests) == 2


def test_what_is_wrong_beside_repaired_items_is_asked_for() -> None:
    bad = BAD.replace('"who":"Ann, Lee"', '"who":5.5').replace('"note":"x\\u00e9y"', '"note":[]')
    model = ScriptedModel([bad, '{"sku":"a","count":1}', GOOD], chunk_sizes=[3])
    with Client(model).stream("x", Order, strategy="full") as stream:
        assert list(stream.items("/lines", Line)) == VALUE.lines
        assert stream.result() == VALUE
    assert '{"sku":"a","count":1}' in model.requests[2].messages[-1].text  # shown as it was mended
    assert "/lines" not in model.requests[2].messages[-1].text.split("{")[0]


def test_an_item_that_was_repaired_may_not_be_in_the_answer() -> None:
    text = 'Draft:\n{"lines": [{"sku": "a", "count": -1}]}\nFinal answer:\n{"who": "Ann, Lee"}'
    with Client(ScriptedModel([text, '{"sku":"a","count":1}', GOOD], chunk_sizes=[5])).stream("x", Order) as stream:
        assert list(stream.items("/lines", Line)) == VALUE.lines[:1]
        assert stream.result() == VALUE


def test_the_last_snapshot_is_the_value_also_where_it_is_a_text_with_brackets(both: Both) -> None:
    model = ScriptedModel(['"For example {[]}:\\n\\n[]"'], chunk_sizes=[1, 17, 1])
    snapshots, _ = collect(both, model, Any, "")
    assert snapshots[-1].complete
    assert snapshots[-1].data == "For example {[]}:\n\n[]"


MISTYPED = ['{"sku":"b","count":"a few"}', '{"sku":"b"}', '{"sku":"b","count":2.5}', '"b"', "null", "[1]", "[[1], {}]"]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("written", MISTYPED)
def test_what_can_never_be_valid_is_known_when_it_closes(written: str, size: int) -> None:
    """And it holds back nothing of what follows."""
    text = f'{{"who":"Ann","lines":[{{"sku":"a","count":1}},{written},{{"sku":"c","count":3}}],"note":"x"}}'
    model = ScriptedModel([text], chunk_sizes=[size])
    with Client(model).stream("x", Order, on_invalid="warn", max_repairs=0) as stream:
        events = [event for snapshot in stream for event in snapshot.events]
        assert [issue.path.startswith("/lines/1") for issue in stream.invalid] == [True]
    paths = [event.path for event in events if event.kind == "closed"]
    assert paths.index("/lines/1") < paths.index("/lines/2") < paths.index("/lines") < paths.index("/note")
    model = ScriptedModel([text, '{"sku":"b","count":2}'], chunk_sizes=[size])
    with Client(model).stream("x", Order) as stream:
        assert [line.sku for line in stream.items("/lines", Line)] == ["a", "b", "c"]


def test_parts_that_closed_before_they_were_asked_for(both: Both) -> None:
    """Whoever took the snapshots in which they closed."""
    for take in ("", "items", "finish"):
        client = both.client(ScriptedModel([GOOD], chunk_sizes=[3]))
        if both.world == "sync":
            with client.stream("x", Order) as stream:
                _taken = [*stream] if take == "" else stream.finish() if take == "finish" else [*stream.items("/lines")]
                assert list(stream.items("/lines")) == VALUE.lines
                assert [stream.closed("/who"), stream.closed("/lines/1"), stream.closed("/note")] == [
                    VALUE.who,
                    VALUE.lines[1],
                    VALUE.note,
                ]
                assert stream.result() == VALUE
            assert list(stream.items("/lines")) == VALUE.lines
            continue

        async def main(client: Any = client, take: str = take) -> None:
            async with client.stream("x", Order) as stream:
                if take == "finish":
                    await stream.finish()
                else:
                    async for _ in stream if take == "" else stream.items("/lines"):
                        pass
                assert [line async for line in stream.items("/lines")] == VALUE.lines
                assert await stream.closed("/who") == VALUE.who
                assert await stream.closed("/note") == VALUE.note

        anyio.run(main, backend=both.world)


def use(stream: Any, how: str) -> Any:
    """One use of a stream."""
    return {
        "iterate": lambda: list(stream),
        "result": lambda: stream.result(),
        "items": lambda: list(stream.items("/lines")),
        "no list": lambda: list(stream.items("/who")),
        "the whole is no list": lambda: list(stream.items()),
        "no part": lambda: list(stream.items("/nope")),
        "no pointer": lambda: stream.closed("who"),
        "unknown word": lambda: list(stream.items("/lines", on_invalid="drop")),
        "never there": lambda: stream.closed("/lines/7"),
        "enter": lambda: stream.__enter__(),
    }[how]()


INSIDE = [
    ("no list", ValueError, "has no list at '/who'"),
    ("the whole is no list", ValueError, "has no list at ''"),
    ("no part", ValueError, "does not say what stands at '/nope/0'"),
    ("no pointer", ValueError, 'write "/who"'),
    ("unknown word", ValueError, "use one of repair, skip"),
    ("never there", KeyError, "the reply ended without it"),
    ("enter", RuntimeError, "entered once"),
]
OUTSIDE = [
    ("iterate", RuntimeError, "take its snapshots inside the block"),
    ("result", ModelError, "was left before its end"),
    ("items", ModelError, "was left before its end"),
]


@pytest.mark.parametrize("how", ["iterate", "result", "items"])
def test_a_stream_that_was_not_entered_says_so(how: str) -> None:
    with pytest.raises(RuntimeError, match=r"use it in a block: `with "):
        use(Client(ScriptedModel([GOOD])).stream("x", Order), how)


@pytest.mark.parametrize(("how", "error", "words"), INSIDE, ids=[each[0] for each in INSIDE])
def test_wrong_uses_are_told(how: str, error: type[Exception], words: str) -> None:
    with Client(ScriptedModel([GOOD])).stream("x", Order) as stream, pytest.raises(error, match=words):
        use(stream, how)


@pytest.mark.parametrize(("how", "error", "words"), OUTSIDE, ids=[each[0] for each in OUTSIDE])
def test_a_stream_that_was_left_says_so(how: str, error: type[Exception], words: str) -> None:
    with Client(ScriptedModel([GOOD], chunk_sizes=[3])).stream("x", Order) as stream:
        next(iter(stream))
    with pytest.raises(error, match=words):
        use(stream, how)


def test_two_tasks_do_not_take_one_stream() -> None:
    async def slow(_: Any) -> str:
        await anyio.sleep(0.1)
        return GOOD

    async def main() -> None:
        async with AsyncClient(ScriptedModel([slow])).stream("x", Order) as stream, anyio.create_task_group() as tasks:
            tasks.start_soon(stream.result)
            await anyio.sleep(0.01)
            with pytest.raises(RuntimeError, match="another thread or task"):
                await stream.result()

    anyio.run(main)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("throttle", -1),
        ("throttle", float("nan")),
        ("max_chars", 0),
        ("max_chars", None),
        ("max_repeats", 0),
        ("max_repeats", 1.5),
    ],
)
def test_bounds_of_streams_are_numbers(name: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} is not a number"):
        Client("local", **{name: bad})


def test_a_small_bound_of_repeats_takes_no_text_for_a_loop() -> None:
    with Client(ScriptedModel([GOOD], chunk_sizes=[3])).stream("x", Order, max_repeats=20) as stream:
        assert stream.result() == VALUE


def test_an_invalid_item_is_left_out_and_kept() -> None:
    model = ScriptedModel([BAD])
    with Client(model).stream("x", Order) as stream:
        assert list(stream.items("/lines", Line, on_invalid="skip")) == VALUE.lines[1:]
        (rejected,) = stream.rejected
    assert (rejected.index, rejected.data) == (0, {"sku": "a", "count": -1})
    assert rejected.issues[0].path == "/count"
    assert len(model.requests) == 1


def test_a_part_comes_when_it_closes() -> None:
    with Client(ScriptedModel([GOOD], chunk_sizes=[3])).stream("x", Order) as stream:
        assert stream.closed("/lines/0", Line) == VALUE.lines[0]
        assert stream.result() == VALUE
    with Client(ScriptedModel([GOOD])).stream("x", Order) as stream, pytest.raises(ValueError, match="/nothing"):
        stream.closed("/nothing")


@pytest.mark.parametrize("hook", [False, True])
def test_what_was_received_is_kept_when_the_block_is_left(both: Both, hook: bool) -> None:
    told: list[Attempt] = []
    options: dict[str, Any] = {"on_attempt": told.append} if hook else {}
    client = both.client(ScriptedModel([GOOD], chunk_sizes=[3]), **options)

    async def main() -> Any:
        async with client.stream("x", Order) as stream:
            async for _ in stream:
                break
        return await stream.finish()

    if both.world == "sync":
        with client.stream("x", Order) as stream:
            next(iter(stream))
        result = stream.finish()
    else:
        result = anyio.run(main, backend=both.world)
    assert isinstance(result.error, ModelError)
    assert (result.error.code, result.usage.requests) == ("cancelled", 1)
    reply = result.attempts[0].reply
    assert reply is not None
    assert 0 < len(reply.text) < len(GOOD)
    assert [attempt.reply for attempt in told] == ([reply] if hook else [])


def test_a_reply_that_was_received_whole_counts_when_the_block_is_left() -> None:
    with Client(ScriptedModel([GOOD])).stream("x", Order) as stream:
        assert list(stream.items("/lines")) == VALUE.lines
    assert stream.result() == VALUE


def test_a_stream_that_repeats_itself_is_cut() -> None:
    text = '{"who":"' + "ha " * 20_000
    with (
        Client(ScriptedModel([text], chunk_sizes=[50])).stream("x", Order) as stream,
        pytest.raises(ModelError) as info,
    ):
        stream.result()
    assert info.value.code == "looping"
    assert info.value.reply is not None
    assert len(info.value.reply.text) < 40_000


def test_a_stream_that_is_too_long_is_cut() -> None:
    with Client(ScriptedModel([GOOD])).stream("x", Order, max_chars=20) as stream, pytest.raises(BudgetError) as info:
        stream.result()
    assert info.value.bound == "max_chars"


def test_warn_tells_and_goes_on() -> None:
    with Client(ScriptedModel([BAD, GOOD])).stream("x", Order, on_invalid="warn", max_repairs=0) as stream:
        with pytest.raises(RepairError):
            stream.result()
        assert [issue.path for issue in stream.invalid] == ["/lines/0/count"]


def test_text_streams_and_models_that_do_not_stream(both: Both) -> None:
    class Plain:
        name = "plain"

        def complete(self, request: Any, /) -> Reply:
            return Reply(GOOD)

    snapshots, _ = collect(both, Plain(), Order, "")
    assert isinstance(snapshots[-1], Snapshot)
    assert snapshots[-1].data == VALUE.model_dump()


def test_prompt_functions_stream() -> None:
    @Client(ScriptedModel([GOOD])).prompt
    def order(text: str) -> Order:
        """Take an order."""
        raise NotImplementedError

    with order.stream("x") as stream:
        assert stream.result() == VALUE
