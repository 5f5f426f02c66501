"""The runtime of local models: a GGUF file loaded once in this process, with no port open to anybody."""

from __future__ import annotations

import atexit
import ctypes
import importlib
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from types import ModuleType
from typing import Final, Protocol, TypedDict, cast
from weakref import WeakValueDictionary

from typedllm.errors import ModelError
from typedllm.records import JsonSchema, JsonValue
from typedllm.schema.findings import branches

RUNTIME = "xllamacpp"

# The prompt is evaluated in steps of this many tokens, and a call can be stopped between two steps: half a second
# on 2 cores. Measured on a prompt of 631 tokens: 3.3 s in one step, 3.1 s in steps of 128, 3.9 s in steps of 64.
PROMPT_STEP = 128
_NUMBERS: Final = frozenset({"integer", "number"})
_CLOSED: Final = frozenset({"const", "enum"})


class Logprob(TypedDict):
    """A token with its log-probability, as the runtime writes it."""

    token: str
    logprob: float | None
    bytes: list[int] | None
    top_logprobs: list[Logprob]


class Delta(TypedDict, total=False):
    """What a piece adds to the message."""

    content: str | None
    reasoning_content: str | None


class Choice(TypedDict, total=False):
    """The one choice of a piece."""

    delta: Delta
    finish_reason: str | None
    logprobs: dict[str, list[Logprob]] | None


class Tokens(TypedDict, total=False):
    """What the call took."""

    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: dict[str, int]


class Failure(TypedDict, total=False):
    """An error that the runtime reports instead of a piece."""

    code: int
    type: str
    message: str
    n_prompt_tokens: int
    n_ctx: int


class Piece(TypedDict, total=False):
    """One piece of a streamed chat completion, as the runtime writes it."""

    choices: list[Choice]
    usage: Tokens
    error: Failure


class PromptTokens(TypedDict):
    """How long the prompt of a plain completion is."""

    prompt_tokens: int


class TooLong(TypedDict):
    """The prompt of a plain completion does not fit."""

    n_prompt_tokens: int


class Completion(TypedDict, total=False):
    """A plain completion, of which only its prompt's length is of use."""

    usage: PromptTokens
    error: TooLong


class _Server(Protocol):
    def handle_chat_completions(self, body: dict[str, JsonValue], callback: Callable[[Piece], bool], /) -> object: ...

    def handle_completions(self, body: dict[str, JsonValue], /) -> Completion: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What a loaded model is told apart by.

    Attributes:
        path: the GGUF file.
        context: tokens that a prompt and its reply may take together.
        parallel: how many replies are generated at once.
        threads: threads that generate.
        batch_threads: threads that evaluate the prompt.
        verbose: whether the runtime writes its log to standard error.
    """

    path: Path
    context: int
    parallel: int
    threads: int
    batch_threads: int
    verbose: bool


def runtime() -> ModuleType:
    """The runtime's module, imported at first use.

    Raises:
        ModelError: it is not installed (`code="config"`).
    """
    try:
        return importlib.import_module(RUNTIME)
    except ImportError as error:
        raise ModelError(
            f"the local runtime is not installed: {RUNTIME} (pip install 'typedllm[local]')",
            code="config",
            provider="local",
        ) from error


@contextmanager
def _address() -> Generator[str]:
    """Where the runtime's server listens while it starts: it cannot be told not to.

    On POSIX a socket file in a folder that only this user may enter, and that is gone when the server has started:
    from then on nobody can connect. Elsewhere (or where the temporary folder's name is too long for a socket) a port
    on loopback; the server is given a random key and no CORS origin in any case.
    """
    folder = tempfile.mkdtemp(prefix="typedllm-")
    try:
        socket = str(Path(folder) / "s.sock")
        yield socket if os.name == "posix" and len(os.fsencode(socket)) < 100 else "127.0.0.1"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(settings: Settings) -> _Server:
    module = runtime()
    params = module.CommonParams()
    try:
        params.model.path = str(settings.path)
        params.n_ctx = settings.context * settings.parallel
        params.n_parallel = settings.parallel
        params.n_batch = PROMPT_STEP
        params.cpuparams.n_threads = settings.threads
        params.cpuparams_batch.n_threads = settings.batch_threads
        params.cache_ram_mib = 0
        params.warmup = False
        params.offline = True
        params.ui = False
        params.verbosity = 3 if settings.verbose else -1
        params.api_keys = [secrets.token_hex(32)]
        params.cors_origins = ""
        with _address() as host:
            params.hostnames = [host]
            return cast("_Server", module.Server(params))
    except AttributeError as error:
        raise ModelError(
            f"the local runtime is too old: {RUNTIME} {module.__version__}: {error}"
            " (pip install --upgrade 'typedllm[local]')",
            code="config",
            provider="local",
        ) from error
    except RuntimeError as error:
        raise ModelError(
            f"the runtime cannot load {settings.path}: {error} (it may be cut, or of a kind that {RUNTIME}"
            f" {module.__version__} does not know; LocalModel(verbose=True) shows the runtime's log)",
            code="config",
            provider="local",
        ) from error


class Engine:
    """A loaded model; as many calls at once as it was told, the others wait for their turn."""

    def __init__(self, settings: Settings) -> None:
        self.pid = os.getpid()
        self._runtime = runtime()
        self._server = _start(settings)
        self._turns = threading.BoundedSemaphore(settings.parallel)

    def chat(self, body: Mapping[str, JsonValue], schema: JsonSchema | None, put: Callable[[Piece], bool]) -> None:
        """Answer one chat completion.

        Args:
            body: the request, as the Chat Completions API has it.
            schema: what the reply is decoded under. It goes as a grammar and not as `response_format`, for under the
                latter the runtime lets the model write a fence, cuts it off and miscounts the log-probabilities.
            put: is given each piece, and says whether to stop.
        """
        grammar: dict[str, JsonValue] = {}
        if schema is not None:
            grammar["grammar"] = _ended(str(self._runtime.json_schema_to_grammar(schema)), schema)
        with self._turns:
            if not put({}):
                asked = {**body, **grammar, "stream": True, "return_progress": True}
                self._server.handle_chat_completions(asked, put)

    def count(self, text: str) -> int:
        """How many tokens a text is; one that does not fit into the context is counted without being evaluated."""
        with self._turns:
            answer = self._server.handle_completions({"prompt": text, "max_tokens": 1})
        if "error" in answer:
            return answer["error"]["n_prompt_tokens"]
        assert "usage" in answer
        return answer["usage"]["prompt_tokens"]

    def leak(self) -> None:
        """Never free the server: in a forked child its threads do not exist, and freeing it waits for them."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._server))


def _ended(grammar: str, schema: JsonSchema) -> str:
    """A grammar with a line break behind what may be a bare number: nothing else shows a model that a number is over.

    Without one the embedded model wrote digits up to the token limit for each of seven requests, with one for none.
    """
    kinds = [part.get("type", "number") for part in branches(schema, schema) if not _CLOSED & part.keys()]
    if all(_NUMBERS.isdisjoint([kind] if isinstance(kind, str) else kind) for kind in kinds):
        return grammar
    return grammar.replace("start: %json", 'start: reply "\\n"\nreply: %json', 1)


_engines: WeakValueDictionary[Settings, Engine] = WeakValueDictionary()
_loading = threading.Lock()


def engine_for(settings: Settings) -> Engine:
    """The loaded model of these settings: one for the whole process, freed when nobody holds it any more."""
    with _loading:
        engine = _engines.get(settings)
        if engine is None:
            engine = _engines[settings] = Engine(settings)
        return engine


def _forget() -> None:
    global _loading
    _loading = threading.Lock()
    _running.clear()
    for engine in list(_engines.values()):
        engine.leak()
    _engines.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class Run:
    """One generation, on a thread of its own: who waits for it can be interrupted, cancelled or timed out."""

    def __init__(self, work: Callable[[Callable[[Piece], bool]], None], timeout: float | None) -> None:
        """Start.

        Args:
            work: generates, and hands each piece to the function that it is given until that says stop.
            timeout: seconds from now after which `next` gives up; None: no bound.
        """
        self._deadline = None if timeout is None else monotonic() + timeout
        self._pieces: SimpleQueue[Piece | Exception | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._work = work
        self._over = threading.Event()
        threading.Thread(target=self._main, name="typedllm-local", daemon=True).start()

    def _main(self) -> None:
        _running.add(self)
        try:
            if not _ending.is_set():
                self._work(self._put)
            self._pieces.put(None)
        except Exception as error:
            self._pieces.put(error)
        finally:
            _running.discard(self)
            self._over.set()

    def _put(self, piece: Piece) -> bool:
        self._pieces.put(piece)
        return self._stopped.is_set()

    def next(self) -> Piece | None:
        """The next piece, waited for; None at the end.

        Raises:
            TimeoutError: the time is over; the generation is stopped.
            Exception: what the generation failed with.
        """
        left = None if self._deadline is None else max(0.0, self._deadline - monotonic())
        try:
            piece = self._pieces.get(timeout=left)
        except Empty:
            self.stop()
            raise TimeoutError from None
        if isinstance(piece, Exception):
            raise piece
        return piece

    def stop(self) -> None:
        """End the generation at its next token or prompt step."""
        self._stopped.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, no longer than that."""
        self._over.wait(seconds)


# A program that ends must not wait for a reply that nobody will read, and must not end in the middle of a callback
# from the runtime, which aborts the process: so the threads are daemons, and stopped before Python goes down.
_running: set[Run] = set()
_ending = threading.Event()  # set before the threads are listed; a thread lists itself before it looks
_PATIENCE = 30.0


@atexit.register
def _end() -> None:
    _ending.set()
    running = list(_running)
    for run in running:
        run.stop()
    for run in running:
        run.wait(_PATIENCE)
