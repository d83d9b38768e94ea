"""Curves of found against false lesions: their points, their table, their picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leuko.evaluation.lesionwise import by_size, lesion_f1_strict
from leuko.evaluation.overlap import dice
from leuko.evaluation.pair import Pair
from score_tables import SIZES, markdown
from scoring import SIZE_LIMITS_MM3
from small_png import save_small

__all__ = ["Counts", "Curve", "Point", "counted", "draw", "tables"]

ALLOWED = (1, 2, 5, 10, 20, 50)  # false lesions a scan at which the table reads the curves
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True, slots=True)
class Counts:
    """Lesions of one scan at one setting: true and found by size class, marked falsely in all."""

    true: tuple[int, ...]
    found: tuple[int, ...]
    false: int
    f1: float
    dice: float


@dataclass(frozen=True, slots=True)
class Point:
    """A set at one setting `at`: sums over its scans, and means of F1 and Dice over them."""

    at: float
    false_per_scan: float
    recall: float | None
    recall_by_size: tuple[float | None, ...]
    f1_strict: float
    dice: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One network on one set; `used` is the setting that it comes with.

    `seen`: it was trained on scans of the set. `true` counts the set's lesions by size class.
    """

    method: str
    set: str
    seen: bool
    used: float
    true: tuple[int, ...]
    points: tuple[Point, ...]

    @classmethod
    def of(
        cls,
        found: Mapping[float, Sequence[Counts]],
        *,
        method: str,
        set: str,
        used: float,
        seen: bool,
    ) -> Curve:
        """The curve of the counts of each scan at each setting."""
        any_ = next(iter(found.values()))
        true = tuple(map(sum, zip(*(one.true for one in any_), strict=True)))
        points = tuple(_point(at, scans) for at, scans in sorted(found.items()))
        return cls(method, set, seen, used, true, points)

    def best(self, false_per_scan: float, size: int | None = None) -> float | None:
        """The highest recall with at most so many false lesions a scan; None where there is none.

        `size` is the number of a size class; without one all lesions count.
        """
        recalls = [
            recall
            for point in self.points
            if point.false_per_scan <= false_per_scan
            and (recall := point.recall if size is None else point.recall_by_size[size]) is not None
        ]
        return max(recalls, default=None)


def counted(pair: Pair) -> Counts:
    """The lesions of one scan."""
    sizes = by_size(pair, limits_mm3=SIZE_LIMITS_MM3)
    return Counts(
        true=tuple(one.reference for one in sizes),
        found=tuple(one.found for one in sizes),
        false=sum(one.predicted - one.true for one in sizes),
        f1=lesion_f1_strict(pair),
        dice=dice(pair),
    )


def tables(curves: Sequence[Curve], *, vary: str) -> str:
    """Markdown: for every set the recall at a few rates of false lesions, in all and by size."""
    sections = []
    for key in dict.fromkeys(curve.set for curve in curves):
        own = [curve for curve in curves if curve.set == key]
        if not sum(own[0].true):
            sections.append(f"## {key}: false lesions a scan\n\n{_false_table(own, vary)}")
            continue
        sections.append(f"## {key}: {sum(own[0].true)} lesions\n\n{_recall_table(own)}")
    return "\n".join(sections)


def draw(curves: Sequence[Curve], *, vary: str, path: Path) -> None:
    """A PNG: a column a set; above all lesions, a colour a network, below a colour a size class.

    Dots are the setting that a network comes with; * marks sets that it was trained on.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    keys = [key for key in dict.fromkeys(c.set for c in curves) if _lesions(curves, key)]
    methods = list(dict.fromkeys(curve.method for curve in curves))
    if not keys:
        return
    figure, axes = plt.subplots(
        2, len(keys), figsize=(3.6 * len(keys) + 1, 7.4), squeeze=False, sharey=True
    )
    rates = [p.false_per_scan for c in curves if c.set in keys for p in c.points]
    least, most = min((rate for rate in rates if rate > 0), default=1.0), max(*rates, 1.0)
    colours = plt.get_cmap("tab10")
    shades = plt.get_cmap("viridis")
    for curve in (one for one in curves if one.set in keys):
        above, below = axes[:, keys.index(curve.set)]
        number = methods.index(curve.method)
        false = [point.false_per_scan for point in curve.points]
        label = f"{curve.method}{' *' if curve.seen else ''}"
        above.plot(false, [_y(p.recall) for p in curve.points], color=colours(number), label=label)
        for point in curve.points:
            if math.isclose(point.at, curve.used):
                above.plot(point.false_per_scan, _y(point.recall), "o", color=colours(number))
        for size, name in enumerate(SIZES):
            if curve.true[size]:
                below.plot(
                    false,
                    [_y(point.recall_by_size[size]) for point in curve.points],
                    STYLES[number % len(STYLES)],
                    color=shades(size / len(SIZES)),
                    label=f"{name} (n={curve.true[size]})" if not number else None,
                )
        above.set_title(f"{curve.set}: {sum(curve.true)} lesions", fontsize=10)
        below.set_xlabel("false lesions a scan")
    for axis in axes.flat:
        axis.set_xscale("log")
        axis.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
        axis.minorticks_off()
        axis.set_xlim(least / 1.1, most * 1.1)
        axis.set_ylim(0, 1.02)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, loc="lower right")
    axes[0][0].set_ylabel("share of all lesions found")
    axes[1][0].set_ylabel("share found, by volume in mm3")
    figure.suptitle(f"Lesions found against false ones, varying the {vary}", fontsize=11)
    figure.tight_layout()
    save_small(figure, path=path, dpi=110)
    plt.close(figure)


def _point(at: float, scans: Sequence[Counts]) -> Point:
    true = [sum(column) for column in zip(*(scan.true for scan in scans), strict=True)]
    found = [sum(column) for column in zip(*(scan.found for scan in scans), strict=True)]
    return Point(
        at=at,
        false_per_scan=sum(scan.false for scan in scans) / len(scans),
        recall=sum(found) / sum(true) if sum(true) else None,
        recall_by_size=tuple(
            part / whole if whole else None for part, whole in zip(found, true, strict=True)
        ),
        f1_strict=sum(scan.f1 for scan in scans) / len(scans),
        dice=sum(scan.dice for scan in scans) / len(scans),
    )


def _recall_table(curves: Sequence[Curve]) -> str:
    lines = []
    for curve in curves:
        name = f"{curve.method}{' (trained on it)' if curve.seen else ''}"
        used = next(point for point in curve.points if math.isclose(point.at, curve.used))
        best = max(curve.points, key=lambda point: point.f1_strict)
        for allowed in ALLOWED:
            recalls = [curve.best(allowed, size) for size in (None, *range(len(curve.true)))]
            if recalls[0] is not None:
                lines.append((name, f"<= {allowed}", *map(_text, recalls)))
        own = (used.recall, *used.recall_by_size)
        lines.append((name, f"{used.false_per_scan:.1f} as it comes", *map(_text, own)))
        lines.append(
            (
                name,
                f"{best.false_per_scan:.1f} at {best.at:g}: F1 {best.f1_strict:.2f}",
                *map(_text, (best.recall, *best.recall_by_size)),
            )
        )
    sizes = [f"{name} ({n})" for name, n in zip(SIZES, curves[0].true, strict=True)]
    return markdown(("recall of", "false a scan", "all", *sizes), lines)


def _false_table(curves: Sequence[Curve], vary: str) -> str:
    found = [{point.at: f"{point.false_per_scan:.1f}" for point in one.points} for one in curves]
    return markdown(
        (vary, *(curve.method for curve in curves)),
        [(f"{at:g}", *(one.get(at, "") for one in found)) for at in sorted({*found[0]})],
    )


def _lesions(curves: Sequence[Curve], key: str) -> int:
    return sum(sum(curve.true) for curve in curves if curve.set == key)


def _y(recall: float | None) -> float:
    return math.nan if recall is None else recall


def _text(recall: float | None) -> str:
    return "" if recall is None else f"{recall:.2f}"
