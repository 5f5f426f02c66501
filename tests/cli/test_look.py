"""`check` and `render`: no model is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.cli.terminal import on_terminal, piped
from typedllm.cli.app import app
from typedllm.cli.excerpt import excerpt
from typedllm.records import Span

CART = "schemas.coffee:Cart"
FEELING = "schemas.sentiment:Sentiment"


def typedllm(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(args), input=stdin)


@pytest.mark.parametrize(
    ("reply", "code", "value"),
    [
        ('{"sentiment": "positive"}', 0, {"sentiment": "positive"}),
        ('Sure:\n```json\n{"sentiment": "negative"}\n```', 0, {"sentiment": "negative"}),
        ('{"sentiment": "superb"}', 1, None),
        ("I cannot say.", 1, None),
    ],
)
def test_check_judges_a_reply(tmp_path: Path, reply: str, code: int, value: Any) -> None:
    (tmp_path / "reply.txt").write_text(reply)
    for args, stdin in (([reply], None), ([], reply), (["--file", str(tmp_path / "reply.txt")], None)):
        done = typedllm("check", "-s", FEELING, *args, stdin=stdin)
        assert done.exit_code == code, done.output
        assert (json.loads(done.stdout) if done.stdout else None) == value
        assert ("issue" in done.stderr) is (code == 1)


def test_check_as_json_tells_everything() -> None:
    done = typedllm("check", "-s", FEELING, "--json", '{"sentiment": "superb"}')
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["value"] is None
    assert told["error"]["kind"] == "RepairError"
    assert [(issue["path"], issue["got"]) for issue in told["issues"]] == [("/sentiment", '"superb"')]
    assert told["attempts"][0]["reply"] == '{"sentiment": "superb"}'


def test_check_as_json_tells_what_was_mended() -> None:
    done = typedllm("check", "-s", FEELING, "--json", '{"sentiment": "neutral",}')
    told = json.loads(done.stdout)
    assert told["value"] == {"sentiment": "neutral"}
    assert [(fix["kind"], fix["span"]) for fix in told["fixes"]] == [("trailing_comma", [23, 24])]
    assert told["attempts"][0]["fixes"] == told["fixes"]


def test_render_shows_the_prompt_and_says_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYPEDLLM_CACHE", str(tmp_path))
    monkeypatch.delenv("TYPEDLLM_MODEL", raising=False)
    done = typedllm("render", "-s", FEELING, "Lovely.")
    assert done.exit_code == 0
    assert done.stdout.startswith("[system]\n")
    assert done.stdout.endswith("[user]\nLovely.\n")
    assert 'sentiment: "negative" | "neutral" | "positive"' in done.stdout
    assert "no model is configured" in done.stderr


def test_render_shows_the_schema_in_three_forms() -> None:
    pretty = typedllm("render", "-s", CART, "--format", "typescript").stdout
    compact = typedllm("render", "-s", CART, "--format", "compact").stdout
    document = typedllm("render", "-s", CART, "--format", "json-schema").stdout
    assert "interface Cart" in pretty
    assert len(compact) < len(pretty)
    assert json.loads(document)["title"] == "Cart"
    assert (
        json.loads(typedllm("render", "-s", CART, "--format", "typescript", "--json").stdout).strip() == pretty.strip()
    )


def test_render_takes_the_options_that_shape_a_request() -> None:
    done = typedllm("render", "-s", FEELING, "--json", "--system", "Be kind.", "--temperature", "0.5", "Lovely.")
    request = json.loads(done.stdout)
    assert request["messages"][0]["content"].startswith("Be kind.\n\n")
    assert request["options"] == {"temperature": 0.5}
    extra = typedllm("render", "-s", FEELING, "--extra", '{"top_k": 3}', "--seed", "7", "Lovely.").stdout
    assert extra.endswith('[options]\n{"seed":7,"top_k":3}\n')


@pytest.mark.parametrize(
    ("text", "span", "shown"),
    [
        ("abc", Span(1, 2), "  1 | abc\n    |  ^"),
        ("a\n\tbcd\ne", Span(3, 5), "  2 |  bcd\n    |  ^^"),
        ("ab\ncd", Span(1, 5), "  1 | ab\n    |  ^"),
        ("日本 x", Span(3, 4), "  1 | 日本 x\n    |      ^"),
        ("abc", Span(3, 3), "  1 | abc\n    |    ^"),
        ("x\x1b[31my", Span(1, 2), "  1 | x\N{REPLACEMENT CHARACTER}[31my\n    |  ^"),
        ("a" * 300, Span(200, 203), "  1 | ... " + "a" * 100 + " ...\n    | " + " " * 54 + "^^^"),
    ],
    ids=["inside", "second line", "several lines", "wide", "at the end", "control", "long"],
)
def test_an_excerpt_points_at_the_part(text: str, span: Span, shown: str) -> None:
    assert excerpt(text, span) == shown


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", "{}"], "Missing option '--schema'"),
        (["check", "-s", "nowhere.py:X", "{}"], "there is no file nowhere.py"),
        (["check", "-s", FEELING, "{}", "--file", "x"], "a text and --file are both given"),
        (["check", "-s", FEELING, "--file", "none.txt"], "none.txt cannot be read: No such file or directory"),
        (["check", "-s", FEELING, "--context", "[1]", "{}"], "--context is not a JSON object: [1]"),
        (["check", "-s", FEELING, "--context", "{", "{}"], "--context is not JSON"),
        (["check", "-s", FEELING, "--policy", "wild", "{}"], "wild"),
        (
            ["check", "-s", FEELING, "--allow", "near_enums", "{}"],
            "--allow: no fix is called 'near_enums' (did you mean",
        ),
        (["render", "-s", FEELING, "--allow", "units", "x"], "did you mean 'unit'?"),
        (["render", "-s", FEELING, "--timeout", "0", "x"], "timeout is not a number of seconds above 0: 0.0"),
        (["render", "-s", "threading:Thread", "x"], "Thread"),
        (["wash"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(args: list[str], said: str) -> None:
    done = typedllm(*args)
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.output


def test_on_a_pipe_the_value_alone_stands_on_standard_output() -> None:
    done = piped("check", "-s", FEELING, stdin='```json\n{"sentiment": "neutral"}\n```')
    assert (done.returncode, done.stdout) == (0, '{"sentiment":"neutral"}\n')
    assert "\x1b" not in done.stderr
    assert "^^^" in done.stderr


@pytest.mark.slow
def test_on_a_terminal_the_value_is_shown_for_a_person() -> None:
    code, screen = on_terminal("check", "-s", FEELING, '```json\n{"sentiment": "neutral"}\n```')
    assert code == 0
    assert "\x1b[" in screen
    assert "  \x1b[" in screen
    assert "^^^" in screen
    plain = on_terminal("check", "-s", FEELING, '{"sentiment": "neutral"}', env={"NO_COLOR": "1", "TERM": "dumb"})
    assert plain == (0, '{\n  "sentiment": "neutral"\n}\n')


def test_on_a_terminal_nothing_waits_for_a_text_that_nobody_types() -> None:
    code, screen = on_terminal("check", "-s", FEELING)
    assert code == 2
    assert "no text is given" in screen


@pytest.mark.slow
def test_a_model_cannot_steer_the_terminal() -> None:
    hostile = '\x1b]0;owned\x07 {"sentiment": "[bold]x"}'
    for code, screen in (
        on_terminal("check", "-s", FEELING, hostile),
        (1, piped("check", "-s", FEELING, hostile).stderr),
    ):
        assert code == 1
        assert "\x1b]0;" not in screen
        assert "\x07" not in screen
        assert "[bold]x" in screen
