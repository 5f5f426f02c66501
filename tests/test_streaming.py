"""Streams through both clients: snapshots, items, parts, early stops, and what they cost."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from pydantic import BaseModel, Field

from tests.both import Both
from typedllm import Attempt, BudgetError, Client, ModelError, RepairError, Reply, Usage
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
        assert [issue.path for issue in stream.invalid] == ["/lines/0/count", "/lines/0/count"]


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
