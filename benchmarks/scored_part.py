"""What the card and the ladder name alike: a run, and the sets that it scores."""

from __future__ import annotations

import msgspec

__all__ = ["Part"]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sets that one run scores: its folder, and where its scores lie."""

    run: str
    scores: str
    sets: tuple[str, ...]
