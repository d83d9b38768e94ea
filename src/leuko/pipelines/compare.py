"""Several methods' masks against one reference, on the cases that all of them have."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from leuko.errors import UsageError
from leuko.evaluation.pooled import LENGTHS
from leuko.evaluation.ranking import Ranking, rank
from leuko.evaluation.registry import CHALLENGE, METRICS
from leuko.evaluation.statistics import Wilcoxon, wilcoxon
from leuko.pipelines.evaluate import evaluate_paths
from leuko.pipelines.evaluate_results import Evaluation, summaries

__all__ = ["Comparison", "PairTest", "compare", "holm"]

BESIDE = ("lesion_f1_strict", "iou", "reference_ml", "prediction_ml")
LABEL_RANKED = ("dice", "iou", "hd95_surface", "nsd", "avd")


@dataclass(frozen=True, slots=True)
class PairTest:
    """Two methods in one metric: the test, its p after Holm's correction, median difference."""

    metric: str
    first: str
    second: str
    test: Wilcoxon
    p_holm: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Methods (in the order given) on the same `cases`, ranked by `metrics`.

    `wins` counts by metric and method the cases on which no other method is better; `left_out`
    names what only some methods have (or could not be scored for), by method.
    """

    methods: tuple[str, ...]
    cases: tuple[str, ...]
    metrics: tuple[str, ...]
    evaluations: Mapping[str, Evaluation]
    ranking: Ranking
    tests: tuple[PairTest, ...]
    wins: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sized(self) -> bool:
        """Whether lengths are mm; pictures have pixels."""
        return next(iter(self.evaluations.values())).sized

    @property
    def counted(self) -> str:
        """What a case is, in the plural."""
        return next(iter(self.evaluations.values())).counted

    def values(self, method: str, metric: str) -> list[float]:
        """A metric of a method, a case each in the order of `cases`."""
        return [case.values[metric] for case in self.evaluations[method].cases]


def compare(
    reference: str | os.PathLike[str],
    methods: Mapping[str, str | os.PathLike[str]],
    *,
    metrics: Iterable[str] | None = None,
    labels: bool = False,
    names: Mapping[int, str] | None = None,
    subject: str | None = None,
) -> Comparison:
    """Compare `methods` (name to a file, folder or pattern of masks) against `reference`.

    Ranked by `metrics` (default: the five of the WMH challenge; for label maps, with `labels`:
    Dice, IoU, H95 of the surface, surface Dice, volume difference). `subject` makes the images of
    a subject one case, as `evaluate_paths` says: distances are then left out of the default, and
    so is a subject of whom the methods have different images. Raises UsageError (exit 2) for fewer
    than two methods, for a metric that has no good direction, and where no case is common to all;
    else what `evaluate_paths` raises.
    """
    if len(methods) < 2:
        raise UsageError(
            "One method is compared with nothing.",
            hint="Give two or more: leuko compare REF A=FOLDER B=FOLDER.",
        )
    ranked = tuple(metrics or (LABEL_RANKED if labels else CHALLENGE))
    if subject is not None and metrics is None:
        ranked = tuple(name for name in ranked if name not in LENGTHS)
    aimless = [name for name in ranked if name in METRICS and METRICS[name].better == "none"]
    if aimless:
        raise UsageError(
            f"Methods cannot be ranked by {aimless[0]}, which is neither good nor bad.",
            hint="Choose a metric that has a good direction.",
        )
    beside = (n for n in _beside(labels=labels) if subject is None or n not in LENGTHS)
    wanted = tuple(dict.fromkeys([*ranked, *beside]))
    found = {
        name: evaluate_paths(
            reference, Path(path), metrics=wanted, labels=labels, names=names, subject=subject
        )
        for name, path in methods.items()
    }
    return _compared(found, ranked)


def holm(values: Iterable[float]) -> list[float]:
    """The p values after Holm's step-down correction; nan stays nan and does not count."""
    given = list(values)
    order = sorted((p, k) for k, p in enumerate(given) if not math.isnan(p))
    corrected, highest = [math.nan] * len(given), 0.0
    for place, (p, k) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - place)))
        corrected[k] = highest
    return corrected


def _beside(*, labels: bool) -> tuple[str, ...]:
    return ("avd", "assd", "reference_ml", "prediction_ml") if labels else BESIDE


def _compared(found: Mapping[str, Evaluation], ranked: tuple[str, ...]) -> Comparison:
    held = _held(found)
    common = set.intersection(*held.values())
    if not common:
        raise UsageError(
            "No case was scored for all methods.",
            hint="Check that the files of all methods are named alike: "
            + "; ".join(f"{name}: {_some(cases)}" for name, cases in held.items()),
        )
    scored = ({case.case for case in item.cases} for item in found.values())
    failed = ({failure.case for failure in item.failures} for item in found.values())
    every = set.union(*scored, *failed)
    kept = {name: _only(item, common) for name, item in found.items()}
    table = {name: {case.case: case.values for case in item.cases} for name, item in kept.items()}
    cases = tuple(case.case for case in next(iter(kept.values())).cases)
    return Comparison(
        methods=tuple(kept),
        cases=cases,
        metrics=ranked,
        evaluations=MappingProxyType(kept),
        ranking=rank(table, metrics=ranked),
        tests=_tests(table, cases, ranked),
        wins=_wins(table, cases, ranked),
        left_out={
            name: tuple(sorted(every - cases_held))
            for name, cases_held in held.items()
            if every - cases_held
        },
    )


def _held(found: Mapping[str, Evaluation]) -> dict[str, set[str]]:
    """The cases of each method, without subjects of whom another method has further images."""
    every: dict[str, set[str]] = {}
    for item in found.values():
        for case in item.cases:
            every.setdefault(case.case, set()).update(case.pieces)
    return {
        name: {case.case for case in item.cases if every[case.case] == set(case.pieces)}
        for name, item in found.items()
    }


def _only(evaluation: Evaluation, cases: set[str]) -> Evaluation:
    """The evaluation of these cases alone."""
    kept = tuple(case for case in evaluation.cases if case.case in cases)
    names = tuple(evaluation.summary)
    summary = summaries([case.values for case in kept], names=names)
    return replace(evaluation, cases=kept, summary=summary)


Values = Mapping[str, Mapping[str, Mapping[str, float]]]


def _tests(table: Values, cases: tuple[str, ...], metrics: tuple[str, ...]) -> tuple[PairTest, ...]:
    """Every pair of methods in every metric, corrected together."""
    rows = []
    for first, second in combinations(table, 2):
        for metric in metrics:
            sides = [[table[m][case][metric] for case in cases] for m in (first, second)]
            rows.append((metric, first, second, wilcoxon(*sides)))
    corrected = holm(test.p for *_, test in rows)
    return tuple(PairTest(*row, p) for row, p in zip(rows, corrected, strict=True))


def _wins(
    table: Values, cases: tuple[str, ...], metrics: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    wins = {metric: dict.fromkeys(table, 0) for metric in metrics}
    for metric in metrics:
        for case in cases:
            costs = {name: _cost(rows[case][metric], metric) for name, rows in table.items()}
            best = min(costs.values())
            if math.isinf(best):
                continue  # no method has a value
            for name, cost in costs.items():
                wins[metric][name] += cost <= best + 1e-12
    return wins


def _cost(value: float, metric: str) -> float:
    """Lower is better; infinite without a value."""
    if math.isnan(value):
        return math.inf
    better = METRICS[metric].better
    return -value if better == "higher" else abs(value) if better == "zero" else value


def _some(cases: set[str]) -> str:
    listed = sorted(cases)[:3]
    return ", ".join(listed) + (" ..." if len(cases) > 3 else "") if listed else "none"
