"""Cases that are unlike the rest of their data set, each with the reason.

Numbers that only have ratios (volumes, lengths, ranges) are compared by their logarithm with a
robust z-score; what has no order (orientation, scale) with the most common value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leuko.exploration.facts import Case, Facts
from leuko.exploration.outliers_labels import label_outliers
from leuko.exploration.outliers_said import Outlier
from leuko.exploration.robust import FEWEST, LIMIT, robust_z
from leuko.findings import Severity

__all__ = ["COMMON", "Outlier", "outliers"]

COMMON = 0.8  # share of the cases from which a value is what the others are compared with
FLOORS = {"spacing": math.log(1.02), "extent": math.log(1.05), "range": math.log(1.5)}
AXES = ("left-right", "front-back", "bottom-top")
RANK = {Severity.REFUSAL: 0, Severity.WARNING: 1, Severity.NOTE: 2}

Known = list[tuple[Case, Facts]]


@dataclass(frozen=True, slots=True)
class _Lengths:
    """A quantity along each axis that is compared."""

    code: str
    floor: float
    text: str
    of: Callable[[Facts, int], float]


def outliers(
    cases: Sequence[Case], *, names: Mapping[int, str] | None = None
) -> tuple[Outlier, ...]:
    """What is unusual, warnings first, then in the order of the cases; `names` of label values."""
    known = [(case, case.facts) for case in cases if case.facts is not None]
    found = [
        *_unreadable(cases),
        *_broken(known),
        *_duplicates(known),
        *_kinds(known),
        *_lengths(known),
        *_ranges(known),
        *label_outliers(known, names=names or {}),
    ]
    place = {case.name: number for number, case in enumerate(cases)}
    return tuple(sorted(found, key=lambda item: (RANK[item.severity], place[item.case])))


def _unreadable(cases: Sequence[Case]) -> Iterator[Outlier]:
    for case in cases:
        if case.facts is None:
            what = f"Cannot be read: {case.problem} {case.hint}".rstrip()
            yield Outlier(case.name, "unreadable", Severity.WARNING, what)


def _broken(known: Known) -> Iterator[Outlier]:
    for case, facts in known:
        for channel in facts.channels:
            if channel.constant:
                what = f"Every voxel of {channel.file} is {channel.minimum:g}: nothing is shown."
                yield Outlier(case.name, "constant", Severity.WARNING, what)
        if facts.not_finite:
            yield Outlier(case.name, "not_finite", Severity.WARNING, facts.not_finite)


def _duplicates(known: Known) -> Iterator[Outlier]:
    """The same voxels twice; images without content are named already."""
    first: dict[str, Case] = {}
    for case, facts in known:
        if facts.channels[0].constant:
            continue
        other = first.setdefault(facts.voxels_sha256, case)
        if other is case:
            continue
        what = f"The same voxels as {other.name}"
        if other.subject != case.subject:
            what += ", which is called another subject: a split would put one image on both sides"
        yield Outlier(case.name, "duplicate", Severity.WARNING, f"{what}.")


def _kinds(known: Known) -> Iterator[Outlier]:
    """Orientation, scale of the values and number of channels that are not the common ones."""
    kinds: list[tuple[str, Severity, str, Callable[[Facts], str]]] = [
        ("orientation", Severity.NOTE, "Axes run {own}, of the others {common}.",
         lambda facts: facts.orientation or "to where is not known"),
        ("scale", Severity.WARNING, "Values are {own}, of the others {common}.",
         lambda facts: facts.channels[0].scale),
        ("type", Severity.NOTE, "Stored as {own}, the others as {common}.",
         lambda facts: facts.channels[0].dtype),
        ("channels", Severity.WARNING, "Channels: {own}, of the others {common}.",
         lambda facts: str(len(facts.channels))),
        ("picture", Severity.WARNING, "It is {own}, the others are {common}.",
         lambda facts: "a single picture" if facts.picture else "volumes"),
    ]  # fmt: skip
    for code, severity, text, of in kinds:
        counts = Counter(of(facts) for _, facts in known)
        if len(counts) < 2:
            continue
        common, often = counts.most_common(1)[0]
        if often < COMMON * len(known):
            continue
        for case, facts in known:
            if (own := of(facts)) != common:
                what = text.format(own=own, common=common)
                yield Outlier(case.name, code, severity, what)


def _lengths(known: Known) -> Iterator[Outlier]:
    sized = [(case, facts) for case, facts in known if facts.sized]
    unit = "mm" if len(sized) == len(known) else "pixels"
    rules = (
        _Lengths("spacing", FLOORS["spacing"], "Voxels of {own} mm {axis}; the median is {middle}",
                 lambda facts, axis: facts.body_spacing[axis]),
        _Lengths("shape", FLOORS["extent"], f"It is {{own}} {unit} long {{axis}}; the median is "
                 "{middle}",
                 lambda facts, axis: facts.body_shape[axis] * facts.body_spacing[axis]),
    )  # fmt: skip
    for rule in rules:
        chosen = sized if rule.code == "spacing" else known
        for axis in range(3):
            lengths = [rule.of(facts, axis) for _, facts in chosen]
            scores = robust_z([math.log(length) for length in lengths], floor=rule.floor)
            for (case, facts), length, score in zip(chosen, lengths, scores, strict=True):
                if abs(score) > LIMIT and not (facts.picture and axis == 2):
                    text = rule.text.format(
                        own=f"{length:.4g}",
                        axis=("across", "down", "")[axis] if facts.picture else AXES[axis],
                        middle=f"{sorted(lengths)[len(lengths) // 2]:.4g}",
                    )
                    yield _scored(case, rule.code, text, float(score))


def _ranges(known: Known) -> Iterator[Outlier]:
    """A spread of the values that is another one than the others': other units, other scaling."""
    channels = {len(facts.channels) for _, facts in known}
    if len(channels) != 1 or len(known) < FEWEST:
        return
    for number in range(channels.pop()):
        chosen = [
            (case, found)
            for case, facts in known
            if (found := facts.channels[number]).percentiles[-1] > found.percentiles[0]
        ]
        spreads = [found.percentiles[-1] - found.percentiles[0] for _, found in chosen]
        scores = robust_z([math.log(spread) for spread in spreads], floor=FLOORS["range"])
        for (case, found), spread, score in zip(chosen, spreads, scores, strict=True):
            if abs(score) > LIMIT:
                middle = sorted(spreads)[len(spreads) // 2]
                text = (
                    f"The values of {found.file} span {spread:.3g} (0.5th to 99.5th percentile); "
                    f"the median is {middle:.3g}"
                )
                yield _scored(case, "range", text, float(score))


def _scored(case: Case, code: str, text: str, score: float) -> Outlier:
    z = f"{score:+.1f}".replace("-", "−")
    return Outlier(case.name, code, Severity.NOTE, f"{text} (robust z {z}).", score)
