"""One thing that is unusual about one case."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.findings import Severity

__all__ = ["Outlier"]


@dataclass(frozen=True, slots=True)
class Outlier:
    """The case, a stable code, how much it matters, a sentence; `score` is a robust z or 0."""

    case: str
    code: str
    severity: Severity
    what: str
    score: float = 0.0
