"""Which fixes are applied, and which are proposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Tier: TypeAlias = Literal["packaging", "syntax", "schema", "guess", "loss"]

LOSSLESS_TIERS: Final[frozenset[Tier]] = frozenset({"packaging", "syntax", "schema"})


@dataclass(frozen=True, slots=True)
class Policy:
    """Which fixes are applied; the others become issues that carry the fix as their proposal.

    Attributes:
        tiers: the tiers that are applied whole.
        allow: lossy kinds that are applied as well, by name.
    """

    tiers: frozenset[Tier]
    allow: frozenset[str] = frozenset()

    def permits(self, kind: str, tier: Tier) -> bool:
        """Whether a fix of this kind may be applied."""
        return tier in self.tiers or kind in self.allow

    @classmethod
    def of(cls, policy: Policy | Literal["strict", "safe", "lenient"] = "safe", allow: Iterable[str] = ()) -> Policy:
        """The policy of that name (or the given one), with further lossy kinds allowed.

        Args:
            policy: `strict` applies packaging fixes only, `safe` the lossless tiers, `lenient` guesses too.
            allow: names of lossy kinds to apply on top.

        Raises:
            ValueError: there is no policy of that name.
        """
        if not allow and isinstance(policy, str) and policy in _PLAIN:
            return _PLAIN[policy]
        if isinstance(policy, Policy):
            return cls(policy.tiers, policy.allow | frozenset(allow))
        if policy not in _POLICIES:
            raise ValueError(f'unknown policy: {policy!r} (use "strict", "safe" or "lenient")')
        return cls(_POLICIES[policy], frozenset(allow))


_POLICIES: Final[Mapping[str, frozenset[Tier]]] = {
    "strict": frozenset({"packaging"}),
    "safe": LOSSLESS_TIERS,
    "lenient": frozenset({*LOSSLESS_TIERS, "guess"}),
}
_PLAIN: Final[Mapping[str, Policy]] = {name: Policy(tiers) for name, tiers in _POLICIES.items()}
