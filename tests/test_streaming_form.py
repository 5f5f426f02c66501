"""The form of the example in a real browser: fields fill while the reply comes, and are marked when they are final."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server, say
from typedllm.models.openai import OpenAIModel

ROOT = Path(__file__).parent.parent
FORM = ROOT / "examples" / "streaming_form"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REPLY = '{"name": "Ann Lee", "company": "Northwind Tea", "city": "Oslo", "phone": "555-0142"}'

pytestmark = pytest.mark.slow


def example() -> Any:
    spec = importlib.util.spec_from_file_location("streaming_form", FORM / "main.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page(server: Server) -> Iterator[tuple[Any, str]]:
    """The page in a browser, and its address; the model is the loopback server."""
    uvicorn = pytest.importorskip("uvicorn", reason="the page needs starlette and uvicorn")
    pytest.importorskip("starlette", reason="the page needs starlette and uvicorn")
    playwright = pytest.importorskip("playwright.sync_api", reason="the test of the page needs playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    module = example()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    web = uvicorn.Server(uvicorn.Config(module.application(), host="127.0.0.1", port=port, log_level="error"))
    with module.client.override(OpenAIModel("m", base_url=server.url)):
        thread = threading.Thread(target=web.run, daemon=True)
        thread.start()
        while not web.started:
            time.sleep(0.01)
        with playwright.sync_playwright() as running:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            yield browser.new_page(viewport={"width": 640, "height": 460}), f"http://127.0.0.1:{port}/"
            browser.close()
        web.should_exit = True
        thread.join()


def test_the_form_fills_while_the_reply_comes(page: tuple[Any, str], server: Server, tmp_path: Path) -> None:
    view, address = page
    server.script(say(REPLY, pieces=28, pause=0.15))
    view.goto(address)
    view.fill("#message", (FORM / "input.txt").read_text("utf-8").strip())
    view.click("button")
    view.wait_for_selector("#company.final")
    assert view.input_value("#name input") == "Ann Lee"
    assert view.get_attribute("#phone", "class") in ("", None)  # it has not come yet
    assert view.inner_text("#state") == "reading"
    view.screenshot(path=tmp_path / "streaming_form.png")
    view.wait_for_function("document.getElementById('state').textContent === 'done'")
    values = [view.input_value(f"#{name} input") for name in ("name", "company", "city", "phone")]
    assert values == ["Ann Lee", "Northwind Tea", "Oslo", "555-0142"]


def test_the_form_tells_what_went_wrong(page: tuple[Any, str], server: Server) -> None:
    view, address = page
    server.script(say(None, refusal="I would rather not"))
    view.goto(address)
    view.fill("#message", "who is it?")
    view.click("button")
    view.wait_for_function("document.getElementById('state').textContent.includes('declined')")
