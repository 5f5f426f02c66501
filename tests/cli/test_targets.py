"""What `--schema` may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from typedllm.cli.exits import MistakeError
from typedllm.cli.targets import load
from typedllm.errors import SchemaError

MODULE = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Literal
from neighbour import Size
from typedllm import Client, Schema

@dataclass
class Drink:
    name: str
    size: Size

class Shop:
    class Order:
        pass
    Sizes = Literal["short", "tall"]

drinks = Schema(list[Drink])
client = Client()

@client.prompt
def order(text: str) -> Drink:
    '''Take the order.'''
    ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop.py").write_text(MODULE)
    (tmp_path / "neighbour.py").write_text("from typing import Literal\nSize = Literal['short', 'tall']\n")
    (tmp_path / "drink.json").write_text('{"type": "object", "required": ["name"], "properties": {"name": {}}}')
    (tmp_path / "wrong.json").write_text('{"type": "objekt"}')
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "typo.py").write_text("x = (\n")
    (tmp_path / "empty.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [entry for entry in __import__("sys").path if entry])
    return tmp_path


@pytest.mark.parametrize(
    ("where", "sample"),
    [
        ("shop.py:Drink", {"name": "latte", "size": "tall"}),
        ("shop.py:order", {"name": "latte", "size": "tall"}),
        ("shop.py:drinks", [{"name": "latte", "size": "tall"}]),
        ("shop.py:Shop.Sizes", "tall"),
        ("schemas.sentiment:Sentiment", {"sentiment": "neutral"}),
        ("builtins:int", 7),
        ("drink.json", {"name": "latte"}),
    ],
)
def test_a_type_a_schema_or_a_prompt_function(folder: Path, where: str, sample: object) -> None:
    schema = load(where)
    assert schema.validate(sample).ok
    assert not schema.validate({"unheard": "of"}).ok


def test_a_file_is_named_by_its_whole_path_too(folder: Path) -> None:
    assert load(f"{folder / 'shop.py'}:Drink").validate({"name": "latte", "size": "tall"}).ok


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("nowhere.json", "there is no file nowhere.json"),
        ("nowhere.py:Drink", "there is no file nowhere.py"),
        ("shop.py:Drinc", "shop.py has no Drinc (did you mean Drink?)"),
        ("shop.py:Zebra", "shop.py has no Zebra (there: Drink, Shop)"),
        ("shop.py", "no type is named: write shop.py:Name (there: Drink, Shop)"),
        ("empty.py", "no type is named: write empty.py:Name"),
        ("broken.py:X", "broken.py cannot be imported: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("broken.py:X", "(broken.py, line 1)"),
        ("typo.py:X", "typo.py cannot be imported: SyntaxError"),
        ("no_such_module:X", "no_such_module cannot be imported: ModuleNotFoundError"),
        (
            "what is this?",
            "not the name of a schema: what is this? (write file.py:Name, module.path:Name or file.json)",
        ),
    ],
)
def test_a_mistake_says_what_to_write(folder: Path, where: str, said: str) -> None:
    with pytest.raises(MistakeError) as caught:
        load(where)
    assert said in str(caught.value)


@pytest.mark.parametrize("where", ["wrong.json", "typo.py"])
def test_a_document_that_is_no_schema_is_a_mistake_too(folder: Path, where: str) -> None:
    with pytest.raises((SchemaError, MistakeError)) as caught:
        load(where)
    assert where in str(caught.value) or "/type" in str(caught.value)
