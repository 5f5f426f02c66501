"""Fill a form while the reply comes: each field appears as it grows, and is marked when it is final.

python examples/streaming_form/main.py                              the recorded replies, as the events of the page
python examples/streaming_form/main.py --serve 8000                 the page, on http://127.0.0.1:8000
python examples/streaming_form/main.py --model local --serve 8000   the same with the embedded model
python examples/streaming_form/main.py --model local --record       ask anew, and keep the replies
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from typedllm import AsyncClient, TypedLLMError
from typedllm.models.resolve import resolve
from typedllm.testing import record

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HERE = Path(__file__).parent
REPLIES = HERE / "replies.jsonl"

client = AsyncClient(f"replay:{REPLIES}", timeout=600, max_tokens=256)


class Contact(BaseModel):
    """A person who wrote to us."""

    name: str
    company: str
    city: str
    phone: str


@client.prompt
async def contact(message: str) -> Contact:
    """Take down who wrote."""
    ...


async def events(message: str) -> AsyncIterator[dict[str, object]]:
    """What the page is told: texts that grow, fields that are final, and the end."""
    try:
        async with contact.stream(message) as stream:
            async for snapshot in stream:
                for event in snapshot.events:
                    if event.kind == "grew":
                        yield {"kind": "grew", "path": event.path, "text": event.text}
                    elif event.kind == "closed" and event.path:
                        yield {"kind": "closed", "path": event.path, "value": event.value}
                    elif event.kind == "restarted":
                        yield {"kind": "restarted"}
            value = await stream.result()
        yield {"kind": "done", "value": value.model_dump()}
    except TypedLLMError as error:
        yield {"kind": "failed", "message": str(error)}


def application() -> Starlette:
    """The page, and its events."""
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, StreamingResponse
    from starlette.routing import Route

    async def page(_: Request) -> Response:
        return FileResponse(HERE / "page.html")

    async def fill(request: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            async for event in events(request.query_params["message"]):
                yield f"data: {json.dumps(event)}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    return Starlette(routes=[Route("/", page), Route("/fill", fill)])


async def show() -> None:
    """Print the events of each line of input.txt: what is final, and the end."""
    for message in (HERE / "input.txt").read_text("utf-8").splitlines():
        print(f"> {message}")
        async for event in events(message):
            if event["kind"] != "grew":
                print(f"  {json.dumps(event, ensure_ascii=False)}")


def main() -> None:
    """Serve the page, or print its events."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=f"replay:{REPLIES}", help="which model reads the messages")
    parser.add_argument("--record", action="store_true", help="keep the replies of that model")
    parser.add_argument("--serve", type=int, metavar="PORT", help="serve the page on this port of the loopback")
    args = parser.parse_args()
    model = resolve(args.model)
    with client.override(record(model, REPLIES) if args.record else model):
        if args.serve is None:
            asyncio.run(show())
        else:
            import uvicorn

            uvicorn.run(application(), host="127.0.0.1", port=args.serve, log_level="warning")


if __name__ == "__main__":
    main()
