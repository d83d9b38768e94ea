"""Pieces that documents and pages of every kind are made of: numbers, findings, pictures."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Measure", "Notice", "Picture"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number with its unit and its definition; `value` may be 'not measured' (unit empty)."""

    name: str
    label: str
    value: str
    unit: str = ""
    note: str = ""
    explained: str = ""  # how it is defined, shown under the pointer


@dataclass(frozen=True, slots=True)
class Notice:
    """A finding: its severity ('note', 'warning', 'refusal'), what was seen, and what to do."""

    severity: str
    severity_label: str
    code: str
    what: str
    hint: str
    language: str = ""  # of the texts, where it is not the document's


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture (JPEG) in radiological convention, with its size in pixels."""

    name: str
    caption: str
    alt: str
    data: bytes
    width: int
    height: int
    mime: str = "image/jpeg"
