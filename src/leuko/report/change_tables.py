"""The tables and the timeline of a report of change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from leuko.change.classes import ChangeClass
from leuko.change.lesions import ChangedLesion
from leuko.quantify.lesions import SizeClass, size_class
from leuko.report.change_charts import timeline_chart
from leuko.report.change_colours import colour_name
from leuko.report.change_document import ChangeRow, ClassRow, Sheetful
from leuko.report.change_values import ChangeValues, VisitValues, of_colour
from leuko.report.drawing import Drawing
from leuko.report.wording import Wording

__all__ = ["class_row", "lesion_row", "sizes_table", "timeline", "visits_table"]


def class_row(name: str, values: ChangeValues, words: Wording) -> ClassRow:
    """A class of change: its lesions, and their volumes at both visits."""
    found = of_colour(values, name)
    before = sum(one.baseline_mm3 for one in found) / 1000
    after = sum(one.followup_mm3 for one in found) / 1000
    return ClassRow(
        name,
        words(f"class.{name}"),
        words(f"class.{name}.means"),
        words.numerals.count(len(found)),
        words.numerals.millilitres(before),
        words.numerals.millilitres(after),
        words.numerals.signed(after - before),
    )


def sizes_table(values: ChangeValues, words: Wording) -> Sheetful:
    """Lesions and volumes by size at both visits: of the same lesions as everywhere on the page."""
    numerals = words.numerals
    seen = [one for one in values.lesions if one.kind is not ChangeClass.NOT_SEEN]
    before = [one.baseline_mm3 for one in seen if one.baseline_mm3]
    after = [one.followup_mm3 for one in seen if one.followup_mm3]
    rows = []
    for name in (*SizeClass, "all"):
        held = [[v for v in visit if name in ("all", size_class(v))] for visit in (before, after)]
        rows.append(
            (
                words(f"size.{name}"),
                *(numerals.count(len(found)) for found in held),
                *(numerals.millilitres(math.fsum(found) / 1000) for found in held),
            )
        )
    head = ("class", "before", "after", "ml.before", "ml.after")
    first, last = values.visits[0].burden, values.visits[-1].burden
    note = words(
        "sizes.note",
        before=numerals.millilitres(first.volume_ml),
        before_count=numerals.count(first.lesion_count),
        after=numerals.millilitres(last.volume_ml),
        after_count=numerals.count(last.lesion_count),
    )
    title = words("sizes.title")
    return Sheetful(title, tuple(words(f"sizes.{name}") for name in head), tuple(rows), note=note)


def visits_table(values: ChangeValues, names: Sequence[str], words: Wording) -> Iterator[Sheetful]:
    """The table of a timeline."""
    if len(values.visits) < 3:
        return
    head = ("visit", "volume", "lesions", "new", "growth", "regression", "change")
    rows = []
    for number, (visit, name) in enumerate(zip(values.visits, names, strict=True)):
        row = (
            name,
            words.numerals.millilitres(visit.burden.volume_ml),
            words.numerals.count(visit.burden.lesion_count),
        )
        if number == 0:
            rows.append((*row, "", "", "", ""))
            continue
        step = values.steps[number - 1]
        rows.append(
            (
                *row,
                words.numerals.count(step.new),
                words.numerals.millilitres(step.growth_ml),
                words.numerals.millilitres(step.regression_ml),
                words.numerals.signed(step.since_baseline_ml),
            )
        )
    yield Sheetful(
        words("visits.title"),
        tuple(words(f"visits.{name}") for name in head),
        tuple(rows),
        note=words("visits.note"),
    )


def timeline(values: ChangeValues, names: Sequence[str], words: Wording) -> Drawing:
    """The volume over time: as each visit's own mask has it, and as followed from the first."""
    start = values.visits[0].burden.volume_ml
    followed = [start, *(start + step.since_baseline_ml for step in values.steps)]
    days = [visit.day for visit in values.visits]
    known = [day for day in days if day is not None]
    places = [
        float((day - known[0]).days) if day is not None and len(known) == len(days) else float(at)
        for at, day in enumerate(days)
    ]
    return timeline_chart(
        places,
        own=[visit.burden.volume_ml for visit in values.visits],
        followed=followed,
        names=names,
        label=words("timeline.axis"),
    )


def lesion_row(lesion: ChangedLesion, first: VisitValues, words: Wording) -> ChangeRow:
    """A lesion as a row of texts."""
    centre = words("number.between").join(
        words.numerals.millimetres(value) for value in lesion.centre_mm
    )
    return ChangeRow(
        number=str(lesion.number),
        name=colour_name(lesion.kind),
        label=words(f"class.{lesion.kind}"),
        baseline=words.numerals.volume(lesion.baseline_mm3),
        followup=words.numerals.volume(lesion.followup_mm3),
        change=words.numerals.signed(lesion.change_mm3, 0),
        limit=words.numerals.fixed(lesion.limit_mm3, 0),
        side=words(f"side.{lesion.side}"),
        region=words.known(f"region.{lesion.region}", lesion.region),
        centre=centre if first.image.grid.oriented else words("unknown"),
    )
