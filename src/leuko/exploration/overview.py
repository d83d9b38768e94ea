"""A data set in numbers: who, from where, on which grids, and how much of every class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from leuko.exploration.facts import Case, ClassFacts, Facts
from leuko.exploration.suggest import class_values

__all__ = ["ClassRow", "Overview", "SiteRow", "Spread", "overview", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, quartiles and largest of some numbers."""

    minimum: float
    lower: float
    median: float
    upper: float
    maximum: float


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One label value over all masks that hold it.

    `mm3` are volumes (square pixels where no size is known), `share` its mean part of all voxels of
    all masks; `components` and `right_share` are medians. `smallest` and `largest` name cases.
    """

    value: int
    name: str
    cases: int
    cut: int
    mm3: Spread
    share: float
    components: float
    right_share: float | None
    smallest: str
    largest: str


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site: how many cases, subjects and masks with foreground, and its median spacing."""

    site: str
    cases: int
    subjects: int
    filled: int
    spacing: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts and spreads over the readable cases; lengths right, anterior, superior.

    `background_share` is beta of the class-balanced cross-entropy: the mean over the masks of the
    part of voxels that belongs to no class; None without masks. `filled` counts masks that are not
    empty. `kinds` counts orientations, types and scales.
    """

    cases: int
    readable: int
    subjects: int
    sites: tuple[SiteRow, ...]
    categories: Mapping[str, int]
    channels: int
    pictures: int
    sized: int
    masks: int
    filled: int
    background_share: float | None
    classes: tuple[ClassRow, ...]
    spacing: tuple[Spread, Spread, Spread] | None
    shape: tuple[Spread, Spread, Spread] | None
    orientations: Mapping[str, int]
    dtypes: Mapping[str, int]
    scales: Mapping[str, int]
    scale_reasons: Mapping[str, int]


def overview(cases: Sequence[Case], *, names: Mapping[int, str] | None = None) -> Overview:
    """The numbers of a data set; `names` are those of label values."""
    known = [(case, case.facts) for case in cases if case.facts is not None]
    facts = [found for _, found in known]
    labels = [found.label for found in facts if found.label is not None]
    sized = [found.body_spacing for found in facts if found.sized]
    return Overview(
        cases=len(cases),
        readable=len(known),
        subjects=len({case.subject for case in cases}),
        sites=_sites(known),
        categories=_counted(case.category for case in cases if case.category),
        channels=max((len(found.channels) for found in facts), default=0),
        pictures=sum(found.picture for found in facts),
        sized=len(sized),
        masks=len(labels),
        filled=sum(bool(label.foreground) for label in labels),
        background_share=float(np.mean([label.background_share for label in labels]))
        if labels
        else None,
        classes=_classes(known, names or {}),
        spacing=_spreads(sized),
        shape=_spreads([found.body_shape for found in facts]),
        orientations=_counted(found.orientation or "unknown" for found in facts),
        dtypes=_counted(found.channels[0].dtype for found in facts),
        scales=_counted(found.channels[0].scale for found in facts),
        scale_reasons=_counted(found.channels[0].reason for found in facts),
    )


def spread(values: Sequence[float]) -> Spread:
    """Least, quartiles (linear between neighbours) and largest; at least one value is needed."""
    cuts = [float(cut) for cut in np.percentile(values, (0, 25, 50, 75, 100))]
    return Spread(*cuts)


def _counted(values: object) -> dict[str, int]:
    counts = Counter(values)  # type: ignore[call-overload]
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _spreads(
    rows: Sequence[tuple[float, float, float]],
) -> tuple[Spread, Spread, Spread] | None:
    if not rows:
        return None
    first, second, third = (spread([float(row[axis]) for row in rows]) for axis in range(3))
    return first, second, third


def _sites(known: Sequence[tuple[Case, Facts]]) -> tuple[SiteRow, ...]:
    found = []
    for site in sorted({case.site for case, _ in known if case.site}):
        here = [(case, facts) for case, facts in known if case.site == site]
        middle = [facts.body_spacing for _, facts in here if facts.sized]
        columns = list(zip(*middle, strict=True))
        found.append(
            SiteRow(
                site=site,
                cases=len(here),
                subjects=len({case.subject for case, _ in here}),
                filled=sum(
                    facts.label is not None and bool(facts.label.foreground) for _, facts in here
                ),
                spacing=(median(columns[0]), median(columns[1]), median(columns[2]))
                if middle
                else None,
            )
        )
    return tuple(found)


def _classes(known: Sequence[tuple[Case, Facts]], names: Mapping[int, str]) -> tuple[ClassRow, ...]:
    labels = [(case, facts.label) for case, facts in known if facts.label is not None]
    rows = []
    for value in class_values([facts for _, facts in known]):
        held: list[tuple[Case, ClassFacts]] = []
        share = 0.0
        for case, label in labels:
            if (found := label.of(value)) is not None:
                held.append((case, found))
                share += found.voxels / label.voxels
        sides = [found.right_share for _, found in held if found.right_share is not None]
        ordered = sorted(held, key=lambda item: item[1].mm3)
        rows.append(
            ClassRow(
                value=value,
                name=names.get(value, f"class {value}"),
                cases=len(held),
                cut=sum(found.cut for _, found in held),
                mm3=spread([found.mm3 for _, found in held]),
                share=share / len(labels),
                components=float(median(found.components for _, found in held)),
                right_share=float(median(sides)) if sides else None,
                smallest=ordered[0][0].name,
                largest=ordered[-1][0].name,
            )
        )
    return tuple(rows)
