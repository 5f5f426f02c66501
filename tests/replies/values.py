"""Values of a declared type, made by seed, with texts of the kinds that are hard to read back."""

from __future__ import annotations

import random
import string
import uuid
from typing import Any, Final, cast

from typedllm import Schema

PLAIN: Final = (
    "Ann", "New York", "two lattes", "Oat milk", "blue", "Senior Engineer", "Call the client back", "all good",
    "O'Brien", "It's fine", "Smith, J.", "red, green and blue", "Note: bring a pen", "12:30", "see p. 4", "3", "true",
    "2024-05-01", "a/b", "C#", "50%", "", "x", "no", "item-1", "snake_case", "Zürich", "日本語", "naïve café",
)  # fmt: skip
HARD: Final = (
    'He said "hi" to me', 'the 24" screen', "C:\\Users\\ann\\new", "\\d+\\.\\d*[a-z]{2,3}", "\\frac{1}{2}\\alpha",
    "line one\nline two", "a\tb", "print({'a': [1, 2]})", 'if (x == "a") { return "b"; }', "{not: json}", "[1, 2, 3]",
    "https://example.com/a?b=c&d=e#f", "```python\nprint(1)\n```", "# heading\n- one\n- two", "// a comment",
    "key: value, other: value", '"quoted"', "“smart” quotes", "a // b", "/* x */", "<b>bold</b>",
    "&quot;x&quot;", "😀 ok", "...", "and so on...", "null", "it's: a, b", "}", "],", '", "', '{"a": 1}', "a \\ b",
    "SELECT * FROM t WHERE a = 'b'", "x = \"y\" + 'z'", "你好，世界：好", "10,000", "tab\there", "$5.00", "a, b: c",
)  # fmt: skip
_FORMATS: Final = {
    "date": "2024-0{}-1{}", "date-time": "2024-0{}-1{}T10:30:00Z", "time": "1{}:3{}:00", "email": "a{}@b{}.com",
    "uri": "https://example{}.com/{}",
}  # fmt: skip


def texts(dice: random.Random, hard: float) -> str:
    """One text; `hard` is the share of those that are hard to read."""
    return dice.choice(HARD if dice.random() < hard else PLAIN)


class Sampler:
    """Draws JSON data that a JSON Schema document admits.

    Args:
        schema: the declared type.
        dice: where chance comes from.
        hard: the share of texts that are hard to read back when they are broken.
    """

    def __init__(self, schema: Schema[Any], dice: random.Random, hard: float = 0.0) -> None:
        self.document = schema.document
        self.dice = dice
        self.hard = hard

    def draw(self) -> Any:
        """One value, as JSON data."""
        return self._of(self.document, 0)

    def _of(self, node: dict[str, Any], depth: int) -> Any:
        while "$ref" in node:
            node = self._at(node["$ref"])
        if node.get("x-type") == "decimal":
            return f"{self.dice.randint(1, 999)}.{self.dice.randint(10, 99)}"
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                arms = [arm for arm in node[keyword] if depth < 3 or arm.get("type") == "null"] or node[keyword]
                return self._of(self.dice.choice(arms), depth + 1)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self.dice.choice(node["enum"])
        kind = node.get("type")
        kind = self.dice.choice(cast("list[str]", kind)) if isinstance(kind, list) else kind
        kind = kind or ("object" if "properties" in node else "array" if "prefixItems" in node else "")
        draw = getattr(self, f"_{kind}", None) if kind else self._anything
        assert draw is not None, node
        return draw(node, depth)

    def _at(self, reference: str) -> dict[str, Any]:
        node: Any = self.document
        for step in reference.split("/")[1:]:
            node = node[step]
        return cast("dict[str, Any]", node)

    def _object(self, node: dict[str, Any], depth: int) -> Any:
        made: dict[str, Any] = {}
        for key, part in node.get("properties", {}).items():
            if key in node.get("required", ()) or self.dice.random() < 0.6:
                made[key] = self._of(part, depth + 1)
        further = node.get("additionalProperties")
        if "properties" not in node:
            part = cast("dict[str, Any]", further) if isinstance(further, dict) else {}
            for _ in range(self.dice.randint(1, 3)):
                made[self.dice.choice(("alpha", "beta", "gamma", "Delta", "x-1", "two words"))] = self._of(
                    part, depth + 1
                )
        return made

    def _array(self, node: dict[str, Any], depth: int) -> Any:
        items = [self._of(part, depth + 1) for part in node.get("prefixItems", ())]
        if "prefixItems" not in node or isinstance(node.get("items"), dict):
            low, high = node.get("minItems", 0), node.get("maxItems", 3 if depth < 3 else 1)
            count = max(low, self.dice.randint(1 if depth == 0 else 0, high))
            items += [self._of(node.get("items", {}), depth + 1) for _ in range(count - len(items))]
        if node.get("uniqueItems"):
            items = list(dict.fromkeys(items))
        return items

    def _string(self, node: dict[str, Any], depth: int) -> str:
        form = node.get("format", "")
        if form == "uuid":
            return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))
        if form in _FORMATS:
            return _FORMATS[form].format(self.dice.randint(1, 9), self.dice.randint(0, 9))
        return texts(self.dice, self.hard)

    def _integer(self, node: dict[str, Any], depth: int) -> int:
        return self.dice.choice((0, 1, 7, 30, 42, 1999, -3, 123456))

    def _number(self, node: dict[str, Any], depth: int) -> float:
        if "maximum" in node:
            return round(self.dice.random(), 2)
        return self.dice.choice((0.5, 1.25, 19.99, -2.75, 100.0, 3, 1e-3, 12345.678))

    def _boolean(self, node: dict[str, Any], depth: int) -> bool:
        return self.dice.random() < 0.5

    def _null(self, node: dict[str, Any], depth: int) -> None:
        return None

    def _anything(self, node: dict[str, Any], depth: int) -> Any:
        kinds = ("string", "integer", "boolean", "number", "array", "object")
        kind = self.dice.choice(kinds if 0 < depth < 3 else kinds[-2:] if depth == 0 else kinds[:4])
        return getattr(self, f"_{kind}")({}, depth)


def word(dice: random.Random) -> str:
    """A word of small letters."""
    return "".join(dice.choices(string.ascii_lowercase, k=dice.randint(3, 8)))
