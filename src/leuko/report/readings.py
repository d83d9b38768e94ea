"""What is read from the numbers: distributions, rules side by side, scales, lobes, atlases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leuko.quantify.atlas import AtlasNumbers
from leuko.quantify.lesions import LesionTable
from leuko.quantify.lobes import LobeNumbers, LobeShare
from leuko.quantify.norms import NormPlace
from leuko.quantify.regions import Amount, RegionNumbers, SidedAmount
from leuko.quantify.scales_grades import Grade, Measured, Scales
from leuko.report.histograms import distance_histogram, size_histogram
from leuko.report.norms import norms
from leuko.report.sections import Cell, Chart, Column, Section, Table
from leuko.report.wording import Wording

__all__ = ["Readings", "readings"]

DASH = "–"
MOST_REGIONS = 40  # of an atlas: stats.json has every one


@dataclass(frozen=True, slots=True)
class Readings:
    """What was measured beyond the burden; None (or nothing) where it was not."""

    regions: RegionNumbers | None = None
    scales: Scales | None = None
    lobes: LobeNumbers | None = None
    atlases: Sequence[AtlasNumbers] = ()
    norm: NormPlace | None = None
    definition: str | None = None  # 'ms': regions are those of the McDonald criteria


def readings(table: LesionTable, *, known: Readings, words: Wording) -> tuple[Section, ...]:
    """A section for everything that was measured; what was not is left out.

    Without a lesion there is nothing to read but the place among norms.
    """
    if not table:
        return norms(known.norm, volume_ml=0.0, words=words)
    volume = math.fsum(lesion.volume_mm3 for lesion in table) / 1000
    return (
        *_scales(known.scales, words),
        *norms(known.norm, volume_ml=volume, words=words),
        *_distributions(table, known.regions, words),
        *_rules(known.regions, known.definition, words),
        *_lobes(known.lobes, words),
        *_atlases(known.atlases, words),
    )


def _distributions(
    table: LesionTable, regions: RegionNumbers | None, words: Wording
) -> Iterator[Section]:
    sizes = size_histogram([lesion.volume_mm3 for lesion in table], words=words)
    charts = [Chart(words("histogram.sizes.title"), sizes, words("histogram.sizes.explained"))]
    if regions is not None and regions.distances and regions.supratentorial.total.volume_ml > 0:
        median = regions.median_distance_mm
        note = words("histogram.distances.explained")
        if median is not None:
            half = words("histogram.distances.median", mm=words.numerals.fixed(median, 1))
            note = f"{half} {note}"
        drawing = distance_histogram(regions.distances, words=words)
        charts.append(Chart(words("histogram.distances.title"), drawing, note))
    yield Section("histograms", words("section.histograms"), charts=tuple(charts))


def _rules(
    regions: RegionNumbers | None, definition: str | None, words: Wording
) -> Iterator[Section]:
    if regions is None:
        return
    tables = []
    if any(rule.periventricular is not None for rule in regions.rules):
        titles = ("rule", "definition", "periventricular", "lesions", "deep", "lesions")
        columns = tuple(Column(words(f"rules.{t}"), t not in titles[:2]) for t in titles)
        rows = tuple(
            (
                Cell(
                    words(f"rules.{rule.name}"),
                    strong=rule.name == ("touching" if definition == "ms" else "cluster_2mm"),
                ),
                Cell(words.translated(rule.rule)),
                *_amount(rule.periventricular, words),
                *_amount(rule.deep, words),
            )
            for rule in regions.rules
        )
        note = words("rules.four.note.ms" if definition == "ms" else "rules.four.note")
        tables.append(Table(columns, rows, words("rules.four"), note))
    others = [("infratentorial", regions.infratentorial_rule, regions.infratentorial)]
    others += [
        (f"juxtacortical.{rule.name}", rule.rule, rule.juxtacortical)
        for rule in regions.juxtacortical
        if rule.juxtacortical is not None
    ]
    titles = ("region", "what", "right", "left", "volume", "lesions")
    columns = tuple(Column(words(f"rules.{t}"), t not in titles[:2]) for t in titles)
    rows = tuple(
        (
            Cell(words(f"rules.{name}")),
            Cell(words.translated(rule)),
            _ml(amount.right, words),
            _ml(amount.left, words),
            *_amount(amount, words),
        )
        for name, rule, amount in others
    )
    tables.append(Table(columns, rows, words("rules.others")))
    yield Section("rules", words("section.rules"), tables=tuple(tables))


def _amount(amount: SidedAmount | None, words: Wording) -> tuple[Cell, Cell]:
    """Volume and number of lesions."""
    if amount is None:
        return Cell(DASH), Cell(DASH)
    return _ml(amount.total, words), Cell(words.numerals.count(amount.total.lesions))


def _ml(amount: Amount | None, words: Wording) -> Cell:
    if amount is None:
        return Cell(DASH)
    return Cell(f"{words.numerals.millilitres(amount.volume_ml)} {words('unit.ml')}")


def _scales(scales: Scales | None, words: Wording) -> Iterator[Section]:
    if scales is None or scales.why_not:
        return
    shown = [grade for grade in scales.grades if grade.grade is not None]
    columns = (
        Column(words("scales.scale"), number=False),
        Column(words("scales.grade")),
        Column(words("scales.rule"), number=False),
        Column(words("scales.measured"), number=False),
    )
    rows = tuple(
        (
            Cell(words.known(f"scales.{grade.name}", grade.name)),
            Cell(_grade(grade, words), strong=True),
            Cell(words.translated(grade.rule)),
            Cell("; ".join(_measured(item, words) for item in _told(grade))),
        )
        for grade in shown
    )
    yield Section(
        "scales", words("section.scales"), words("scales.note"), tables=(Table(columns, rows),)
    )


def _told(grade: Grade) -> tuple[Measured, ...]:
    """What led to a grade; of the parts of a sum their grades are told."""
    parts = tuple(
        Measured(part.name, float(part.grade), "", part.name)
        for part in grade.parts
        if part.grade is not None
    )
    return (*grade.measured, *parts)


def _grade(grade: Grade, words: Wording) -> str:
    return words("scales.of", grade=grade.grade, maximum=grade.maximum)


def _measured(item: Measured, words: Wording) -> str:
    what = words.known(f"scales.{item.what}", words.translated(item.what.replace("_", " ")))
    if not item.unit:
        return f"{what} {words.numerals.general(item.value, 4)}"
    value = (
        words.numerals.millilitres(item.value)
        if item.unit == "ml"
        else words.numerals.fixed(item.value, 1)
    )
    return f"{what}: {value} {item.unit}"


def _lobes(lobes: LobeNumbers | None, words: Wording) -> Iterator[Section]:
    if lobes is None:
        return
    titles = ("lobe", "right", "lesions", "share", "left", "lesions", "share")
    columns = tuple(Column(words(f"lobes.{title}"), title != "lobe") for title in titles)
    rows = tuple(
        (
            Cell(words(f"lobe.{lobe}")),
            *_share(lobes.right[lobe], words),
            *_share(lobes.left[lobe], words),
        )
        for lobe in lobes.right
    )
    yield Section(
        "lobes", words("section.lobes"), words("lobes.note"), tables=(Table(columns, rows),)
    )


def _share(share: LobeShare, words: Wording) -> tuple[Cell, ...]:
    percent = share.white_matter_percent
    return (
        Cell(f"{words.numerals.millilitres(share.volume_ml)} {words('unit.ml')}"),
        Cell(words.numerals.count(share.lesion_count)),
        Cell(DASH if percent is None else f"{words.numerals.percent(percent)} %"),
    )


def _atlases(atlases: Sequence[AtlasNumbers], words: Wording) -> Iterator[Section]:
    titles = ("region", "volume", "lesions", "percent", "size")
    columns = tuple(Column(words(f"atlas.{title}"), title != "region") for title in titles)
    for atlas in atlases:
        held = [region for region in atlas.regions if region.volume_ml > 0]
        held.sort(key=lambda region: -region.volume_ml)
        rows = tuple(
            (
                Cell(region.name),
                Cell(f"{words.numerals.millilitres(region.volume_ml)} {words('unit.ml')}"),
                Cell(words.numerals.count(region.lesion_count)),
                Cell(
                    DASH
                    if region.percent is None
                    else f"{words.numerals.percent(region.percent)} %"
                ),
                Cell(f"{words.numerals.millilitres(region.region_ml)} {words('unit.ml')}"),
            )
            for region in held[:MOST_REGIONS]
        )
        outside = f"{words.numerals.millilitres(atlas.outside_ml)} {words('unit.ml')}"
        note = words("atlas.note", touched=len(held), regions=len(atlas.regions), outside=outside)
        title = words("section.atlas", name=atlas.name)
        yield Section("atlas", title, note, tables=(Table(columns, rows),) if rows else ())
