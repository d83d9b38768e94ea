"""The tables and the timeline of a report of change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leuko.change.lesions import ChangedLesion
from leuko.quantify.burden import Burden
from leuko.report import rounding
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
        rounding.count(len(found)),
        rounding.millilitres(before),
        rounding.millilitres(after),
        rounding.signed(after - before),
    )


def sizes_table(before: Burden, after: Burden, words: Wording) -> Sheetful:
    """Lesions and volumes by size, at the first visit and at the last."""
    rows = []
    for name in ("small", "medium", "large"):
        then, now = getattr(before, name), getattr(after, name)
        rows.append(
            (
                words(f"size.{name}"),
                rounding.count(then.count),
                rounding.count(now.count),
                rounding.millilitres(then.volume_ml),
                rounding.millilitres(now.volume_ml),
            )
        )
    rows.append(
        (
            words("size.all"),
            rounding.count(before.lesion_count),
            rounding.count(after.lesion_count),
            rounding.millilitres(before.volume_ml),
            rounding.millilitres(after.volume_ml),
        )
    )
    head = ("class", "before", "after", "ml.before", "ml.after")
    return Sheetful(
        words("sizes.title"),
        tuple(words(f"sizes.{name}") for name in head),
        tuple(rows),
        note=words("sizes.note"),
    )


def visits_table(values: ChangeValues, names: Sequence[str], words: Wording) -> Iterator[Sheetful]:
    """The table of a timeline."""
    if len(values.visits) < 3:
        return
    head = ("visit", "volume", "lesions", "new", "growth", "regression", "change")
    rows = []
    for number, (visit, name) in enumerate(zip(values.visits, names, strict=True)):
        row = (
            name,
            rounding.millilitres(visit.burden.volume_ml),
            rounding.count(visit.burden.lesion_count),
        )
        if number == 0:
            rows.append((*row, "", "", "", ""))
            continue
        step = values.steps[number - 1]
        rows.append(
            (
                *row,
                rounding.count(step.new),
                rounding.millilitres(step.growth_ml),
                rounding.millilitres(step.regression_ml),
                rounding.signed(step.since_baseline_ml),
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

    def known(value: str) -> str:
        return words("unknown") if value == "unknown" else value

    centre = ", ".join(rounding.millimetres(value) for value in lesion.centre_mm)
    return ChangeRow(
        number=str(lesion.number),
        name=colour_name(lesion.kind),
        label=words(f"class.{lesion.kind}"),
        baseline=rounding.volume(lesion.baseline_mm3),
        followup=rounding.volume(lesion.followup_mm3),
        change=rounding.signed(lesion.change_mm3, 0),
        limit=f"{lesion.limit_mm3:,.0f}",
        side=known(lesion.side),
        region=known(lesion.region),
        centre=centre if first.image.grid.oriented else words("unknown"),
    )
