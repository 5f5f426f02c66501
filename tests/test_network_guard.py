"""The guard against the network, on addresses that a test may try: documentation addresses and loopback."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from typedllm.testing import NetworkBlockedError, no_network

FAR = ("203.0.113.7", 80)


def connect() -> None:
    with socket.socket() as sock:
        sock.connect(FAR)


def connect_ex() -> None:
    with socket.socket() as sock:
        sock.connect_ex(FAR)


def connect_mapped() -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.connect(("::ffff:203.0.113.7", 80))


def create_connection() -> None:
    socket.create_connection(FAR, timeout=1).close()


def send() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", FAR)


def look_up() -> None:
    socket.getaddrinfo("example.invalid", 443)


def look_up_bytes() -> None:
    socket.gethostbyname("example.invalid")


def in_an_event_loop() -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection(*FAR), 1))  # type: ignore[arg-type]


def in_a_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(connect).result()


@pytest.mark.parametrize(
    "reach",
    [
        connect,
        connect_ex,
        connect_mapped,
        create_connection,
        send,
        look_up,
        look_up_bytes,
        in_an_event_loop,
        in_a_thread,
    ],
)
def test_the_network_is_refused(reach: object) -> None:
    assert callable(reach)
    with pytest.raises(NetworkBlockedError, match=r"203\.0\.113\.7|example\.invalid"), no_network():
        reach()


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_this_machine_may_be_reached(family: socket.AddressFamily, host: str) -> None:
    with no_network(), socket.create_server((host, 0), family=family) as server:
        assert socket.getaddrinfo("localhost", 80)
        with socket.create_connection(server.getsockname()[:2], timeout=5) as sock:
            assert sock.getpeername()[0] == host
        one, other = socket.socketpair()
        one.sendall(b"x")
        assert other.recv(1) == b"x"
        one.close()
        other.close()


@no_network()
def decorated() -> None:
    connect()


def test_it_decorates_nests_and_ends() -> None:
    with pytest.raises(NetworkBlockedError):
        decorated()
    with no_network():
        with no_network():
            pass
        with pytest.raises(NetworkBlockedError):
            connect()
    with socket.socket() as sock:
        sock.settimeout(0.001)
        with pytest.raises(OSError, match=r".*"):
            sock.connect(("127.0.0.1", 1))
