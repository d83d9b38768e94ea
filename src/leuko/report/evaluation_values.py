"""What a page of scores says, decided and rounded."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.report.document_pieces import Measure
from leuko.report.sections import Section

__all__ = ["ScorePage"]


@dataclass(frozen=True, slots=True)
class ScorePage:
    """The whole page of `leuko evaluate` or `leuko compare`."""

    title: str
    subject: str
    created: str
    version: str
    lead: str
    more: str
    care: tuple[str, ...]
    headline: tuple[Measure, ...]
    sections: tuple[Section, ...]
    research_use: str
