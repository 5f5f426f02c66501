"""For tests of programs that use typedllm: a scripted model, recorded replies, and a guard against the network."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Final, cast

from typedllm.models.replay import RecordingModel, ReplayModel, record
from typedllm.models.scripted import ScriptedModel

__all__ = ["NetworkBlockedError", "RecordingModel", "ReplayModel", "ScriptedModel", "no_network", "record"]


class NetworkBlockedError(RuntimeError):
    """Something reached for the network inside `no_network()`."""


_TO_ADDRESS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKS_UP: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})


class _Guard:
    """One hook for the life of the process (Python knows no way to remove one), asleep unless somebody asks for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watchers = 0
        self._hooked = False

    def watch(self, change: int) -> None:
        with self._lock:
            self._watchers += change
            if not self._hooked:
                sys.addaudithook(self._hook)
                self._hooked = True

    # The interpreter calls audit hooks with tracing off, so that coverage cannot see this and what it calls.
    def _hook(self, event: str, args: tuple[object, ...]) -> None:  # pragma: no cover
        if self._watchers and (event in _TO_ADDRESS or event in _LOOKS_UP):
            host = args[0] if event in _LOOKS_UP else _host(args[0], args[1])
            if not _is_here(host):
                raise NetworkBlockedError(
                    f"the network is used inside no_network(): {host} (give the client a ScriptedModel or a"
                    " ReplayModel)"
                )


def _host(sock: object, address: object) -> object:  # pragma: no cover
    """The host of an address; None for what is no internet address, such as a socket file."""
    internet = isinstance(sock, socket.socket) and sock.family in (socket.AF_INET, socket.AF_INET6)
    return cast("tuple[object, ...]", address)[0] if internet and isinstance(address, tuple) else None


def _is_here(host: object) -> bool:  # pragma: no cover
    text = host.decode(errors="replace") if isinstance(host, bytes) else str(host or "localhost")
    if text == "localhost":
        return True
    try:
        number = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    number = getattr(number, "ipv4_mapped", None) or number
    return number.is_loopback or number.is_unspecified


_GUARD: Final = _Guard()


@contextmanager
def no_network() -> Generator[None]:
    """Refuse every connection and name look-up but those to this machine, in all threads, until the block ends.

    Also a decorator, and a pytest fixture in three lines:

    >>> @pytest.fixture(autouse=True)  # doctest: +SKIP
    ... def offline():
    ...     with no_network():
    ...         yield

    It sees what goes through Python's `socket` module (asyncio, trio, httpx, openai); not code that brings its own
    network library written in another language.

    Raises:
        NetworkBlockedError: where the connection was tried.
    """
    _GUARD.watch(1)
    try:
        yield
    finally:
        _GUARD.watch(-1)
