from __future__ import annotations

import pytest

from schemas import ROOTS, path_of
from schemas.__main__ import document


@pytest.mark.parametrize("domain", sorted(ROOTS))
def test_document_is_in_step(domain: str) -> None:
    assert path_of(domain).read_text("utf-8") == document(ROOTS[domain]), "write it anew with: python -m schemas"
