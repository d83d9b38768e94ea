"""Findings as a report shows them: in its language, those that matter most first."""

from __future__ import annotations

from collections.abc import Iterable

from leuko.findings import Finding
from leuko.report.document_pieces import Notice
from leuko.report.wording import Wording

__all__ = ["notices"]

SEVERITIES = ("refusal", "warning", "note")


def notices(findings: Iterable[Finding], words: Wording) -> tuple[Notice, ...]:
    """Each finding once; one that has no translation says that it is in English."""
    found = [
        Notice(
            severity=item.severity.value,
            severity_label=words(f"severity.{item.severity}"),
            code=item.code,
            what=words.translated(item.what),
            hint=words.translated(item.hint),
            language=_language(item.what, words),
        )
        for item in dict.fromkeys(findings)
    ]
    return tuple(sorted(found, key=lambda notice: SEVERITIES.index(notice.severity)))


def _language(text: str, words: Wording) -> str:
    """Whether a text stays in English on a page of another language: 'en', else nothing."""
    said = words("language")
    return "" if said == "en" or words.translated(text) != text else "en"
