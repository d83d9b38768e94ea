"""How the numbers of a diagnosis are written, and the sentences that open its page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from leuko.pipelines.diagnose import Diagnosis, OperatingPoint
from leuko.report.wording import diagnosis_words

__all__ = ["best_interval", "care", "heading", "lead", "more", "percent", "threshold",
           "with_interval", "written", "written_range"]  # fmt: skip

Interval = tuple[float, float]
FEW_PEOPLE = 30


def lead(found: Diagnosis) -> str:
    """The first sentence: how well the scores tell the cases apart."""
    curve, point = found.roc, found.points[0]
    interval, how = best_interval(found)
    what = f" for '{found.cases.condition}'" if found.cases.condition else ""
    return (
        f"{curve.positives} of {len(found.cases.names)} cases have the condition. The scores{what} "
        f"tell them from the others with an area under the curve of {written(curve.auc)} "
        f"(95 % interval {written_range(interval)}{how}); at {spoken(point)} "
        f"sensitivity is {written(point.confusion.sensitivity)} and specificity "
        f"{written(point.confusion.specificity)}."
    )


def best_interval(found: Diagnosis) -> tuple[Interval, str]:
    """The interval to quote: of whole people where that is known, else DeLong's."""
    if found.clustered and not math.isnan(found.clustered.auc[0]):
        return found.clustered.auc, ", drawing whole people"
    return found.roc.auc_interval, ""


def more(found: Diagnosis) -> str:
    """How the threshold was chosen."""
    point = found.points[0]
    if point.rule == "chosen on other cases":
        chosen = "The threshold was chosen on cases that are not judged here (Youden's"
        chosen += ", each fold its own)." if len(point.thresholds) > 1 else ")."
    elif point.rule == "fixed":
        chosen = "The threshold was fixed beforehand."
    else:
        chosen = ""
    return chosen


def care(found: Diagnosis) -> Iterator[str]:
    """What is to be kept in mind."""
    words = diagnosis_words()
    if found.points[0].optimistic:
        yield words("caution.same")
    if found.clustered:
        said = words("caution.clusters", cases=len(found.cases.names), subjects=found.subjects,
                     draws=found.draws, seed=found.seed)  # fmt: skip
        few = words("caution.few", subjects=found.subjects)
        yield f"{said} {few}" if found.subjects < FEW_PEOPLE else said
    elif not found.subjects:
        yield words("caution.unknown")
    if found.cases.left_out:
        yield words("caution.left_out", count=len(found.cases.left_out))


def written(value: float, *, percent: bool = False) -> str:
    """Three digits; n/a where there is no value, ∞ where it has no bound."""
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞"
    if percent:
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if 0 < abs(value) < 1 else f"{value:.3g}"


def threshold(point: OperatingPoint) -> str:
    """The threshold of an operating point, or the range of its folds'."""
    values = sorted(set(point.thresholds.values()))
    if len(values) == 1:
        return written(values[0])
    return f"{written(values[0])} to {written(values[-1])} by fold"


def spoken(point: OperatingPoint) -> str:
    """The same in a sentence."""
    several = len(set(point.thresholds.values())) > 1
    values = threshold(point).removesuffix(" by fold")
    return f"the folds' thresholds ({values})" if several else f"the threshold {values}"


def heading(point: OperatingPoint) -> str:
    """What an operating point is called above its column."""
    if point.rule == "chosen on other cases":
        return "Chosen on other cases"
    if point.optimistic:
        return "Youden's, on these cases: optimistic"
    return f"Fixed at {point.name}"


def with_interval(point: OperatingPoint, name: str) -> str:
    """A rate with its 95 % interval."""
    table = point.confusion
    return f"{written(getattr(table, name))} ({written_range(getattr(table, f'{name}_interval'))})"


def written_range(interval: Interval) -> str:
    """From where to where."""
    if math.isnan(interval[0]):
        return "no interval"
    return f"{written(interval[0])} to {written(interval[1])}"


def percent(value: float, interval: Interval) -> str:
    """A share in percent with its interval."""
    text = written(value, percent=True)
    if math.isnan(interval[0]):
        return text
    return f"{text} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
