"""Whether no key stands twice in an object of a JSON text, told from the value that pydantic made of it.

A text has no more keys than it has colons behind a quote or white space. The value, in turn, tells of keys that stood
there for sure, each in its own place: fields that were set, keys of maps. Where both numbers are the same, no key stands
there twice, and the text need not be read a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final, TypeAlias, cast

Node: TypeAlias = "Mapping[str, Any]"
Counter: TypeAlias = Callable[[Any], int]
"""Gives a number of keys that the text of a value had at least."""

_SET: Final = attrgetter("__pydantic_fields_set__")
_DENSE: Final = 60
"""Characters a key, up to which counting is faster than reading once more; measured with pydantic 2.12, jiter 0.12."""


class Keys:
    """Counts the keys of values of one type.

    Args:
        schema: pydantic's core schema of the type.
    """

    def __init__(self, schema: Node) -> None:
        compiler = _Compiler(schema)
        counter = compiler.counter(schema)
        self._counter = None if compiler.refers_to_itself else counter  # small objects: reading once more is faster

    def are_once(self, text: str, value: object) -> bool:
        """Whether no key of the text is repeated; False where that cannot be told so.

        Args:
            text: valid JSON.
            value: what pydantic made of it.
        """
        if "{" not in text:
            return True
        if self._counter is None:
            return False
        known = self._counter(value)
        if known * _DENSE < len(text):
            return False
        if text.count(":") == known:
            return True
        return text.count('":') + sum(text.count(f"{space}:") for space in " \t\n\r" if space in text) == known


class _Compiler:
    """Makes counters out of a core schema; None where nothing is counted, since nothing is sure."""

    def __init__(self, schema: Node) -> None:
        self._definitions: dict[str, Node] = {each["ref"]: each for each in schema.get("definitions", ())}
        self._made: dict[str, Counter | None] = {}
        self._open: set[str] = set()
        self.refers_to_itself = False

    def counter(self, node: Node) -> Counter | None:
        """The counter of the values of a part."""
        match node["type"]:
            case "definitions":
                return self.counter(node["schema"])
            case "definition-ref":
                return self._referred(node["schema_ref"])
            case "nullable":
                inner = self.counter(node["schema"])
                return None if inner is None else lambda value: 0 if value is None else inner(value)
            case "list":
                return _sum(self.counter(node.get("items_schema", {"type": "any"})))
            case "dict":
                return self._of_map(self.counter(node.get("values_schema", {"type": "any"})))
            case "union":
                return self._of_arms(node["choices"])
            case "tagged-union":
                return self._of_arms(node["choices"].values())
            case "model":
                return self._of_model(node)
            case _:
                return None

    def _referred(self, name: str) -> Counter | None:
        if name in self._open:
            self.refers_to_itself = True
            return None
        if name not in self._made:
            self._open.add(name)
            self._made[name] = self.counter(self._definitions[name])
            self._open.remove(name)
        return self._made[name]

    def _of_map(self, inner: Counter | None) -> Counter:
        return len if inner is None else lambda value: len(value) + sum(map(inner, value.values()))

    def _of_arms(self, arms: Iterable[Any]) -> Counter | None:
        """Those of a model among the arms of a union; of the others, nothing is sure."""
        made: dict[type[Any], Counter] = {}
        for each in arms:
            arm: Node = cast("Node", each[0] if isinstance(each, tuple) else each)
            inner = self.counter(arm)
            while arm["type"] == "definition-ref":
                arm = self._definitions[arm["schema_ref"]]
            if inner is not None and arm["type"] == "model":
                made[arm["cls"]] = inner

        def count(value: object) -> int:
            inner = made.get(value.__class__)
            return 0 if inner is None else inner(value)

        return count if made else None

    def _of_model(self, node: Node) -> Counter | None:
        """The fields that were set; what makes a model in code may set any."""
        fields = node["schema"]
        if fields["type"] != "model-fields" or any(node.get(way) for way in ("custom_init", "post_init", "root_model")):
            return None
        if not _are_apart(fields["fields"]):
            return None
        below = [(name, made) for name, each in fields["fields"].items() if (made := self._of_field(each)) is not None]
        if not below:
            return _flat

        def count(value: Any) -> int:
            given = _SET(value)
            known = len(given)
            for name, made in below:
                if name in given and (inner := value.__dict__[name]):
                    known += made(inner)
            return known

        return count

    def _of_field(self, field: Node) -> Counter | None:
        node = field["schema"]
        if node["type"] == "default":
            return None if node.get("on_error", "raise") != "raise" else self.counter(node["schema"])
        return self.counter(node)


def _flat(value: Any) -> int:
    return len(_SET(value))


def _sum(inner: Counter | None) -> Counter | None:
    if inner is _flat:
        return lambda value: sum(map(len, map(_SET, value)))
    return None if inner is None else lambda value: sum(map(inner, value))


def _are_apart(fields: Mapping[str, Node]) -> bool:
    """Whether no key of the text can set two fields."""
    keys: list[str] = []
    for name, field in fields.items():
        ways = _ways(field.get("validation_alias"))
        if ways is None:
            return False
        keys += {name, *ways}
    return len(set(keys)) == len(keys)


def _ways(alias: Any) -> Iterable[str] | None:
    """The keys that set a field beside its name; None where it is taken from deeper in the document."""
    if alias is None or isinstance(alias, str):
        return [alias] if alias else []
    paths = alias if alias and isinstance(alias[0], list) else [alias]
    return [path[0] for path in paths] if all(len(path) == 1 for path in paths) else None
