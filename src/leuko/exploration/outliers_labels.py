"""What is unusual about masks: place, values, volumes, pieces, sides, completeness."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from leuko.exploration.facts import Case, ClassFacts, Facts, LabelFacts
from leuko.exploration.outliers_said import Outlier
from leuko.exploration.robust import FEWEST, LIMIT, robust_z
from leuko.findings import Severity

__all__ = ["RARE", "VOLUME_FLOOR", "label_outliers", "volume_text"]

RARE = 0.2  # share of the cases up to which a property is named case by case
VOLUME_FLOOR = math.log(1.1)  # the least spread of the logarithm of volumes
PIECES_FLOOR = math.log(1.5)
SIDE_FLOOR = 0.1  # of the share on the right
FACTOR = 3.0  # between volumes of one class, where there are too few cases for a distribution
MANY_CLASSES = 8  # in one mask, from which they are compared with each other
SHOWN = 3

Masked = list[tuple[Case, Facts, LabelFacts]]
Names = Mapping[int, str]


def label_outliers(known: Sequence[tuple[Case, Facts]], *, names: Names) -> Iterator[Outlier]:
    """Everything unusual about the masks of the cases."""
    masked: Masked = [
        (case, facts, facts.label) for case, facts in known if facts.label is not None
    ]
    if not masked:
        return
    if len(masked) >= (1 - RARE) * len(known):
        for case, facts in known:
            if facts.label is None:
                yield Outlier(case.name, "no_mask", Severity.WARNING, "It has no mask.")
    yield from _places(masked)
    yield from _values(masked, names)
    yield from _empty(masked)
    for value in sorted({found.value for *_, label in masked for found in label.classes}):
        held = [(case, facts, found) for case, facts, label in masked if (found := label.of(value))]
        yield from _volumes(held, _name(value, names))
        yield from _pieces(held, _name(value, names))
        yield from _sides(held, _name(value, names))
    if len(masked) < FEWEST:
        yield from _few(masked, names)
    yield from _cut(masked, names)


def volume_text(mm3: float, *, sized: bool) -> str:
    """'1.2 ml' from a tenth of a millilitre, '34 mm³' below, 'pixels' where no size is known."""
    if not sized:
        return f"{mm3:,.0f} pixels"
    if mm3 < 100:
        return f"{mm3:.3g} mm³"
    return f"{mm3 / 1000:,.0f} ml" if mm3 >= 100_000 else f"{mm3 / 1000:.3g} ml"


def _places(masked: Masked) -> Iterator[Outlier]:
    for case, _, label in masked:
        if label.mismatch:
            what = f"Image and mask lie on different grids: {label.mismatch}."
            yield Outlier(case.name, "grid", Severity.WARNING, what)
        elif label.turned:
            what = f"Its mask is {label.turned}."
            yield Outlier(case.name, "turned", Severity.NOTE, what)


def _values(masked: Masked, names: Names) -> Iterator[Outlier]:
    """Labels that are no whole numbers, and values that only this case has."""
    counts = Counter(found.value for *_, label in masked for found in label.classes)
    filled = sum(bool(label.classes) for *_, label in masked)
    for case, _, label in masked:
        if not label.whole:
            what = (
                f"Its mask holds values from {label.lowest:g} to {label.highest:g} that are no "
                "labels (whole numbers from 0); above 0.5 was counted as 1."
            )
            yield Outlier(case.name, "no_labels", Severity.WARNING, what)
        alone = [found for found in label.classes if counts[found.value] == 1]
        few = filled >= FEWEST and len(alone) <= RARE * max(len(counts), FEWEST)
        if alone and few:
            said = ", ".join(f"{_name(a.value, names)} ({a.voxels:,} voxels)" for a in alone)
            what = f"Only its mask holds {said}."
            yield Outlier(case.name, "lone_label", Severity.WARNING, what)


def _empty(masked: Masked) -> Iterator[Outlier]:
    empty = [case for case, _, label in masked if not label.foreground]
    if len(empty) <= RARE * len(masked):
        for case in empty:
            what = "Its mask is empty: nothing but background."
            yield Outlier(case.name, "empty", Severity.WARNING, what)


def _volumes(held: Sequence[tuple[Case, Facts, ClassFacts]], name: str) -> Iterator[Outlier]:
    scores = robust_z([math.log(found.mm3) for *_, found in held], floor=VOLUME_FLOOR)
    middle = median([found.mm3 for *_, found in held] or [0.0])
    for (case, facts, found), score in zip(held, scores, strict=True):
        if abs(score) > LIMIT:
            size, usual = (volume_text(value, sized=facts.sized) for value in (found.mm3, middle))
            what = f"{_capital(name)}: {size}; the median is {usual} (robust z {_z(score)})."
            yield Outlier(case.name, "volume", Severity.NOTE, what, float(score))


def _pieces(held: Sequence[tuple[Case, Facts, ClassFacts]], name: str) -> Iterator[Outlier]:
    """Many more pieces than usual; fewer are no sign of anything."""
    scores = robust_z([math.log(found.components) for *_, found in held], floor=PIECES_FLOOR)
    middle = median([found.components for *_, found in held] or [0])
    for (case, _, found), score in zip(held, scores, strict=True):
        if score > LIMIT:
            what = (
                f"{_capital(name)} is in {found.components} pieces; the median is {middle:g} "
                f"(robust z {_z(score)})."
            )
            yield Outlier(case.name, "pieces", Severity.NOTE, what, float(score))


def _sides(held: Sequence[tuple[Case, Facts, ClassFacts]], name: str) -> Iterator[Outlier]:
    sided = [(case, found.right_share) for case, _, found in held if found.right_share is not None]
    scores = robust_z([share for _, share in sided], floor=SIDE_FLOOR)
    middle = median([share for _, share in sided] or [0.0])
    for (case, share), score in zip(sided, scores, strict=True):
        if abs(score) > LIMIT:
            what = (
                f"{_capital(name)}: {100 * share:.0f} % lie on the patient's right of the image's "
                f"middle; the median is {100 * middle:.0f} % (robust z {_z(score)})."
            )
            yield Outlier(case.name, "side", Severity.NOTE, what, float(score))


def _few(masked: Masked, names: Names) -> Iterator[Outlier]:
    """With fewer than five cases: volumes beside those of the other cases, and of other classes."""
    for case, facts, label in masked:
        smaller = []
        for found in label.classes:
            others = [
                other.mm3
                for rest, _, mask in masked
                if rest is not case and (other := mask.of(found.value))
            ]
            if others and max(others) > FACTOR * found.mm3:
                sizes = [volume_text(v, sized=facts.sized) for v in (found.mm3, max(others))]
                smaller.append((max(others) / found.mm3, found.value, sizes))
        if smaller:
            smaller.sort(key=lambda item: item[1])
            said = "; ".join(
                f"{_name(value, names)}: {own} against {other}"
                for _, value, (own, other) in smaller[:SHOWN]
            )
            what = (
                f"Less than a third of another case's volume in {len(smaller)} of "
                f"{len(label.classes)} classes ({said}{_more(len(smaller))})."
            )
            yield Outlier(case.name, "smaller", Severity.NOTE, what)
        yield from _among_classes(case, facts, label, names)


def _among_classes(case: Case, facts: Facts, label: LabelFacts, names: Names) -> Iterator[Outlier]:
    if len(label.classes) < MANY_CLASSES:
        return
    volumes = [math.log(found.mm3) for found in label.classes]
    scores = robust_z(volumes, floor=VOLUME_FLOOR)
    middle = volume_text(float(np.exp(np.median(volumes))), sized=facts.sized)
    for found, score in zip(label.classes, scores, strict=True):
        if abs(score) > LIMIT:
            own = volume_text(found.mm3, sized=facts.sized)
            what = (
                f"{_capital(_name(found.value, names))}: {own}, far from the other classes of "
                f"this case (median {middle}, robust z {_z(score)})."
            )
            yield Outlier(case.name, "among_classes", Severity.NOTE, what, float(score))


def _cut(masked: Masked, names: Names) -> Iterator[Outlier]:
    """Classes that reach the edge of the image, where few cases' do or there are few cases."""
    volumes = [(case, facts, label) for case, facts, label in masked if not facts.picture]
    counts = Counter(found.value for *_, label in volumes for found in label.classes if found.cut)
    present = Counter(found.value for *_, label in volumes for found in label.classes)
    for case, _, label in volumes:
        named = [
            found.value
            for found in label.classes
            if found.cut
            and (len(volumes) < FEWEST or counts[found.value] <= RARE * present[found.value])
        ]
        if named:
            said = ", ".join(_name(value, names) for value in named[:SHOWN])
            verb = "reaches" if len(named) == 1 else "reach"
            what = (
                f"{_capital(said)}{_more(len(named))} {verb} the edge of the image: what is "
                "measured may be a part."
            )
            yield Outlier(case.name, "cut", Severity.NOTE, what)


def _name(value: int, names: Names) -> str:
    return names.get(value, f"class {value}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _more(count: int) -> str:
    return f" and {count - SHOWN} more" if count > SHOWN else ""


def _z(score: float) -> str:
    return f"{score:+.1f}".replace("-", "−")
