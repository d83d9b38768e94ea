"""From a comparison of visits to a `ChangeDocument`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from leuko.change.classes import ChangeClass
from leuko.change.lesions import ChangedLesion
from leuko.findings import Severity
from leuko.image.image import Image
from leuko.quantify.burden import Burden
from leuko.report import rounding
from leuko.report.change_charts import timeline_chart
from leuko.report.change_colours import COLOURS, colour_name
from leuko.report.change_document import ChangeDocument, ChangeRow, ClassRow, Sheetful
from leuko.report.change_pictures import change_pictures
from leuko.report.change_values import ChangeValues, VisitValues
from leuko.report.document import Entry, Measure, Method, Notice, Reference
from leuko.report.drawing import Drawing
from leuko.report.provenance import time_of
from leuko.report.sections import Definition
from leuko.report.wording import Wording, change_words

__all__ = ["change_document"]

MOST_CHANGED, MOST_STABLE = 60, 200  # rows: the file has every one
SEVERITIES = ("refusal", "warning", "note")


def change_document(
    values: ChangeValues, *, definitions: Sequence[tuple[str, str]] = ()
) -> ChangeDocument:
    """Everything the report says about two or more visits, decided and rounded.

    `definitions` are (name, text) of the numbers of stats.json. Equal arguments give an equal
    document.
    """
    words = change_words()
    first, last = values.visits[0], values.visits[-1]
    several = len(values.visits) > 2
    names = [_visit_name(values, number, words) for number in range(len(values.visits))]
    return ChangeDocument(
        language="en",
        title=words("title"),
        subject=_subject(first, last, words),
        created=time_of(values.provenance.get("time", "")),
        version=values.provenance.get("version", ""),
        summary=tuple(_summary(values, words)),
        care=tuple(f.what for f in values.findings if f.severity is not Severity.NOTE),
        headline=tuple(_headline(values, words)),
        pictures=change_pictures(
            values.comparison,
            images=(_flat(first.image), _flat(last.image)),
            names=(names[0], names[-1]),
            lesions=values.lesions,
            words=words,
        ),
        classes=tuple(_class_row(name, values, words) for name in COLOURS),
        classes_note=words(
            "classes.note",
            merged=_count(values, ChangeClass.MERGED),
            split=_count(values, ChangeClass.SPLIT),
        ),
        tables=(_sizes(first.burden, last.burden, words), *_visits(values, names, words)),
        timeline=_timeline(values, names, words) if several else None,
        timeline_note=words("timeline.note"),
        changed=tuple(_row(one, first, words) for one in _changed(values)[:MOST_CHANGED]),
        stable=tuple(_row(one, first, words) for one in _stable(values)[:MOST_STABLE]),
        lesions_note=_lesions_note(values, words),
        notices=_notices(values, words),
        definitions=tuple(Definition(name, text) for name, text in definitions),
        methods=tuple(_methods(values, words)),
        references=tuple(
            Reference(number, words(f"reference.{name}"), doi)
            for number, (name, doi) in enumerate(
                (
                    ("halfway", "10.1016/j.neuroimage.2012.02.084"),
                    ("change", "10.1007/s12021-016-9301-1"),
                ),
                start=1,
            )
        ),
        provenance=tuple(_provenance(values, words)),
        research_use=words("research_use"),
    )


def _flat(image: Image) -> Image:
    return image.volume(0) if image.volumes > 1 else image


def _signed(value: float, decimals: int = 2) -> str:
    """A difference with its sign; nothing has none."""
    text = f"{value:+,.{decimals}f}"
    return text[1:] if float(text.replace(",", "")) == 0 else text.replace("-", rounding.MINUS)


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _visit_name(values: ChangeValues, number: int, words: Wording) -> str:
    last = len(values.visits) - 1
    name = words("visit.between", number=number + 1)
    if number in (0, last):
        name = words("visit.baseline" if number == 0 else "visit.followup")
    day = _day(values.visits[number].day)
    return words("visit.dated", name=name, day=day) if day else name


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


def _of(values: ChangeValues, name: str) -> list[ChangedLesion]:
    """The lesions of a colour; those that one visit does not show are of none."""
    return [
        one
        for one in values.lesions
        if colour_name(one.kind) == name and one.kind is not ChangeClass.NOT_SEEN
    ]


def _count(values: ChangeValues, kind: ChangeClass) -> int:
    return sum(one.kind is kind for one in values.lesions)


def _changed(values: ChangeValues) -> list[ChangedLesion]:
    found = [one for one in values.lesions if colour_name(one.kind) != "stable"]
    return sorted(found, key=lambda one: (-abs(one.change_mm3), one.number))


def _stable(values: ChangeValues) -> list[ChangedLesion]:
    return [one for one in values.lesions if colour_name(one.kind) == "stable"]


def _counted(key: str, count: int, words: Wording) -> str:
    return words(f"{key}.one") if count == 1 else words(key, count=rounding.count(count))


def _summary(values: ChangeValues, words: Wording) -> Iterator[str]:
    limit = rounding.millilitres(values.smallest_change_ml)
    significance = words("lead.beyond" if values.is_significant else "lead.within", limit=limit)
    parts: list[str] = []
    for name in COLOURS:
        if name != "stable" and (found := _of(values, name)):
            place = "part" if parts else "first"
            parts.append(_counted(f"lead.{place}.{name}", len(found), words))
    if not values.lesions:
        yield words("lead.none")
    elif not parts:
        yield words("lead.stable")
    else:
        yield words(
            "lead.changed",
            parts=", ".join(parts),
            growth=_amount(values.growth_ml, words),
            regression=_amount(values.regression_ml, words),
            significance=significance,
        )
    stable = len(_of(values, "stable"))
    if parts and stable:
        yield _counted("lead.stable_count", stable, words)
    before, after = (values.visits[at].burden.volume_ml for at in (0, -1))
    share = f", {_signed(100 * (after - before) / before, 0)} %" if before else ""
    yield words(
        "lead.volumes",
        before=rounding.millilitres(before),
        after=rounding.millilitres(after),
        net=_signed(after - before),
        percent=share,
    )
    if values.years is not None:
        yield words("lead.years", years=f"{values.years:.1f}")


def _amount(volume_ml: float, words: Wording) -> str:
    if volume_ml == 0:
        return words("lead.nothing")
    return words("lead.ml", volume=rounding.millilitres(volume_ml))


def _headline(values: ChangeValues, words: Wording) -> Iterator[Measure]:
    change = values.growth_ml - values.regression_ml
    limit = rounding.millilitres(values.smallest_change_ml)
    significance = words(
        "headline.beyond" if values.is_significant else "headline.within", limit=limit
    )
    yield Measure(
        "change",
        words("headline.change"),
        _signed(change),
        "ml",
        words("headline.change.note", significance=significance),
    )
    new = _of(values, "new")
    volume = rounding.millilitres(sum(one.followup_mm3 for one in new) / 1000)
    yield Measure(
        "new",
        words("headline.new"),
        rounding.count(len(new)),
        "",
        words("headline.new.note", volume=volume) if new else "",
    )
    for name, value in (("growth", values.growth_ml), ("regression", values.regression_ml)):
        label = words(f"headline.{name}")
        note = words(f"headline.{name}.note")
        yield Measure(name, label, rounding.millilitres(value), "ml", note)
    before, after = (values.visits[at].burden.volume_ml for at in (0, -1))
    yield Measure(
        "volume",
        words("headline.volume"),
        rounding.millilitres(after),
        "ml",
        words("headline.volume.note", before=rounding.millilitres(before)),
    )
    if values.years is not None:
        note = words("headline.year.note", years=f"{values.years:.1f}")
        yield Measure("year", words("headline.year"), _signed(change / values.years), "ml", note)


def _class_row(name: str, values: ChangeValues, words: Wording) -> ClassRow:
    found = _of(values, name)
    before = sum(one.baseline_mm3 for one in found) / 1000
    after = sum(one.followup_mm3 for one in found) / 1000
    return ClassRow(
        name,
        words(f"class.{name}"),
        words(f"class.{name}.means"),
        rounding.count(len(found)),
        rounding.millilitres(before),
        rounding.millilitres(after),
        _signed(after - before),
    )


def _sizes(before: Burden, after: Burden, words: Wording) -> Sheetful:
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


def _visits(values: ChangeValues, names: Sequence[str], words: Wording) -> Iterator[Sheetful]:
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
                _signed(step.since_baseline_ml),
            )
        )
    yield Sheetful(
        words("visits.title"),
        tuple(words(f"visits.{name}") for name in head),
        tuple(rows),
        note=words("visits.note"),
    )


def _timeline(values: ChangeValues, names: Sequence[str], words: Wording) -> Drawing:
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


def _row(lesion: ChangedLesion, first: VisitValues, words: Wording) -> ChangeRow:
    def known(value: str) -> str:
        return words("unknown") if value == "unknown" else value

    centre = ", ".join(rounding.millimetres(value) for value in lesion.centre_mm)
    return ChangeRow(
        number=str(lesion.number),
        name=colour_name(lesion.kind),
        label=words(f"class.{lesion.kind}"),
        baseline=rounding.volume(lesion.baseline_mm3),
        followup=rounding.volume(lesion.followup_mm3),
        change=_signed(lesion.change_mm3, 0),
        limit=f"{lesion.limit_mm3:,.0f}",
        side=known(lesion.side),
        region=known(lesion.region),
        centre=centre if first.image.grid.oriented else words("unknown"),
    )


def _lesions_note(values: ChangeValues, words: Wording) -> str:
    parts = [] if _changed(values) else [words("table.none")]
    if values.lesions:
        parts += [words("table.limit.note"), words("table.file")]
    return " ".join(parts)


def _notices(values: ChangeValues, words: Wording) -> tuple[Notice, ...]:
    notices = [
        Notice(f.severity.value, words(f"severity.{f.severity}"), f.code, f.what, f.hint)
        for f in values.findings
    ]
    return tuple(sorted(notices, key=lambda notice: SEVERITIES.index(notice.severity)))


def _methods(values: ChangeValues, words: Wording) -> Iterator[Method]:
    agreement = values.comparison.space.quality.agreement
    limits = values.comparison.repeatability
    definition = words(f"definition.{values.provenance.get('definition', 'vascular')}")
    texts = {
        "space": words(
            "methods.space",
            agreement=words("unknown") if agreement is None else f"{agreement:.0%}",
        ),
        "lesions": words("methods.lesions", definition=definition),
        "change": words("methods.change"),
        "limits": words(
            "methods.limits",
            resolution=limits.resolution.value,
            percent=f"{limits.percent:g}",
            limit=rounding.millilitres(values.smallest_change_ml),
            lesion_mm3=f"{limits.lesion_mm3:g}",
            lesion_percent=f"{100 * limits.lesion_share:g}",
        ),
    }
    for name, text in texts.items():
        yield Method(words(f"methods.{name}.title"), text)


def _provenance(values: ChangeValues, words: Wording) -> Iterator[Entry]:
    made = values.provenance
    space = values.comparison.space
    agreement = space.quality.agreement
    for name, value in (
        ("version", f"leuko {made.get('version', '')}"),
        ("weights", made.get("weights_name", "")),
        ("definition", words(f"definition.{made.get('definition', 'vascular')}")),
        ("time", made.get("time", "")),
        ("baseline", values.visits[0].name),
        ("followup", values.visits[-1].name),
        (
            "registration",
            words(
                "provenance.registration.value",
                angle=f"{space.transform.angle_degrees:.1f}",
                agreement=words("unknown") if agreement is None else f"{agreement:.0%}",
            ),
        ),
    ):
        if value:
            yield Entry(words(f"provenance.{name}"), value)
