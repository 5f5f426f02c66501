"""What a repair costs: requests and tokens to a valid value, here and in other libraries, on the same failures.

    python benchmarks/repair.py

`repairs` is what came after the first reply: the first request and reply are paid in any case.

A server on loopback speaks Chat Completions. Its first reply to a call is a scripted failure; every later one is the
right document or, where the request asks for parts of it, these parts. What was sent and written is counted by its
characters, four to a token, the same for all; schemas and tools count as they stand in the request's body, except a
response format that is asked of vLLM: it decodes under the schema and shows the model nothing of it. Other libraries
are measured where they are installed: instructor, pydantic-ai, TypeChat. A value that differs from the right one is an
error of the run. At the end stands what typedllm takes of what each of them takes, over the cases that it solves.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from typedllm import Client
from typedllm.models.openai import OpenAIModel

TASK = "Take this order: " + "; ".join(f"line {n}: see the list" for n in range(20))


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Drink(Part):
    kind: Literal["drink"]
    name: str
    size: Literal["short", "tall", "grande"]
    shots: Annotated[int, Field(ge=1, le=4)]


class Cake(Part):
    kind: Literal["cake"]
    name: str
    slices: Annotated[int, Field(ge=1)]


class Order(Part):
    customer: str
    lines: list[Annotated[Drink | Cake, Field(discriminator="kind")]]
    paid: Annotated[float, Field(ge=0)]
    total: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def covers(self) -> Order:
        if self.paid > self.total:
            raise ValueError("paid is more than total")
        return self


CLOSED = ConfigDict(extra="forbid")


@dataclass(config=CLOSED)
class DrinkClass:
    """The same types for TypeChat, which takes no models of pydantic."""

    kind: Literal["drink"]
    name: str
    size: Literal["short", "tall", "grande"]
    shots: Annotated[int, Field(ge=1, le=4)]


@dataclass(config=CLOSED)
class CakeClass:
    kind: Literal["cake"]
    name: str
    slices: Annotated[int, Field(ge=1)]


@dataclass(config=CLOSED)
class OrderClass:
    customer: str
    lines: list[Annotated[DrinkClass | CakeClass, Field(discriminator="kind")]]
    paid: Annotated[float, Field(ge=0)]
    total: Annotated[float, Field(ge=0)]

    def __post_init__(self) -> None:
        if self.paid > self.total:
            raise ValueError("paid is more than total")


DRINK = {"kind": "drink", "name": "latte", "size": "tall", "shots": 2}
CAKE = {"kind": "cake", "name": "carrot cake", "slices": 2}
RIGHT: dict[str, Any] = {
    "customer": "Ada",
    "lines": [DRINK if n % 2 else CAKE for n in range(20)],
    "paid": 20.0,
    "total": 48.5,
}
WHOLE = json.dumps(RIGHT)


def spoilt(changes: Callable[[Any], object]) -> str:
    """The right document with one thing wrong."""
    document = json.loads(WHOLE)
    changes(document)
    return json.dumps(document)


class Case(NamedTuple):
    """A failure: the first reply, the parts that mend it, and why it ended."""

    reply: str
    parts: dict[str, Any]
    finish: str = "stop"


CUT = WHOLE[: len(WHOLE) * 3 // 10]
KEPT = CUT.count('"kind"') - 1
CASES = {
    "one wrong field of 20 items": Case(
        spoilt(lambda it: it["lines"][7].update(size="huge")), {"/lines/7/size": "tall"}
    ),
    "three wrong fields": Case(
        spoilt(lambda it: (it["lines"][7].update(size="huge"), it["lines"][3].update(shots=9), it.update(paid=-1))),
        {"/lines/7/size": "tall", "/lines/3/shots": 2, "/paid": 20.0},
    ),
    "missing field": Case(spoilt(lambda it: it.pop("customer")), {"/customer": "Ada"}),
    "unknown key": Case(spoilt(lambda it: it["lines"][2].update(note="warm")), {"/lines/2/note": None}),
    "wrong union arm": Case(spoilt(lambda it: it["lines"][5].update(kind="tea")), {"/lines/5": DRINK}),
    "cross-field rule": Case(spoilt(lambda it: it.update(paid=60.0)), {"/paid": 20.0}),
    "cut at 30 %": Case(CUT, {"/lines/-": RIGHT["lines"][KEPT + 1 :], "/paid": 20.0, "/total": 48.5}, "length"),
    "broken JSON": Case(WHOLE.replace('"total": 48.5}', '"total": }'), {"/total": 48.5}),
    "trailing commas, fence": Case(f"```json\n{WHOLE.replace('}]', '},]')}\n```", {}),
    "prose only": Case("Gladly! I have noted the order of Ada with its twenty lines.", {}),
}


class Service:
    """The server: counts what is sent to it and what it writes."""

    def __init__(self) -> None:
        self.case = CASES["prose only"]
        self.counted: tuple[str, ...] = ()
        self.requests = self.sent = self.written = self.first = 0

    def begin(self, case: Case, library: str) -> None:
        """The next call is about this case."""
        self.case, self.requests, self.sent, self.written, self.first = case, 0, 0, 0, 0
        self.counted = ("messages", "tools") if library == VLLM else ("messages", "tools", "response_format")

    def answer(self, body: Any) -> Any:
        """One Chat Completions answer."""
        self.requests += 1
        read = {key: body[key] for key in self.counted if body.get(key)}
        self.sent += len(json.dumps(read, ensure_ascii=False))
        first = self.requests == 1
        text = self.case.reply if first else self._mended(body)
        self.written += len(text)
        self.first = self.sent + self.written if first else self.first
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if body.get("tools"):
            call = {"name": body["tools"][0]["function"]["name"], "arguments": text}
            message = {**message, "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": call}]}
        finish = self.case.finish if first else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}

    def _mended(self, body: Any) -> str:
        """The parts that the request asks for, else the whole."""
        asked = set(re.findall(r'^ +"(/[^"]*)"\??:', str(body["messages"][-1]["content"]), re.M))
        native = body.get("response_format", {}).get("json_schema", {})
        asked |= set(native["schema"]["properties"]) if native.get("name") == "parts" else set()
        if not asked:
            return WHOLE
        parts = {**self.case.parts, "/lines/-": self.case.parts.get("/lines/-", [])}
        inner = {place: _at(place) for place in asked - parts.keys() if place.startswith(f"/lines/{KEPT}/")}
        return json.dumps({place: value for place, value in {**inner, **parts}.items() if place in asked})

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve on loopback; the base address."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                data = json.dumps(service.answer(body)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()


def _at(place: str) -> Any:
    value: Any = RIGHT
    for step in place.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    return value


OPENAI, VLLM, WHOLE_ONLY = "typedllm, openai", "typedllm, vllm", 'typedllm, strategy="full"'
OURS = ("typedllm", OPENAI, VLLM, WHOLE_ONLY)


def libraries(url: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each library with a call of it that gives the value as plain data."""
    for name, service in (("typedllm", None), (OPENAI, "openai"), (VLLM, "vllm"), (WHOLE_ONLY, None)):
        model = OpenAIModel("m", service=service, base_url=url, api_key="none")
        client = Client(model, max_repairs=2, strategy="full" if name == WHOLE_ONLY else "auto")
        yield name, lambda client=client: client.generate(TASK, Order).model_dump()  # type: ignore[misc]
    if find_spec("instructor"):
        import instructor
        from openai import OpenAI

        patched = instructor.from_openai(OpenAI(base_url=url, api_key="none", max_retries=0))
        messages: Any = [{"role": "user", "content": TASK}]
        ask: Any = patched.chat.completions.create
        yield (
            "instructor",
            lambda: ask(model="m", messages=messages, response_model=Order, max_retries=2).model_dump(),
        )
    if find_spec("pydantic_ai"):
        from pydantic_ai import Agent
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        agent = Agent(
            OpenAIChatModel("m", provider=OpenAIProvider(base_url=url, api_key="none")), output_type=Order, retries=2
        )
        yield "pydantic-ai", lambda: asyncio.run(agent.run(TASK)).output.model_dump()
    if find_spec("typechat"):
        yield "TypeChat", lambda: asyncio.run(translated(url))


async def translated(url: str) -> Any:
    """The value by TypeChat, which repairs once."""
    import typechat

    async with typechat.create_openai_language_model("none", "m", f"{url}/chat/completions") as model:
        translator = typechat.TypeChatJsonTranslator(model, typechat.TypeChatValidator(OrderClass), OrderClass)
        result = await translator.translate(TASK)
        if isinstance(result, typechat.Failure):
            raise ValueError(result.message)
        return dataclasses.asdict(result.value)


class Row(NamedTuple):
    """What one library took for one case, in tokens."""

    requests: int
    input: int
    output: int
    all: int
    repairs: int
    note: str = ""


def measured(service: Service, library: str, call: Callable[[], Any], case: Case) -> Row:
    """One case through one library."""
    service.begin(case, library)
    try:
        note = "" if call() == RIGHT else "another value"
    except Exception as error:  # a library that gives up on a case is one of the findings
        note = type(error).__name__
    both = service.sent + service.written
    sizes = [size // 4 for size in (service.sent, service.written, both, both - service.first)]
    return Row(service.requests, *sizes, note)


def summed(rows: dict[str, Row], cases: Iterable[str]) -> Row:
    """What one library took for several cases."""
    found = [rows[case] for case in cases]
    unsolved = sum(bool(row.note) for row in found)
    totals = [sum(column) for column in zip(*(row[:5] for row in found), strict=True)]
    return Row(*totals, f"{unsolved} without the value" if unsolved else "")


def main() -> None:
    """Measure and print."""
    logging.disable()
    service, rows = Service(), dict[str, dict[str, Row]]()
    print(f"{'':28}{'library':28}{'requests':>9}{'input':>8}{'output':>8}{'all':>8}{'repairs':>9}")
    with service.running() as url:
        for name, case in CASES.items():
            for library, call in libraries(url):
                rows.setdefault(library, {})[name] = row = measured(service, library, call, case)
                show(name, library, row)
    for library, own in rows.items():
        show("all", library, summed(own, CASES))
    for ours in OURS:
        for peer in sorted(rows.keys() - set(OURS)):
            solved = [name for name, row in rows[peer].items() if not row.note]
            one, other = summed(rows[ours], solved), summed(rows[peer], solved)
            parts = f"requests {one.requests / other.requests:.2f}, all {one.all / other.all:.2f}, "
            print(f"{ours} / {peer} over {len(solved)} cases: {parts}repairs {one.repairs / other.repairs:.2f}")


def show(name: str, library: str, row: Row) -> None:
    """Print one row."""
    print(f"{name:28}{library:28}{row.requests:9}{row.input:8}{row.output:8}{row.all:8}{row.repairs:9}  {row.note}")


if __name__ == "__main__":
    main()
