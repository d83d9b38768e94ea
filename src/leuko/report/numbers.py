"""The numbers of a report: headline, tables, bars; each rounded once, here."""

from __future__ import annotations

from leuko.image.grid import Grid
from leuko.quantify.burden import Burden, SizeShare, SliceBurden
from leuko.quantify.scales_grades import Scales
from leuko.quantify.uncertainty import VolumeInterval
from leuko.report.document import Bar, Measure, MeasureGroup, SizeRow
from leuko.report.summary import place
from leuko.report.wording import Wording

__all__ = ["groups", "headline", "regions", "sides", "sizes"]


def headline(
    burden: Burden,
    *,
    axis: int,
    oriented: bool,
    words: Wording,
    interval: VolumeInterval | None = None,
    scales: Scales | None = None,
) -> tuple[Measure, ...]:
    """The six numbers that a reader looks for first."""
    counts = {
        name: words.numerals.count(share.count)
        for name, share in (
            ("small", burden.small),
            ("medium", burden.medium),
            ("large", burden.large),
        )
    }
    fazekas = _fazekas(scales, words)
    items = [
        _volume_first(burden.volume_ml, interval, words),
        *fazekas,
        Measure(
            "count",
            words("headline.count"),
            words.numerals.count(burden.lesion_count),
            note=words("headline.count.note", **counts),
            explained=words("means.lesion.text"),
        ),
        _white_matter(burden, words),
        _sides(burden, words),
    ]
    largest = words.numerals.volume(burden.largest_lesion_mm3)
    most = burden.most_affected_slice
    where = ""
    if most is not None:
        where = (
            place(axis, most.position_mm, words)
            if oriented
            else words("place.index", index=most.index)
        )
    below = ""
    if fazekas and most is not None:
        key = "headline.largest.note" if oriented else "headline.largest.note.index"
        below = words(key, place=where, index=most.index)
    label = words("headline.largest")
    items.append(Measure("largest", label, largest, words("unit.mm3"), below))
    if not fazekas:
        items.append(_slice(most, where, words))
    return tuple(items)


def _slice(most: SliceBurden | None, where: str, words: Wording) -> Measure:
    label = words("headline.slice")
    if most is None:
        return Measure("slice", label, "–")
    voxels = words.numerals.count(most.voxels)
    note = words("headline.slice.note", index=most.index, voxels=voxels)
    return Measure("slice", label, where, note=note, explained=words("means.slice.text"))


def _fazekas(scales: Scales | None, words: Wording) -> tuple[Measure, ...]:
    """Both grades, where they could be estimated."""
    if scales is None or scales.why_not:
        return ()
    around, deep = scales.fazekas_periventricular.grade, scales.fazekas_deep.grade
    if around is None or deep is None:
        return ()
    return (
        Measure(
            "fazekas",
            words("headline.fazekas"),
            f"{around} / {deep}",
            note=words("headline.fazekas.note"),
            explained=words("means.scale.text"),
        ),
    )


def groups(
    burden: Burden,
    *,
    grid: Grid,
    axis: int,
    words: Wording,
    interval: VolumeInterval | None = None,
) -> tuple[MeasureGroup, ...]:
    """Every total with its unit and definition; None is 'not measured'."""
    voxel = words.numerals.general(grid.voxel_mm3, 4)
    unit, unit_mm3 = words("unit.ml"), words("unit.mm3")

    def note(key: str, **fields: object) -> str:
        return words(f"group.burden.{key}.note", **fields)

    def measure(key: str, value: str, unit: str = "", text: str = "") -> Measure:
        return Measure(key, words(f"group.burden.{key}"), value, unit, text)

    most = burden.most_affected_slice
    slice_value, slice_note = "–", ""
    if most is not None:
        slice_value = words.numerals.millilitres(most.volume_ml)
        fields = {"index": most.index, "voxels": words.numerals.count(most.voxels)}
        slice_note = (
            note("slice", **fields)
            if not grid.oriented
            else words(
                "group.burden.slice.note.place",
                place=place(axis, most.position_mm, words),
                **fields,
            )
        )
    shown = (
        measure("volume_ml", words.numerals.millilitres(burden.volume_ml), unit, note("volume_ml")),
        *_interval(interval, words),
        measure("volume_mm3", words.numerals.volume(burden.volume_mm3), unit_mm3),
        measure(
            "volume_voxels",
            words.numerals.count(burden.volume_voxels),
            text=note("volume_voxels", voxel=voxel),
        ),
        measure(
            "lesion_count", words.numerals.count(burden.lesion_count), text=note("lesion_count")
        ),
        measure(
            "lesion_count_6",
            words.numerals.count(burden.lesion_count_6_connected),
            text=note("lesion_count_6"),
        ),
        measure("largest", words.numerals.volume(burden.largest_lesion_mm3), unit_mm3),
        measure("slice", slice_value, unit if most else "", slice_note),
    )
    shares = tuple(
        _share(f"group.shares.{name}", value, words)
        for name, value in (
            ("white_matter", burden.white_matter_percent),
            ("brain", burden.brain_percent),
            ("icv", burden.icv_percent),
        )
    )
    volumes = tuple(
        _volume(f"group.anatomy.{name}", value, words)
        for name, value in (
            ("white_matter", burden.white_matter_ml),
            ("brain", burden.brain_ml),
            ("ventricles", burden.ventricles_ml),
            ("icv", burden.icv_ml),
        )
    )
    return (
        MeasureGroup(words("group.burden"), shown),
        MeasureGroup(words("group.shares"), shares),
        MeasureGroup(words("group.anatomy"), volumes),
    )


def sides(burden: Burden, *, words: Wording) -> tuple[Bar, ...]:
    """Right, midline, left, in the order of the pictures; empty where sides are not known."""
    values = (
        ("right", burden.right_ml),
        ("midline", burden.midline_ml),
        ("left", burden.left_ml),
    )
    if burden.left_ml is None or burden.right_ml is None:
        return ()
    return _bars(tuple((name, value or 0.0) for name, value in values), "side.{}.title", words)


def regions(burden: Burden, *, words: Wording) -> tuple[Bar, ...]:
    """A bar a region, in the order of the burden."""
    return _bars(burden.region_ml, "region.{}", words)


def sizes(burden: Burden, *, words: Wording) -> tuple[SizeRow, ...]:
    """The three size classes."""
    return tuple(
        _size(name, share, burden, words)
        for name, share in (
            ("small", burden.small),
            ("medium", burden.medium),
            ("large", burden.large),
        )
    )


def _size(name: str, share: SizeShare, burden: Burden, words: Wording) -> SizeRow:
    part = share.volume_ml / burden.volume_ml if burden.volume_ml > 0 else 0.0
    volume = words.numerals.millilitres(share.volume_ml)
    number, percent = words.numerals.count(share.count), words.numerals.percent(100 * share.share)
    return SizeRow(
        name=name,
        label=words(f"size.{name}"),
        range=words(f"size.{name}.range"),
        count=share.count,
        count_text=f"{number} ({percent} %)",
        volume_ml=share.volume_ml,
        volume_text=f"{volume} ({words.numerals.percent(100 * part)} %)",
    )


def _bars(values: tuple[tuple[str, float], ...], key: str, words: Wording) -> tuple[Bar, ...]:
    total = sum(value for _, value in values)
    bars = []
    for name, value in values:
        label = words(key.format(name)) if key.format(name) in words else name
        share = (
            words.numerals.percent(100 * value / total)
            if total > 0
            else words.numerals.percent(0.0)
        )
        text = f"{words.numerals.millilitres(value)} {words('unit.ml')} ({share} %)"
        bars.append(Bar(name, label, value, text))
    return tuple(bars)


def _interval(interval: VolumeInterval | None, words: Wording) -> tuple[Measure, ...]:
    if interval is None:
        return ()
    level = words.numerals.general(100 * interval.level, 3)
    return (
        Measure(
            "interval",
            words("group.burden.interval", level=level),
            _range(interval, words),
            words("unit.ml"),
            words.translated(interval.how),
        ),
    )


def _range(interval: VolumeInterval, words: Wording) -> str:
    low, high = (words.numerals.millilitres(value) for value in (interval.low_ml, interval.high_ml))
    return f"{low}–{high}"


def _volume_first(value: float, interval: VolumeInterval | None, words: Wording) -> Measure:
    note = f"{words.numerals.volume(value * 1000)} {words('unit.mm3')}"
    if interval is not None:
        level = words.numerals.general(100 * interval.level, 3)
        note = words("headline.volume.note", level=level, range=_range(interval, words))
    text = words.numerals.millilitres(value)
    return Measure(
        "volume",
        words("headline.volume"),
        text,
        words("unit.ml"),
        note,
        words("means.volume.text"),
    )


def _white_matter(burden: Burden, words: Wording) -> Measure:
    label = words("headline.white_matter")
    if burden.white_matter_percent is None:
        return Measure("white_matter", label, words("not_measured"))
    note = (
        words("headline.white_matter.note.alone")
        if burden.brain_percent is None
        else words("headline.white_matter.note", brain=words.numerals.percent(burden.brain_percent))
    )
    value = words.numerals.percent(burden.white_matter_percent)
    return Measure(
        "white_matter", label, value, words("unit.percent"), note, words("means.shares.text")
    )


def _sides(burden: Burden, words: Wording) -> Measure:
    label, left, right = words("headline.sides"), burden.left_ml, burden.right_ml
    if left is None or right is None:
        return Measure("sides", label, words("not_measured"))
    if left + right <= 0:
        return Measure("sides", label, "–")
    whole = left + right + (burden.midline_ml or 0.0)
    shares = (words.numerals.percent(100 * part / whole) for part in (left, right))
    value = " / ".join(shares)
    note = words(
        "headline.sides.note",
        left=words.numerals.millilitres(left),
        right=words.numerals.millilitres(right),
    )
    return Measure("sides", label, value, words("unit.percent"), note, words("means.sides.text"))


def _share(key: str, value: float | None, words: Wording) -> Measure:
    if value is None:
        return Measure(key, words(key), words("not_measured"))
    percent = words.numerals.percent(value)
    return Measure(key, words(key), percent, words("unit.percent"), words(f"{key}.note"))


def _volume(key: str, value: float | None, words: Wording) -> Measure:
    if value is None:
        return Measure(key, words(key), words("not_measured"))
    return Measure(key, words(key), words.numerals.millilitres(value), words("unit.ml"))
