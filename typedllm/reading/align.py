"""From what the model wrote to the declared shape: conversions with one meaning, each marked by `fix(...)`.

Nothing is validated here: what does not fit stays as it was written, for the validator to say so. What only a lossy
fix would mend stays too, unless the policy permits that kind, and becomes the proposal of the issue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from typedllm.reading import words
from typedllm.reading.fits import fits
from typedllm.reading.fixes import Entry, Note
from typedllm.reading.leaves import Data, as_written, meaning
from typedllm.reading.listed import parts
from typedllm.reading.marks import NO_LIMIT, UNFIT, as_json, is_styled
from typedllm.reading.nodes import Node, Whole, place
from typedllm.reading.objects import ObjectAligner
from typedllm.reading.plain import parse
from typedllm.reading.reader import JsonReader
from typedllm.reading.shape import Kind, Shape
from typedllm.reading.target import ANYTHING
from typedllm.reading.unions import moved
from typedllm.records import MISSING, Span

_STILL_TEXT: Final = ("", "time_form", "space_around")
_CONTAINERS: Final[frozenset[Kind]] = frozenset({"object", "array"})
_FENCED: Final = re.compile(r"(?P<mark>`{3,})[\w+-]*[ \t]*\n(?P<inside>.*?)\n[ \t]*(?P=mark)", re.DOTALL)
_SEPARATED: Final = re.compile(r"\S\s*(?:[,;|\n、，；]|\sand\s)\s*\S")
_CODE: Final = re.compile(r"[\w.]+\(.*\)|[^\W\d]\w*(?:\.[^\W\d]\w*)+", re.DOTALL)


_NOTHING: Final = words.NULL_WORDS | {"null"}
_ALIKE: Final = 100  # items that tell what the others are


class Aligner(ObjectAligner):
    """Aligns one tree; see `Marks` for its arguments and what it finds."""

    def anew(
        self,
        *,
        spans: dict[str, Span] | None = None,
        closed_only: bool = False,
        closely: bool = False,
        without: Iterable[Node] = (),
        wanted: frozenset[str] | None = None,
    ) -> Aligner:
        """One that aligns the same tree once more, and leaves out these items as well."""
        other = Aligner(self.policy, spans, self.bounds, closed_only, closely, wanted)
        other._encoded = self._encoded
        other._left_out = self._left_out.union(map(id, without))
        return other

    def align(self, node: Node, shape: Shape, path: str = "") -> Data:
        """The data of a node, as near to its shape as one meaning allows; `MISSING` for a hole."""
        if self.gave_up or self._is_full:
            return MISSING
        if self._limit is not NO_LIMIT:
            self._race()
        if self._wanted is not None and self.spans is not None and path not in self._wanted:
            return None
        if type(node) is Whole and self._stands(node, shape):
            self.entries.extend(Entry(path, note, shape.allow) for note in node.remarks)
            self.passed_over |= node.mended
            return node.data
        if node.notes:
            self.entries.extend([Entry(path, note, shape.allow) for note in node.notes])
            if self.closed_only and any(note.kind in ("open_string", "open_scalar") for note in node.notes):
                return MISSING
        if self.spans is not None:
            self.spans[path] = Span(node.start, node.end)
        if len(path) > self.bounds.pointer and node.kind in ("object", "array"):
            self.fault("too_long", node.start, node.end, path)
            return MISSING
        if shape is ANYTHING and self.spans is None and node.kind in ("object", "array") and not self._drops:
            return self._free(node, path)
        if shape.arms:
            return self._union(node, shape, path)
        if node.kind == "object":
            return self._object(node, shape, path)
        if node.kind == "array":
            return self._array(node, shape, path)
        if node.kind == "hole":
            return MISSING
        return self._scalar(node, shape, path)

    def _free(self, node: Node, path: str) -> Data:
        """A container where nothing is declared: the same in each trial of what stands around it, so it is done once."""
        found = self._as_it_is.get(id(node))
        if found is None:
            since = len(self.entries)
            align = self._object if node.kind == "object" else self._array
            found = self._as_it_is[id(node)] = align(node, ANYTHING, path), self.entries[since:], path
        elif found[2] == path:
            self.entries.extend(found[1])
        else:
            self.entries.extend(moved(found[1], found[2], path))
        return found[0]

    def _stands(self, node: Whole, shape: Shape) -> bool:
        """Whether what was read at once stands as it is."""
        permitted = not node.mended or "syntax" in self.policy.tiers
        known = node.shape is shape
        return node.intact and permitted and not self.closely and (known or fits(node.data, shape))

    # ---- arrays ----

    def _array(self, node: Node, shape: Shape, path: str) -> Data:
        if "array" not in shape.kinds:
            return self._encoded_here(node, shape, path) or self._one_of(node, shape, path)
        if self._is_nested(node, shape, path) and self.fix("nested_list", node, shape, path, "[...]"):
            return self.align(node.items[0], shape, path)
        if self._may_be_one(node, shape, path):
            self._unfit(node, path)
            return self._plain(node, path)
        if not shape.prefix and self.permits("drop_item", shape):
            data = list(self._kept(node, shape, path))
        else:
            data = [self.align(item, shape.item(index), f"{path}/{index}") for index, item in enumerate(node.items)]
        return [item for item in data if item is not MISSING] if MISSING in data else data

    def _encoded_here(self, node: Node, shape: Shape, path: str) -> str | None:
        """JSON itself where a text that holds JSON is declared."""
        if "string" not in shape.kinds or shape.node.get("contentMediaType") != "application/json":
            return None
        data = self._plain(node, path)
        if data is MISSING:
            return None
        text = as_json(data)
        return text if self.fix("json_form", node, shape, path, text) else None

    def _is_nested(self, node: Node, shape: Shape, path: str) -> bool:
        """Whether the only item is the list that is declared here."""
        inner = node.items[0] if len(node.items) == 1 else None
        if inner is None or inner.kind != "array" or "array" in shape.item(0).kinds:
            return False
        return self._fits(inner, shape, path)

    def _may_be_one(self, node: Node, shape: Shape, path: str) -> bool:
        """Whether a list stands where a list of lists is declared: each of its items may be a list, or all are one."""
        if len(node.items) < 2 or shape.prefix or "array" not in shape.items.kinds:
            return False
        if any(item.kind == "array" for item in node.items):
            return False
        return all(
            any(entry.note.kind == "single_item" and entry.path == path for entry in trial.entries)
            for trial in (self._try(item, shape.items, path) for item in islice(node.items, _ALIKE))
        )

    def _one_of(self, node: Node, shape: Shape, path: str) -> Data:
        """A list where one is declared."""
        first = node.items[0] if node.items else None
        any_object = shape.is_map and "object" in shape.kinds  # would do: a list of records has another form
        free = first is not None and first.kind == "bare" and shape.is_text  # its brackets may be a part of it
        kind = "single_item" if len(node.items) == 1 and not any_object and not free else "first_item"
        if first is None or any(note.fault for note in first.remarks) or not self._fits(first, shape, path):
            return self._other_container(node, shape, path)
        value = self._try(first, shape, path).data
        if value is MISSING:
            return value  # the end of the text has cut it
        self._lone.update({id(first)} if id(node) in self._lone else ())
        return (
            self._as_tried(first, shape, path)
            if self.fix(kind, node, shape, path, as_json(value))
            else self._plain(node, path)
        )

    def _kept(self, node: Node, shape: Shape, path: str) -> Iterator[Data]:
        """The items that are not left out, each at its place among these."""
        count, faults = 0, self._faults
        for index, item in enumerate(node.items):
            if id(item) in self._left_out:
                note = Note("drop_item", item.start, item.end)
                self.entries.append(Entry(f"{path}/{index}", note, shape.allow))
                continue
            self.items[f"{path}/{count}"] = item
            yield self.align(item, shape.items, f"{path}/{count}")
            count += 1
            self._faults = faults  # an item that does not fit may be left out

    def _other_container(self, node: Node, shape: Shape, path: str) -> Data:
        if node.kind == "object" and "array" in shape.kinds and self._fits(node, shape.items, path):
            return self._wrapped(node, shape, path)
        if path and node.kind == "object" and (found := self._enveloped(node, shape, path)) is not None:
            return self.align(found, shape, path)
        self._unfit(node, path)
        return self._plain(node, path)

    def _wrapped(self, node: Node, shape: Shape, path: str) -> Data:
        """One item where a list of it is declared."""
        is_text = node.kind in ("string", "bare") and not shape.items.format  # a date has commas of its own
        if is_text and shape.items.takes_texts and (split := self._split_by_name(node, shape, path)) is not None:
            return self._as_tried(split, shape, path)
        may_be_other = is_text and (_SEPARATED.search(node.text) or words.trimmed(node.text).casefold() in _NOTHING)
        if node.kind == "bare" and _CODE.fullmatch(node.text):
            may_be_other = True  # it may stand for a list
        if not self.fix("likely_item" if may_be_other else "single_item", node, shape, path, "[...]"):
            return self._plain(node, path)
        return [self._bare(node, shape.items, f"{path}/0")]

    def _plain(self, node: Node, path: str) -> Data:
        """The data as it was written."""
        return self._bare(node, ANYTHING, path)

    # ---- scalars ----

    def _scalar(self, node: Node, shape: Shape, path: str) -> Data:
        meant = meaning(node, shape, self.bounds.digits, self._spelling)
        if meant is None and shape.literals is None:
            return self._contained(node, shape, path)
        if meant is None:
            value = as_written(node)
            equal = shape.literals is not None and not isinstance(value, str) and value in shape.literals
            self.fault("unlisted" if equal else UNFIT, node.start, node.end, path)  # to Python, true is 1
            return value
        data, kind, after = meant
        if kind == "number_to_string" and (id(node) in self._styled or is_styled(node.remarks)):
            self._unfit(node, path)  # as a text, it is what was written
            return as_written(node)
        if node.kind == "bare" and kind in _STILL_TEXT:
            self.entries.append(Entry(path, Note("unquoted_string", node.start, node.end, as_json(node.text))))
        if kind and not self.fix(kind, node, shape, path, after or as_json(data)):
            return as_written(node)
        if shape.longest is not None and isinstance(data, str) and len(data) > shape.longest:
            cut = words.cut(data, shape.longest)
            note = Note("cut_string", node.start, node.end, as_json(cut))
            return cut if self.could(note, shape, path) else data
        return data

    def _contained(self, node: Node, shape: Shape, path: str) -> Data:
        """A scalar where a container is declared: JSON in a string, or one item of a list."""
        inner = self._decoded(node, shape) if node.kind in ("string", "bare") else None
        if inner is not None and self._fits(inner, shape, path) and self.fix("encoded", node, shape, path, "{...}"):
            return self._as_tried(inner, shape, path)
        value = as_written(node)
        is_something = value is not None and (not isinstance(value, str) or value.strip() != "")
        if "array" in shape.kinds and is_something and not shape.prefix and self._fits(node, shape.items, path):
            return self._wrapped(node, shape, path)
        split = self._split(node, shape, path) if "array" in shape.kinds and isinstance(value, str) else None
        if split is not None and self.fix("split_text", node, shape, path, "[...]"):
            return self._as_tried(split, shape, path)
        self._unfit(node, path)
        return value

    def _split(self, node: Node, shape: Shape, path: str) -> Node | None:
        """The list that one text stands for, where each of its parts is an item and the whole is none."""
        items = shape.items
        if shape.prefix or items.takes_texts or items.open or items.kinds <= _CONTAINERS:
            return None
        if any(meaning(node, arm, self.bounds.digits, self._spelling) for arm in items.arms or (items,)):
            return None
        return self._in_parts(node, shape, path)

    def _split_by_name(self, node: Node, shape: Shape, path: str) -> Node | None:
        """The texts that one text lists, where the caller asks for that by its name."""
        asked = "split_text" in self.policy.allow or "split_text" in shape.allow
        split = self._in_parts(node, shape, path) if asked else None
        return split if split is not None and self.fix("split_text", node, shape, path, "[...]") else None

    def _in_parts(self, node: Node, shape: Shape, path: str) -> Node | None:
        """The list of the parts of a text, where all ways to take it apart that fit say one thing."""
        place = node.start, node.end
        made = [Node("array", [Node("string", part, *place) for part in found], *place) for found in parts(node.text)]
        self._made += made
        fitting = [each for each in made if self._fits(each, shape, path)]
        several = any(self._try(each, shape, path).data != self._try(fitting[0], shape, path).data for each in fitting)
        return fitting[0] if fitting and not several else None

    def _object_in(self, node: Node) -> Node | None:
        """The object that a string holds as valid JSON."""
        if node.kind not in ("string", "bare"):
            return None
        inner = self._decoded(node, ANYTHING) if self._is_valid(node) else None
        return inner if inner is not None and inner.kind == "object" else None

    def _is_valid(self, node: Node) -> bool:
        if id(node) not in self._valid:
            self._valid[id(node)] = _is_json(node.text)
        return self._valid[id(node)]

    def _decoded(self, node: Node, shape: Shape) -> Node | None:
        """The JSON that a string holds, all of it."""
        if shape.kinds.isdisjoint(_CONTAINERS):
            return None
        key = (id(node), ANYTHING if self._is_valid(node) else shape)  # of valid JSON every shape makes the same
        if key in self._encoded:
            return self._encoded[key]
        found, text = None, _unfenced(node.text.strip())
        if text[:1] in ("{", "["):
            reader = JsonReader(key[1], 0, self.bounds)
            reader.feed(text)
            reader.close()
            if reader.root and not reader.rest.strip() and not reader.was_cut:
                found = reader.root
                place(found, node.start, node.end)
        self._encoded[key] = found
        return found


def _is_json(text: str) -> bool:
    """Whether a text is valid JSON as it stands."""
    text = _unfenced(text.strip())
    if text[:1] not in ("{", "["):
        return False
    try:
        parse(text.encode())
    except (ValueError, UnicodeError):
        return False
    return True


def _unfenced(text: str) -> str:
    """A text without the fence that is all around it."""
    found = _FENCED.fullmatch(text) if text.startswith("`") else None
    return found["inside"].strip() if found else text
