"""Ways in which models write a value that is no plain JSON, or that stands among other text."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.replies.breaking import STYLES

Write = Callable[[str, Any, random.Random], str]
"""Takes the JSON text of a value (indented or not), the value and chance; gives the reply."""

_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_STRING_OR: Final = re.compile(rf"({_STRING})(\s*:)?")
_BEFORE: Final = (
    "Sure! Here is the JSON you asked for:",
    "Based on the text above, the extracted data is as follows:",
    "**Answer:**",
    "## Result",
    "Of course. I've kept the format {like this} out of it.",
    "Here's the result [as requested]:",
    "1. First I read the text.\n2. Then I filled in the fields:",
    "The \"final\" answer is:",
    "Note: values are approximate.\n\nOutput:",
    "```\nSome unrelated snippet\n```\nAnd the data:",
)  # fmt: skip
_AFTER: Final = (
    "Let me know if you need anything else!",
    "Note: the other fields were not mentioned.",
    "Explanation:\n- I used the values in the text.\n- Nothing was left out.",
    "I hope this helps :) {smile}",
    "*This follows the schema.*",
    "If \"name\" is wrong, tell me.",
)  # fmt: skip


def _strings(text: str, change: Callable[[str, bool], str]) -> str:
    """The text with each of its strings changed: the decoded string, and whether it is a key."""
    return _STRING_OR.sub(lambda found: change(json.loads(found[1]), found[2] is not None) + (found[2] or ""), text)


def _quoted(text: str, quote: str) -> str:
    return (
        quote
        + text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n").replace("\t", "\\t")
        + quote
    )


def _outside(text: str, pattern: str, change: str) -> str:
    """The text with a pattern replaced where it stands outside of strings."""
    return re.sub(rf"({_STRING})|{pattern}", lambda found: found[1] or found.expand(change), text)


def python(text: str, value: Any, dice: random.Random) -> str:
    return repr(value)


def javascript(text: str, value: Any, dice: random.Random) -> str:
    def change(word: str, is_key: bool) -> str:
        return word if is_key and word.isidentifier() else _quoted(word, "'")

    return _strings(text, change)


def trailing_commas(text: str, value: Any, dice: random.Random) -> str:
    return _outside(json.dumps(value, indent=2, ensure_ascii=False), r"(?<=[^\s{\[,])(\s*[}\]])", r",\2")


def comments(text: str, value: Any, dice: random.Random) -> str:
    note = dice.choice((" // as stated in the text", ' // it\'s the "first" one', " # from page 3"))
    return _outside(json.dumps(value, indent=2, ensure_ascii=False), r",\n", f",{note}\\n")


def block_comments(text: str, value: Any, dice: random.Random) -> str:
    return _outside(json.dumps(value, indent=2, ensure_ascii=False), r":\s", ": /* see above */ ")


def smart_quotes(text: str, value: Any, dice: random.Random) -> str:
    return _strings(text, lambda word, is_key: f"“{json.dumps(word, ensure_ascii=False)[1:-1]}”")


def full_width(text: str, value: Any, dice: random.Random) -> str:
    return _outside(_outside(text, r",\s*", "，"), r":\s*", "：")


def raw_newlines(text: str, value: Any, dice: random.Random) -> str:
    return _strings(text, lambda word, is_key: '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"')


def unescaped_quotes(text: str, value: Any, dice: random.Random) -> str:
    return _strings(text, lambda word, is_key: json.dumps(word, ensure_ascii=False).replace('\\"', '"'))


def lone_backslashes(text: str, value: Any, dice: random.Random) -> str:
    """Backslashes of paths, patterns and formulas, not doubled, where they escape nothing in JSON."""
    return re.sub(r"\\\\(?![\"\\/bfnrtu])", r"\\", text)


def apostrophes(text: str, value: Any, dice: random.Random) -> str:
    return text.replace("'", "\\'")


def encoded(text: str, value: Any, dice: random.Random) -> str:
    return json.dumps(text, ensure_ascii=False)


def escaped(text: str, value: Any, dice: random.Random) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def ascii_only(text: str, value: Any, dice: random.Random) -> str:
    return json.dumps(value, indent=1)


def bom(text: str, value: Any, dice: random.Random) -> str:
    return "\ufeff" + text


def odd_space(text: str, value: Any, dice: random.Random) -> str:
    return _outside(json.dumps(value, indent=2, ensure_ascii=False), r"  ", "\u00a0 ")


def no_commas(text: str, value: Any, dice: random.Random) -> str:
    return _outside(json.dumps(value, indent=2, ensure_ascii=False), r",\n", "\\n")


def no_end(text: str, value: Any, dice: random.Random) -> str:
    """The brackets at the very end are missing, and the last part is complete."""
    bare = text.rstrip("}] \n")
    return bare if bare.endswith('"') and text != bare else text


def extra_end(text: str, value: Any, dice: random.Random) -> str:
    return text + text.rstrip()[-1]


SYNTAX: Final[Mapping[str, Write]] = {
    each.__name__: each
    for each in (
        python, javascript, trailing_commas, comments, block_comments, smart_quotes, full_width, raw_newlines,
        unescaped_quotes, lone_backslashes, apostrophes, encoded, escaped, ascii_only, bom, odd_space, no_commas, no_end,
        extra_end,
    )
}  # fmt: skip
"""Ways of writing the document itself."""


def prose(text: str, dice: random.Random) -> str:
    return f"{dice.choice(_BEFORE)}\n\n{text}\n\n{dice.choice(_AFTER)}"


def fence(text: str, dice: random.Random) -> str:
    return f"```{dice.choice(('json', '', 'JSON', 'javascript', 'json5'))}\n{text}\n```"


def fenced_prose(text: str, dice: random.Random) -> str:
    return f"{dice.choice(_BEFORE)}\n{fence(text, dice)}\n\n{dice.choice(_AFTER)}"


def open_fence(text: str, dice: random.Random) -> str:
    return f"```json\n{text}"


def thought(text: str, dice: random.Random) -> str:
    return f'<think>\nThe user wants {{"x": 1}} or so. [1, 2]? "No".\n</think>\n\n{text}'


def thought_unopened(text: str, dice: random.Random) -> str:
    return f'Let me see: {{"name": "nobody"}} would be wrong.\n</think>\n{text}'


def tag(text: str, dice: random.Random) -> str:
    name = dice.choice(("json", "output", "answer", "result", "response"))
    return f"<{name}>\n{text}\n</{name}>"


def assignment(text: str, dice: random.Random) -> str:
    return dice.choice(
        ("const data = {};", "result = {}", "json = {}", "return {};", "print({})", "callback({});")
    ).replace("{}", text)


def draft_then_final(text: str, dice: random.Random) -> str:
    return f'First draft:\n```json\n{{"todo": "..."}}\n```\n\nFinal answer:\n```json\n{text}\n```'


def twice(text: str, dice: random.Random) -> str:
    return f"{text}\n\nIn other words:\n\n```json\n{text}\n```"


def partial_copy(text: str, dice: random.Random) -> str:
    return f"```json\n{text}\n```\n\nTo repeat:\n```json\n{text[: len(text) // 2]}"


def call(text: str, dice: random.Random) -> str:
    return f'<tool_call>\n{{"name": "answer", "arguments": {text}}}\n</tool_call>'


def numbered(text: str, dice: random.Random) -> str:
    return f"1. {text}"


def remark(text: str, dice: random.Random) -> str:
    """Brackets in the sentences around it are none of it."""
    behind = dice.choice(
        ('I set "tags" to [] since none were mentioned.', "Missing values would be {} or null.", "[1] a.pdf")
    )
    return f"Based on the documents [1][2]:\n{text}\n\n{behind}"


def earlier(text: str, dice: random.Random) -> str:
    return f'My earlier answer was {{"todo": "..."}}, which was wrong.\n\nNow:\n{text}'


def unopened(text: str, dice: random.Random) -> str:
    """The request has begun the answer."""
    return text.lstrip()[1:] if text.lstrip()[:1] in ("{", "[") and is_json(text) else text


def is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (dict, list)) and len(json.loads(text)) > 0
    except ValueError:
        return False


def legacy_call(text: str, dice: random.Random) -> str:
    return f'{{"functionCall": {{"name": "answer", "args": {text}}}}}'


AROUND: Final[Mapping[str, Callable[[str, random.Random], str]]] = {
    each.__name__: each
    for each in (
        prose, fence, fenced_prose, open_fence, thought, thought_unopened, tag, assignment, draft_then_final, twice,
        partial_copy, call, numbered, remark, earlier, unopened, legacy_call,
    )
}  # fmt: skip
"""Ways of putting the document into a reply."""


def written(value: Any, dice: random.Random, syntax: str = "", around: str = "") -> str:
    """A reply with this value, written and wrapped in these ways."""
    text = STYLES[dice.choice(sorted(STYLES))](value)
    if syntax:
        text = SYNTAX[syntax](text, value, dice)
    return AROUND[around](text, dice) if around else text
