"""The names of models that need no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from typedllm.errors import ModelError
from typedllm.models.local import LocalModel
from typedllm.models.resolve import VARIABLE, resolve
from typedllm.records import Message, Request
from typedllm.testing import ReplayModel, ScriptedModel, record


def test_names_of_models_that_need_no_network(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    record(ScriptedModel(["{}"]), path).complete(Request((Message("user", "hello"),)))
    kinds = {"local": LocalModel, f"local:{tmp_path}/m.gguf": LocalModel, f"replay:{path}": ReplayModel}
    assert {spec: type(resolve(spec)) for spec in kinds} == kinds
    assert resolve(f"local:{tmp_path}/m.gguf").name == f"local:{tmp_path}/m.gguf"


def test_without_a_name_the_choices_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"no model is configured .*local pull.*replay:FILE") as caught:
        resolve(None)
    assert caught.value.code == "config"


@pytest.mark.local
def test_the_embedded_model_is_the_one_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert resolve(None).name == "local"
