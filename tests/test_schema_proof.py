"""What TypeScript is told is what pydantic enforces: held against pydantic and the real TypeScript compiler."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests import compiler
from tests.zoo import ZOO
from typedllm.schema.build import build
from typedllm.schema.typescript import render

# Pydantic says of `ReadOnly` that it does not protect the items; nothing here changes any.
pytestmark = pytest.mark.filterwarnings("ignore:.*ReadOnly")


def shown(type_: object) -> tuple[str, str]:
    built = build(type_)
    return render(built.document, built.name), built.name


@pytest.mark.parametrize("name", ZOO)
def test_pydantic_agrees_with_the_zoo(name: str) -> None:
    case, adapter = ZOO[name], build(ZOO[name].type).adapter
    for text in case.accepted:
        value = adapter.validate_json(text)
        assert adapter.validate_json(adapter.dump_json(value, by_alias=True, round_trip=True)) == value
    for text in (*case.mistyped, *case.unruly):
        with pytest.raises(ValidationError):
            adapter.validate_json(text)


@pytest.mark.parametrize("name", ZOO)
def test_rendering_says_the_rules(name: str) -> None:
    text, _ = shown(ZOO[name].type)
    for part in ZOO[name].says:
        assert part in text


@pytest.mark.slow
@compiler.needed
def test_compiler_agrees_with_the_zoo() -> None:
    files: dict[str, str] = {}
    for index, case in enumerate(ZOO.values()):
        for compact in (False, True):
            built = build(case.type)
            text = render(built.document, built.name, compact=compact)
            files[f"case{index}_{compact}"] = compiler.module(text, built.name, [*case.accepted], [*case.mistyped])
    assert not compiler.faults(files)
