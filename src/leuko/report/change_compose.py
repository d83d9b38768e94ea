"""From a comparison of visits to a `ChangeDocument`."""

from __future__ import annotations

from datetime import date

from leuko.change.classes import ChangeClass
from leuko.findings import Severity
from leuko.image.image import Image
from leuko.report.change_colours import COLOURS
from leuko.report.change_document import ChangeDocument
from leuko.report.change_methods import meanings, methods, provenance, references
from leuko.report.change_pictures import change_pictures
from leuko.report.change_summary import headline, summary
from leuko.report.change_tables import (
    class_row,
    lesion_row,
    sizes_table,
    timeline,
    visits_table,
)
from leuko.report.change_values import ChangeValues, VisitValues, changed, stable
from leuko.report.notices import notices
from leuko.report.provenance import time_of
from leuko.report.wording import Wording, change_words

__all__ = ["change_document"]

MOST_CHANGED, MOST_STABLE = 60, 200  # rows: the file has every one


def change_document(values: ChangeValues, *, language: str = "en") -> ChangeDocument:
    """Everything the report says about two or more visits, decided and rounded.

    Equal arguments give an equal document.
    """
    words = change_words(language)
    first, last = values.visits[0], values.visits[-1]
    several = len(values.visits) > 2
    plain = [_visit_name(values, number, words) for number in range(len(values.visits))]
    names = [
        words("visit.dated", name=name, day=_day(visit.day)) if visit.day else name
        for name, visit in zip(plain, values.visits, strict=True)
    ]
    return ChangeDocument(
        language=words("language"),
        title=words("title"),
        subject=_subject(first, last, words),
        created=time_of(values.provenance.get("time", "")),
        version=str(values.provenance.get("version", "")),
        summary=tuple(summary(values, words)),
        care=tuple(
            words.translated(f.what) for f in values.findings if f.severity is not Severity.NOTE
        ),
        headline=tuple(headline(values, words)),
        pictures=change_pictures(
            values.comparison,
            images=(_flat(first.image), _flat(last.image)),
            names=(names[0], names[-1]),
            lesions=values.lesions,
            words=words,
        ),
        classes=tuple(class_row(name, values, words) for name in COLOURS),
        classes_note=words(
            "classes.note",
            merged=_count(values, ChangeClass.MERGED),
            split=_count(values, ChangeClass.SPLIT),
        ),
        tables=(sizes_table(values, words), *visits_table(values, names, words)),
        timeline=timeline(values, names, words) if several else None,
        timeline_note=words("timeline.note"),
        changed=tuple(lesion_row(one, first, words) for one in changed(values)[:MOST_CHANGED]),
        stable=tuple(lesion_row(one, first, words) for one in stable(values)[:MOST_STABLE]),
        lesions_note=_lesions_note(values, words),
        notices=notices(values.findings, words),
        definitions=tuple(meanings(values, words)),
        methods=tuple(methods(values, words)),
        references=tuple(references(words)),
        provenance=tuple(provenance(values, names=plain, words=words)),
        research_use=words("research_use"),
    )


def _flat(image: Image) -> Image:
    return image.volume(0) if image.volumes > 1 else image


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _visit_name(values: ChangeValues, number: int, words: Wording) -> str:
    last = len(values.visits) - 1
    if number in (0, last):
        return words("visit.baseline" if number == 0 else "visit.followup")
    return words("visit.between", number=number + 1)


def _subject(first: VisitValues, last: VisitValues, words: Wording) -> str:
    if first.day is None or last.day is None:
        return words("subject", first=first.name, last=last.name)
    return words(
        "subject.dates",
        first=first.name,
        last=last.name,
        first_day=_day(first.day),
        last_day=_day(last.day),
    )


def _count(values: ChangeValues, kind: ChangeClass) -> int:
    return sum(one.kind is kind for one in values.lesions)


def _lesions_note(values: ChangeValues, words: Wording) -> str:
    parts = [] if changed(values) else [words("table.none")]
    if values.lesions:
        parts += [words("table.limit.note"), words("table.labels"), words("table.file")]
    return " ".join(parts)
