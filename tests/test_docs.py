"""Every example of README.md, docs/ and the docstrings is run, and what it shows is compared.

In a page, a `python` block is run in the page's own namespace; what it prints is the block of another kind behind it, or stands in
it in lines that begin with `# > `. In a
`console` block each line that begins with `$ typedllm` is run, and what stands below it is what it prints. A comment in
front of a block says what is special about it:

    <!-- recorded -->           it asks the model of the recorded replies in examples/sentiment
    <!-- not run: reason -->    it needs what a test has not; such blocks are counted below
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import re
import shlex
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import typedllm
from tests.cli.terminal import piped

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RECORDED = f"replay:{ROOT / 'examples' / 'sentiment' / 'replies.jsonl'}"
OUTPUTS = ("text", "typescript", "json")
NOT_RUN = {
    "installs packages",
    "needs a key",
    "needs a server",
    "needs the embedded model",
    "is not a program",
    "is a fragment",
}

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)


class Block(NamedTuple):
    language: str
    text: str
    mark: str
    line: int
    shown: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found = list(_BLOCK.finditer(text))
    result: list[Block] = []
    for number, match in enumerate(found):
        follower = found[number + 1] if number + 1 < len(found) else None
        shown = follower and follower["language"] in OUTPUTS and text[match.end() : follower.start()].strip() == ""
        line = text.count("\n", 0, match.start("text")) + 1
        comments = "".join(f"{each}\n" for each in re.findall(r"^# > (.*)$", match["text"], re.MULTILINE))
        output = follower["text"] if follower and shown else comments
        result.append(Block(match["language"], match["text"], match["mark"] or "", line, output))
    return result


def as_program(page: Path, folder: Path) -> Path:
    """The Python blocks of a page as one file, on the lines where they stand in the page: for source and tracebacks."""
    lines = [""] * (page.read_text("utf-8").count("\n") + 1)
    for block in blocks(page):
        if block.language == "python":
            code = block.text.splitlines()
            lines[block.line - 1 : block.line - 1 + len(code)] = code
    program = folder / f"{page.stem}.py"
    program.write_text("\n".join(lines), "utf-8")
    return program


def run_page(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *, recorded: bool) -> int:
    """Run the blocks of a page in order; how many were run."""
    program = as_program(page, folder)
    module = ModuleType("page")
    module.__file__ = str(program)
    monkeypatch.setitem(sys.modules, "page", module)
    count = 0
    for block in blocks(page):
        if block.mark.startswith("not run:") or (block.mark == "recorded" and not recorded):
            continue
        if block.language == "python":
            printed = io.StringIO()
            code = compile("\n" * (block.line - 1) + block.text, str(program), "exec", dont_inherit=True)
            with contextlib.redirect_stdout(printed):
                exec(code, vars(module))
            assert printed.getvalue().rstrip() == block.shown.rstrip(), f"{page.name}:{block.line}"
        elif block.language == "console":
            run_console(block, f"{page.name}:{block.line}")
        else:
            continue
        count += 1
    return count


def run_console(block: Block, place: str) -> None:
    for command, shown in re.findall(r"^\$ ([^\n]*)\n((?:(?!\$ )[^\n]*\n)*)", block.text, re.MULTILINE):
        words = shlex.split(command)
        if words[0] == "echo":  # echo TEXT | typedllm ...
            bar = words.index("|")
            stdin, words = " ".join(words[1:bar]) + "\n", words[bar + 1 :]
        else:
            stdin = ""
        assert words[0] == "typedllm", f"{place}: {command}"
        done = piped(*words[1:], stdin=stdin, env={"TYPEDLLM_MODEL": RECORDED})
        assert done.stdout + done.stderr == shown, f"{place}: {command}"


@pytest.fixture(autouse=True)
def _recorded_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYPEDLLM_MODEL", RECORDED)
    for name in list(os.environ):
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(ROOT)


MARKS = {"local.md": [pytest.mark.local], "cli.md": [pytest.mark.slow]}
"""Of pages whose examples ask the embedded model, or run for long."""


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=MARKS.get(page.name, []), id=page.name) for page in PAGES],
)
def test_examples_of_a_page_run_and_print_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_page(page, tmp_path, monkeypatch, recorded=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(b.mark == "recorded" for b in blocks(page))])
def test_recorded_examples_too(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_page(page, tmp_path, monkeypatch, recorded=True)


def test_what_is_not_run_has_a_reason_that_is_known() -> None:
    marks = Counter(block.mark for page in PAGES for block in blocks(page) if block.mark)
    marks.pop("recorded", None)
    assert {mark.removeprefix("not run: ") for mark in marks} <= NOT_RUN
    run = sum(1 for page in PAGES for block in blocks(page) if block.language in ("python", "console"))
    assert sum(marks.values()) < run / 2


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


MODULES = [name for _, name, _ in pkgutil.walk_packages(typedllm.__path__, "typedllm.") if "__main__" not in name]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
