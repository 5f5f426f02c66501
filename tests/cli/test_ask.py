"""`run` and `chat` against a real server: values, exit codes, what stands on which stream."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.cli.terminal import on_terminal, piped
from tests.support.server import Server, Step, fail, say
from typedllm.cli.app import app

FEELING = "schemas.sentiment:Sentiment"
GOOD, BAD = '{"sentiment": "positive"}', '{"sentiment": "superb"}'
KEY = "sk-very-secret"


def at(server: Server) -> str:
    return f"{server.url}#tiny"


def ask(command: str, server: Server, *args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [command, "-s", FEELING, "-m", at(server), *args], input=stdin)


def turns(server: Server, number: int) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in server.requests[number].body["messages"]]


@pytest.mark.parametrize("way", ["argument", "file", "stdin"])
def test_the_text_comes_as_argument_from_a_file_or_on_standard_input(server: Server, tmp_path: Path, way: str) -> None:
    (tmp_path / "text.txt").write_text("Lovely.")
    args = {"argument": ["Lovely."], "file": ["--file", str(tmp_path / "text.txt")], "stdin": []}[way]
    server.script(say(GOOD))
    done = ask("run", server, *args, stdin="Lovely." if way == "stdin" else None)
    assert (done.exit_code, done.stdout) == (0, '{"sentiment":"positive"}\n'), done.output
    assert turns(server, 0)[-1] == ("user", "Lovely.")


def test_a_repair_is_told_in_the_json(server: Server) -> None:
    server.script(say(BAD), say(GOOD))
    done = ask("run", server, "--json", "Lovely.")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["value"] == {"sentiment": "positive"}
    assert [(each["kind"], each["reply"]) for each in told["attempts"]] == [("first", BAD), ("full", GOOD)]
    assert told["attempts"][0]["issues"][0]["path"] == "/sentiment"
    assert told["usage"]["requests"] == 2


def test_options_reach_the_request(server: Server) -> None:
    server.script(say(GOOD))
    words = [
        "--temperature",
        "0.5",
        "--max-tokens",
        "9",
        "--seed",
        "7",
        "--system",
        "Be-kind.",
        "--native",
        "prompt",
        "--timeout",
        "30",
    ]
    assert ask("run", server, *words, "--extra", '{"top_k": 3}', "Lovely.").exit_code == 0
    body = server.requests[0].body
    assert (body["temperature"], body["seed"], body["top_k"]) == (0.5, 7, 3)
    assert 9 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert "response_format" not in body
    assert turns(server, 0)[0][1].startswith("Be-kind.")


OUTCOMES: list[tuple[str, list[Step], int, str]] = [
    ("invalid", [say(BAD), say(BAD + " ")], 1, 'last: /sentiment: '),
    ("model", [fail(401, "no such key")], 3, "401"),
    ("refused", [say(None, refusal="I would rather not.")], 4, "the model declined: I would rather not."),
    ("filtered", [say("", finish="content_filter")], 4, "the model declined"),
    ("truncated", [say('{"senti', finish="length")], 5, "the reply was cut off"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "code", "said"), [case[1:] for case in OUTCOMES], ids=[case[0] for case in OUTCOMES])
def test_the_exit_code_says_what_failed(server: Server, steps: list[Step], code: int, said: str) -> None:
    server.script(*steps)
    server.reply = steps[-1]
    done = ask("run", server, "--max-repairs", "1", "Lovely.")
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    as_json = json.loads(ask("run", server, "--max-repairs", "0", "--json", "Lovely.").stdout)
    assert as_json["value"] is None
    assert as_json["error"]["exit"] == code


def test_a_server_that_is_down_is_named(server: Server) -> None:
    done = CliRunner().invoke(app, ["run", "-s", FEELING, "-m", "http://127.0.0.1:9/v1#tiny", "--timeout", "2", "x"])
    assert done.exit_code in (3, 6)
    assert "127.0.0.1:9" in done.stderr or "time bound" in done.stderr
    assert "Traceback" not in done.output


def test_the_time_bound_has_its_own_exit_code(server: Server) -> None:
    server.reply = say(GOOD, wait=30)
    done = ask("run", server, "--timeout", "0.2", "Lovely.")
    assert done.exit_code == 6, done.output
    assert "0.2 s" in done.stderr


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("opnai:gpt-5-mini", "did you mean 'openai'?"),
        ("openai:", "write openai:NAME"),
        ("http://127.0.0.1:9/v1", "write http://127.0.0.1:9/v1#name"),
        ("openai:gpt-5-mini", "set OPENAI_API_KEY"),
    ],
)
def test_a_model_that_cannot_be_asked_says_what_to_do(monkeypatch: pytest.MonkeyPatch, model: str, said: str) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    done = CliRunner().invoke(app, ["run", "-s", FEELING, "-m", model, "Lovely."])
    assert done.exit_code == 3
    assert said in done.stderr


@pytest.mark.slow
def test_no_secret_is_printed(server: Server) -> None:
    server.reply = fail(401, f"Incorrect API key provided: {KEY}")
    env = {"TYPEDLLM_API_KEY": KEY, "OPENAI_API_KEY": KEY}
    for args in (
        ["run", "-s", FEELING, "-m", at(server), "x"],
        ["run", "-s", FEELING, "-m", at(server), "--json", "x"],
    ):
        done = piped(*args, env=env)
        assert done.returncode == 3
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in done.stdout + done.stderr
    listed = piped("models", env=env)
    assert '"key":"OPENAI_API_KEY","key_set":true' in listed.stdout
    assert KEY not in listed.stdout + listed.stderr


@pytest.mark.slow
def test_run_as_a_process_on_pipes(server: Server) -> None:
    server.script(say(BAD), say(GOOD))
    done = piped("run", "-s", "schemas/sentiment.py:Sentiment", "-m", at(server), stdin="Lovely.")
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"sentiment":"positive"}\n', "")


@pytest.mark.slow
def test_run_on_a_terminal_shows_progress_and_the_story(server: Server) -> None:
    server.script(say(BAD, wait=0.3), say(GOOD))
    code, screen = on_terminal("run", "-s", FEELING, "-m", at(server), "Lovely.")
    assert code == 0
    assert "asking" in screen
    assert "(request 2)" in screen
    assert '"sentiment"' in screen
    assert "attempt 1 (first)" in screen
    assert "/sentiment" in screen
    assert "attempt 2 (full): valid" in screen
    assert "2 attempts, " in screen
    assert "tokens in" in screen


LINES = """
# a comment

Lovely.
   Meh.
@clear
Awful.
quit
never asked
"""


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_chat_over_a_file_keeps_what_came_before(server: Server, tmp_path: Path, way: str) -> None:
    (tmp_path / "input.txt").write_text(LINES)
    server.script(say(GOOD), say('{"sentiment": "neutral"}'), say('{"sentiment": "negative"}'))
    args = ["--file", str(tmp_path / "input.txt")] if way == "file" else []
    done = ask("chat", server, *args, stdin=LINES if way == "stdin" else None)
    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["request"], each["value"]["sentiment"]) for each in told] == [
        ("Lovely.", "positive"),
        ("Meh.", "neutral"),
        ("Awful.", "negative"),
    ]
    assert turns(server, 1)[1:] == [("user", "Lovely."), ("assistant", '{"sentiment":"positive"}'), ("user", "Meh.")]
    assert turns(server, 2)[1:] == [("user", "Awful.")]


def test_chat_goes_on_after_a_failure_and_ends_with_its_code(server: Server) -> None:
    server.script(say("", finish="content_filter"), say(GOOD))
    done = ask("chat", server, "--max-repairs", "0", stdin="one\ntwo\n")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 4
    assert [each["error"] is None for each in told] == [False, True]
    assert [role for role, _ in turns(server, 1)] == ["system", "user"]


def test_chat_shows_the_model_as_much_as_it_is_told_to_keep(server: Server) -> None:
    server.reply = say(GOOD)
    assert ask("chat", server, "--keep", "1", stdin="a\nb\nc\n").exit_code == 0
    assert [text for role, text in turns(server, 2) if role == "user"] == ["b", "c"]


@pytest.mark.slow
def test_chat_on_a_terminal(server: Server) -> None:
    server.reply = say(GOOD)
    code, screen = on_terminal("chat", "-s", FEELING, "-m", at(server), typed=["Lovely.\n", "\n", "# note\n", "quit\n"])
    assert code == 0
    assert screen.count('"positive"') == 1
    assert "> " in screen
    code, screen = on_terminal("chat", "-s", FEELING, "-m", at(server), typed=["\x04"])
    assert code == 0
    assert len(server.requests) == 1
