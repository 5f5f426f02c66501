"""A real HTTP server on loopback that speaks Chat Completions and Responses, and misbehaves on request.

    server.script(fail(429, after="0.01"), say('{"a": 1}'))     # the first request, the second
    server.reply = say("{}")                                    # every request without a step of its own
    server.script(lambda seen: say(str(seen.body["model"])))    # a step may be made from the request
    server.requests[0].body["messages"]                         # what was asked: path, headers, body, at

The same step is spoken in the protocol that was asked for: `/chat/completions` or `/responses`, whole or streamed.

`say(text, ...)`: a reply, with
    finish          `stop`, `length`, `content_filter`, `tool_calls`, or None for a missing one
    reasoning       reasoning text; `reasoning_field` is where Chat Completions puts it
    tool            arguments of a tool call, in place of or beside the text
    refusal         the words of a refusal; `text=None` is null content
    choices         how many choices (0: an empty list); the further ones say "other choice"
    usage           True, or None: none is reported, or a dict that is sent as it is
    logprobs        [(token, logprob), ...], sent when the request asks for them
    pieces          how many pieces a stream's text is cut into (1: the whole reply in one event)
    comments        keep-alive comment lines between the events of a stream
    done            whether a stream ends with its end marker
    trouble         an error object sent as the last event of a stream
`fail(status, message, ...)`: an error, with `code`, `param`, `kind`, `failed_generation` in its object, and
    after           the Retry-After header as written; other `headers`
`raw(body, status, content_type)`: these bytes.
`drip(*parts)`: a stream of these bytes, each part sent by itself.
On every step:
    wait            seconds before the status line;      pause   seconds between pieces of the body
    cut             the connection is cut after this many bytes of the body; -1: before the status line
    stall           a stream stops after this many events, for 30 seconds
    hold            seconds for which a stream stays open behind its last event
`seen.gone` is set when a client goes away before the end of its answer, `server.heard` when the first request has come;
`server.hears(3)` waits for the third.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from tests.support import speech


@dataclass(frozen=True)
class Step:
    """One scripted answer; see the head of this file."""

    status: int = 200
    text: str | None = None
    finish: str | None = "stop"
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    tool: str | None = None
    refusal: str | None = None
    choices: int = 1
    usage: bool | Mapping[str, Any] | None = True
    logprobs: tuple[tuple[str, float], ...] = ()
    pieces: int = 3
    comments: bool = False
    done: bool = True
    trouble: Mapping[str, Any] | None = None
    body: bytes | None = None
    parts: tuple[bytes, ...] | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    wait: float = 0.0
    pause: float = 0.0
    cut: int | None = None
    stall: int | None = None
    hold: float = 0.0


@dataclass
class Seen:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float
    port: int
    query: str = ""
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def streamed(self) -> bool:
        """Whether a stream was asked for."""
        return bool(self.body.get("stream"))


Script: TypeAlias = Step | Callable[[Seen], Step]


def say(text: str | None = "", **more: Any) -> Step:
    """A reply with this text."""
    return Step(text=text, **more)


def fail(status: int, message: str = "it went wrong", *, after: str | None = None, **more: Any) -> Step:
    """An error with the error object of the OpenAI API."""
    step = {name: more.pop(name) for name in ("wait", "pause", "cut") if name in more}
    headers = {**more.pop("headers", {}), **({"Retry-After": after} if after is not None else {})}
    error = {"message": message, "type": more.pop("kind", "error"), "code": None, "param": None, **more}
    return Step(status=status, body=json.dumps({"error": error}).encode(), headers=headers, **step)


def raw(body: bytes | str, status: int = 200, content_type: str = "application/json", **more: Any) -> Step:
    """These bytes, whatever was asked for."""
    data = body.encode() if isinstance(body, str) else body
    return Step(status=status, body=data, content_type=content_type, **more)


def drip(*parts: bytes | str, **more: Any) -> Step:
    """A stream of these bytes, each part sent by itself."""
    sent = tuple(part.encode() if isinstance(part, str) else part for part in parts)
    return Step(parts=sent, **more)


class Server:
    """The server; `url` is the base URL for clients."""

    def __init__(self, reply: Script | None = None) -> None:
        self.reply: Script = reply or say('{"ok": true}')
        self.requests: list[Seen] = []
        self.heard = threading.Event()
        self._steps: deque[Script] = deque()
        self._came = threading.Condition()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def script(self, *steps: Script) -> None:
        """Answer the next requests with these, in this order."""
        self._steps.extend(steps)

    @property
    def unused(self) -> int:
        """How many scripted steps no request has used up."""
        return len(self._steps)

    def hears(self, count: int, seconds: float = 30.0) -> bool:
        """Wait for so many requests; whether they came."""
        with self._came:
            return self._came.wait_for(lambda: len(self.requests) >= count, seconds)

    def step_for(self, seen: Seen) -> Step:
        """Record a request and choose its answer."""
        with self._came:
            self.requests.append(seen)
            self.heard.set()
            self._came.notify_all()
            step = self._steps.popleft() if self._steps else self.reply
        return step if isinstance(step, Step) else step(seen)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    owner: Server
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what the tests are about: nothing is printed."""


class _GoneError(Exception):
    """The connection ends here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Http

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        seen = Seen(
            self.path.split("?")[0],
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(self.rfile.read(length) or b"{}"),
            time.monotonic(),
            self.client_address[1],
            self.path.partition("?")[2],
        )
        step = self.server.owner.step_for(seen)
        try:
            self.answer(step, seen)
        except (_GoneError, OSError):
            seen.gone.set()
            self.close_connection = True

    def answer(self, step: Step, seen: Seen) -> None:
        self.idle(step.wait)
        if step.cut == -1:
            self.abort()
        streamed = step.body is None and seen.streamed
        self.send_response(step.status)
        self.send_header("Content-Type", "text/event-stream" if streamed else step.content_type)
        for name, value in step.headers.items():
            self.send_header(name, value)
        if streamed:
            self.send_header("Transfer-Encoding", "chunked")
            self.send_pieces(step, speech.events(step, seen) if step.parts is None else iter(step.parts))
        else:
            body = step.body if step.body is not None else speech.whole(step, seen)
            self.send_header("Content-Length", str(len(body)))
            self.send_whole(step, body)

    def send_whole(self, step: Step, body: bytes) -> None:
        self.end_headers()
        kept = body if step.cut is None else body[: step.cut]
        size = max(1, len(kept) // 4) if step.pause else max(1, len(kept))
        for start in range(0, len(kept), size):
            self.idle(step.pause if start else 0)
            self.wfile.write(kept[start : start + size])
            self.wfile.flush()
        if step.cut is not None:
            self.abort()

    def send_pieces(self, step: Step, pieces: Iterator[bytes]) -> None:
        self.end_headers()
        self.wfile.flush()
        left = step.cut
        for number, piece in enumerate(pieces):
            self.idle(30.0 if number == step.stall else step.pause if number else 0)
            kept = piece if left is None else piece[:left]
            if kept:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(kept), kept))
                self.wfile.flush()
            if left is not None:
                left -= len(kept)
                if left <= 0:
                    self.abort()
        self.idle(step.hold)
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def idle(self, seconds: float) -> None:
        """Wait, and notice at once when the client goes away."""
        if seconds <= 0:
            return
        self.wfile.flush()
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable and not self.connection.recv(1, socket.MSG_PEEK):
            raise _GoneError

    def abort(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        self.connection.close()
        raise _GoneError

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


def main() -> None:
    """Serve one text until the process is ended, for benchmarks; prints the base URL."""
    with Server(say(sys.argv[1])) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
