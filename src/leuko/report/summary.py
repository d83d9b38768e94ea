"""The sentence on top of the report, as a radiologist would write it."""

from __future__ import annotations

from collections.abc import Iterable

from leuko.findings import Finding, Severity
from leuko.quantify.burden import Burden
from leuko.quantify.lesions import Lesion, LesionTable, Side
from leuko.quantify.scales_grades import Scales
from leuko.quantify.uncertainty import VolumeInterval
from leuko.report.norms import norm_sentence
from leuko.report.readings import Readings
from leuko.report.wording import Wording

__all__ = ["care", "place", "summary", "sureness"]

DOUBTED_BELOW = 0.3  # how likely an expert sees a lesion; few are ever surer than .8
UNSURE_BELOW = 0.6  # the mean probability in it, where that is all that is known
EVEN, SLIGHT, MORE = 0.02, 0.15, 0.40  # asymmetry |left - right| / (left + right)


def summary(
    table: LesionTable,
    *,
    burden: Burden,
    words: Wording,
    interval: VolumeInterval | None = None,
    known: Readings | None = None,
) -> tuple[str, ...]:
    """One sentence with the burden, then grades, interval, regions and uncertainty where known."""
    if burden.lesion_count == 0:
        return (words("summary.none"), words("summary.none_small"), *_interval(interval, words))
    read = known or Readings()
    grades = _fazekas(read.scales, words)
    more = (
        *_interval(interval, words),
        *((norm_sentence(read.norm, words),) if read.norm and read.norm.low is not None else ()),
    )
    share = ""
    if burden.white_matter_percent is not None:
        percent = words.numerals.percent(burden.white_matter_percent)
        share = words("summary.of_white_matter", percent=percent)
    total = words.numerals.short_millilitres(burden.volume_ml)
    where = _where(table[0], words) if table else ""
    if burden.lesion_count == 1:
        first = words("summary.one", volume=total, of_white_matter=share, where=where)
        return (first, *grades, *more, *_uncertain(table, words))
    first = words(
        "summary.many",
        volume=total,
        count=words.numerals.count(burden.lesion_count),
        classes=_classes(burden, words),
        of_white_matter=share,
        sides=_sides(burden, words),
        where=where,
        largest=words.numerals.short_millilitres(burden.largest_lesion_mm3 / 1000),
    )
    return (first, *grades, *_regions(burden, words), *more, *_uncertain(table, words))


def _fazekas(scales: Scales | None, words: Wording) -> tuple[str, ...]:
    if scales is None or scales.why_not:
        return ()
    grades = (scales.fazekas_periventricular.grade, scales.fazekas_deep.grade)
    if None in grades:
        return ()
    return (words("summary.fazekas", periventricular=grades[0], deep=grades[1]),)


def _interval(interval: VolumeInterval | None, words: Wording) -> tuple[str, ...]:
    if interval is None:
        return ()
    return (
        words(
            "summary.interval",
            low=words.numerals.short_millilitres(interval.low_ml),
            high=words.numerals.short_millilitres(interval.high_ml),
            level=words.numerals.general(100 * interval.level, 3),
        ),
    )


def care(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What the reader must know before trusting a number: warnings, and refusals overruled."""
    serious = (item.what for item in findings if item.severity is not Severity.NOTE)
    return tuple(dict.fromkeys(serious))


def place(axis: int, position_mm: float, words: Wording) -> str:
    """A slice position as viewers write it, e.g. 'S 42.0 mm'; axis 0, 1, 2 is x, y, z of RAS."""
    low, high = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))[axis]
    letter = words(f"letter.{high if position_mm >= 0 else low}")
    return words("place", letter=letter, distance=words.numerals.millimetres(abs(position_mm)))


def _classes(burden: Burden, words: Wording) -> str:
    classes = (("small", burden.small), ("medium", burden.medium), ("large", burden.large))
    parts = (
        words("summary.part", value=words.numerals.count(share.count), name=words(f"size.{name}"))
        for name, share in classes
        if share.count
    )
    return ", ".join(parts)


def _where(lesion: Lesion, words: Wording) -> str:
    region = "" if lesion.region == "unknown" else _region(lesion.region, words)
    side = "" if lesion.side is Side.UNKNOWN else words(f"side.{lesion.side}")
    known = " ".join(filter(None, (region, side)))
    return words("summary.where", place=known) if known else ""


def _sides(burden: Burden, words: Wording) -> str:
    left, right = burden.left_ml, burden.right_ml
    if left is None or right is None:
        return ""
    if left + right <= 0:
        return words("sides.midline")
    asymmetry = (left - right) / (left + right)
    side = "left" if asymmetry > 0 else "right"
    size = abs(asymmetry)
    if size < EVEN:
        return words("sides.even")
    if size == 1 and not burden.midline_ml:
        return words(f"sides.only_{side}")
    degree = "slightly" if size < SLIGHT else "more" if size < MORE else "mostly"
    return words(f"sides.{degree}_{side}")


def _regions(burden: Burden, words: Wording) -> tuple[str, ...]:
    held = [(name, ml) for name, ml in burden.region_ml if ml >= 0.005 and name != "unknown"]
    known = sum(ml for _, ml in held)
    if not held or known < 0.99 * burden.volume_ml:
        return ()
    if len(held) == 1:
        return (words("summary.regions.only", region=_region(held[0][0], words)),)
    parts = (
        words(
            "summary.part.ml", name=_region(name, words), value=words.numerals.short_millilitres(ml)
        )
        for name, ml in held
    )
    return (words("summary.regions", regions=", ".join(parts)),)


def _region(name: str, words: Wording) -> str:
    key = f"region.{name}"
    return words(key) if key in words else name


def sureness(lesion: Lesion) -> float | None:
    """How likely an expert sees it, too; where that is not known, the mean probability in it."""
    return lesion.mean_probability if lesion.confidence is None else lesion.confidence


def _uncertain(table: LesionTable, words: Wording) -> tuple[str, ...]:
    measured = any(lesion.confidence is not None for lesion in table)
    kind, level = ("uncertain", DOUBTED_BELOW) if measured else ("unsure", UNSURE_BELOW)
    known = ((sureness(lesion), lesion.volume_mm3) for lesion in table)
    held = [volume for sure, volume in known if sure is not None and sure < level]
    if not held:
        return ()
    return (
        words(
            f"summary.{kind}.one" if len(held) == 1 else f"summary.{kind}.many",
            count=words.numerals.count(len(held)),
            level=words.numerals.general(level, 2),
            volume=words.numerals.millilitres(sum(held) / 1000),
        ),
    )
