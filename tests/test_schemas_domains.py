from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from schemas import ROOTS, path_of
from schemas.__main__ import document
from tests import compiler
from tests.generated import broken
from tests.test_schema_laws import loose
from typedllm.schema.build import build
from typedllm.schema.typescript import render


@pytest.mark.parametrize("domain", sorted(ROOTS))
def test_document_is_in_step(domain: str) -> None:
    assert path_of(domain).read_text("utf-8") == document(ROOTS[domain]), "write it anew with: python -m schemas"


# One reply for each domain, and one that only its rules refuse.
REPLIES = {
    "calendar": (
        '{"actions": [{"type": "add event", "event": {"day": "Friday", "time": {"start": "09:30"}, "description": "x"}}]}',
        '{"actions": [{"type": "add participants", "participants": []}]}',
    ),
    "coffee": (
        ('{"items": [{"type": "line item", "product": {"type": "latte", "name": "mocha", "options": '
        '[{"type": "syrup", "name": "vanilla", "amount": 2}]}}, {"type": "unknown", "text": "a cloud"}]}'),
        '{"items": [{"type": "line item", "product": {"type": "latte", "name": "mocha"}, "quantity": 0}]}',
    ),
    "contacts": (
        '{"contacts": [{"name": "Ada", "role": null, "organisation": "AE", "emails": ["a@b.org"], "address": null}]}',
        '{"contacts": [{"name": "Ada", "role": null, "organisation": null, "emails": ["a b"], "address": null}]}',
    ),
    "drawing": (
        '{"shapes": [{"type": "group", "shapes": [{"type": "arrow", "start": [0, 0], "end": [1, 2]}]}]}',
        '{"shapes": [{"type": "box", "x": 0, "y": 0, "width": 0, "height": 1}]}',
    ),
    "health": (
        ('{"entries": [{"type": "medication", "name": "x", "dose": {"value": 5, "unit": "mg"}, "frequency": null, '
        '"start": {"text": "2019", "year": 2019}, "end": null}]}'),
        ('{"entries": [{"type": "medication", "name": "x", "dose": {"value": 0, "unit": "mg"}, "frequency": null, '
        '"start": null, "end": null}]}'),
    ),
    "invoice": (
        ('{"number": "1", "date": "2026-11-24", "due": null, "seller": {"name": "a", "tax_id": null}, '
        '"buyer": {"name": "b", "tax_id": "c"}, "currency": "EUR", "tax": "0.19", "total": "1.19", '
        '"lines": [{"description": "d", "unit_price": "0.50", "quantity": 2, "amount": "1.00"}]}'),
        ('{"number": "1", "date": "2026-11-24", "due": null, "seller": {"name": "a", "tax_id": null}, '
        '"buyer": {"name": "b", "tax_id": "c"}, "currency": "EUR", "tax": "0.19", "total": "1.20", '
        '"lines": [{"description": "d", "unit_price": "0.50", "quantity": 2, "amount": "1.00"}]}'),
    ),
    "music": (
        '{"commands": [{"type": "play", "tracks": {"artist": "Nina Simone"}, "shuffle": true}]}',
        '{"commands": [{"type": "volume", "to": 200}]}',
    ),
    "restaurant": (
        '{"items": [{"type": "pizza", "name": "Veggie", "removed": ["onions"], "quantity": 2}]}',
        '{"items": [{"type": "beer", "kind": "ale", "quantity": 0}]}',
    ),
    "sentiment": ('{"sentiment": "neutral"}', None),
}  # fmt: skip


@pytest.mark.parametrize("domain", sorted(ROOTS))
def test_replies(domain: str) -> None:
    good, unruly = REPLIES[domain]
    value = ROOTS[domain].model_validate_json(good)
    assert ROOTS[domain].model_validate_json(value.model_dump_json()) == value
    if unruly:
        with pytest.raises(ValidationError):
            ROOTS[domain].model_validate_json(unruly)


@pytest.mark.slow
@compiler.needed
def test_replies_have_the_type_that_is_shown() -> None:
    files: dict[str, str] = {}
    for domain, root in ROOTS.items():
        built, accepted = build(root), [text for text in REPLIES[domain] if text]
        refused = [json.dumps(other) for other in broken(json.loads(accepted[0]))]
        refused = [other for other in refused if not _accepts(root, other)]
        files[domain] = compiler.module(render(built.document, built.name), built.name, accepted, refused)
    assert not compiler.faults(files)


def _accepts(root: type[BaseModel], text: str) -> bool:
    """Whether a text fits the loose form of a schema: what TypeScript can state of it."""
    return Draft202012Validator(loose(build(root).document)).is_valid(json.loads(text))
