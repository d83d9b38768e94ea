"""How well scores tell who has a condition: ROC, a threshold's table, Bayes, calibration."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leuko.errors import UsageError
from leuko.evaluation.calibration import Calibration, calibration
from leuko.evaluation.clustered import ClusteredIntervals, clustered_intervals
from leuko.evaluation.diagnosis import (
    Confusion,
    Roc,
    confusion,
    posterior_odds,
    posterior_probability,
    roc,
)
from leuko.pipelines.diagnose_table import Cases, read_cases

__all__ = ["Diagnosis", "FoldArea", "OperatingPoint", "Posterior", "diagnose", "diagnose_cases"]

Rule = Literal["chosen on other cases", "fixed", "chosen on these cases"]
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Posterior:
    """What a result makes of a prior probability: odds and probability of the condition after it.

    Intervals are those of the likelihood ratios, drawing whole people where it is known whose
    cases are; nan where these have none.
    """

    prior: float
    positive_odds: float
    positive: float
    positive_interval: tuple[float, float]
    negative_odds: float
    negative: float
    negative_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Decisions at a threshold (of each fold, where there are some): positive from it on.

    `clustered` holds intervals that draw whole people, where it is known whose cases are.
    """

    name: str
    rule: Rule
    thresholds: Mapping[str, float]
    confusion: Confusion
    posteriors: tuple[Posterior, ...]
    clustered: ClusteredIntervals | None

    @property
    def optimistic(self) -> bool:
        """Whether the threshold was chosen on the very cases it is judged on."""
        return self.rule == "chosen on these cases"


@dataclass(frozen=True, slots=True, eq=False)
class FoldArea:
    """The area under the curve of one fold's cases."""

    fold: str
    auc: float
    auc_interval: tuple[float, float]
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """`points`: the first is the one to report. `calibration` is None of scores beyond 0 to 1."""

    cases: Cases
    roc: Roc
    points: tuple[OperatingPoint, ...]
    folds: tuple[FoldArea, ...]
    calibration: Calibration | None
    prevalence: float
    priors: tuple[float, ...]
    draws: int
    seed: int

    @property
    def subjects(self) -> int:
        """How many people the cases are of; 0 where that is not known."""
        return len({subject for subject in self.cases.subjects if subject})

    @property
    def clustered(self) -> ClusteredIntervals | None:
        """Intervals that draw whole people; None where there is no more than one case of each."""
        return self.points[0].clustered


def diagnose(
    table: str | os.PathLike[str],
    *,
    truth: str = "",
    condition: str = "",
    score: str = "",
    subject: str = "",
    threshold: float | Literal["youden"] | None = None,
    choose_on: str | os.PathLike[str] | None = None,
    priors: Sequence[float] = (),
    draws: int = 2000,
    seed: int = 1,
) -> Diagnosis:
    """Judge the scores of a table (.tsv, .csv; `leuko predict` writes classes.tsv) by their truth.

    The threshold is, in this order: `threshold`; Youden's on the cases of the table `choose_on`,
    in each fold its own; 0.5 of probabilities; Youden's on the same cases, which is optimistic and
    marked so. `priors` are probabilities; without any, the share of positive cases. Raises what
    `read_cases` raises, UsageError (exit 2) where all cases are of one kind or options contradict.
    """
    if threshold is not None and choose_on is not None:
        raise UsageError(
            "A threshold is given, and cases to choose one on.", hint="Give one of the two."
        )
    cases = read_cases(table, truth=truth, condition=condition, score=score, subject=subject)
    others = None
    if choose_on is not None:
        same = {"condition": cases.condition, "score": cases.score} if cases.condition else {}
        others = read_cases(choose_on, truth=truth, subject=subject, **same)
        _require_others(cases, others)
    return diagnose_cases(
        cases, threshold=threshold, others=others, priors=priors, draws=draws, seed=seed
    )


def diagnose_cases(
    cases: Cases,
    *,
    threshold: float | Literal["youden"] | None = None,
    others: Cases | None = None,
    priors: Sequence[float] = (),
    draws: int = 2000,
    seed: int = 1,
) -> Diagnosis:
    """The same for cases in memory; `others` are those to choose the threshold on."""
    found = roc(cases.scores, cases.truth)
    if not found.positives or not found.negatives:
        kind = "with" if found.positives else "without"
        raise UsageError(
            f"All {len(cases.names)} cases are {kind} the condition.",
            hint="Sensitivity needs cases with it, specificity cases without it.",
        )
    prevalence = found.positives / len(cases.names)
    wanted = tuple(priors) or (prevalence,)
    points = []
    for name, rule, thresholds in _thresholds(cases, found, threshold=threshold, others=others):
        limits = np.array([thresholds[fold] for fold in cases.folds])
        called = np.asarray(cases.scores) >= limits
        table = confusion(called, cases.truth)
        drawn = _clustered(cases, called, draws=draws, seed=seed)
        points.append(
            OperatingPoint(
                name=name,
                rule=rule,
                thresholds=thresholds,
                confusion=table,
                posteriors=tuple(_posterior(prior, table, drawn) for prior in wanted),
                clustered=drawn,
            )
        )
    return Diagnosis(
        cases=cases,
        roc=found,
        points=tuple(points),
        folds=_fold_areas(cases),
        calibration=calibration(cases.scores, cases.truth) if cases.probabilities else None,
        prevalence=prevalence,
        priors=wanted,
        draws=draws,
        seed=seed,
    )


def _thresholds(
    cases: Cases, found: Roc, *, threshold: float | Literal["youden"] | None, others: Cases | None
) -> list[tuple[str, Rule, dict[str, float]]]:
    """Name, rule and threshold of each fold, the point to report first."""
    folds = dict.fromkeys(cases.folds)

    def alike(value: float) -> dict[str, float]:
        return dict.fromkeys(folds, value)

    youden: tuple[str, Rule, dict[str, float]] = (
        "Youden's, these cases", "chosen on these cases", alike(found.youden_threshold),
    )  # fmt: skip
    half: tuple[str, Rule, dict[str, float]] = ("0.5", "fixed", alike(HALF))
    known = [half] if cases.probabilities else []
    if others is not None:
        chosen = {fold: _chosen(others, fold) for fold in folds}
        return [("Youden's, other cases", "chosen on other cases", chosen), *known,
                youden]  # fmt: skip
    if threshold == "youden":
        return [youden, *known]
    if threshold is not None:
        value = float(threshold)
        return [(f"{value:g}", "fixed", alike(value)), youden]
    return [*known, youden]


def _chosen(others: Cases, fold: str) -> float:
    """Youden's threshold on the cases of a fold, half way to the next lower score.

    The score itself would leave a case that is a little lower on the wrong side.
    """
    kept = [k for k, name in enumerate(others.folds) if name == fold]
    scores = [others.scores[k] for k in kept]
    found = roc(scores, [others.truth[k] for k in kept])
    if not found.positives or not found.negatives:
        raise UsageError(
            f"{others.source} has cases of one kind only" + (f" in {fold}." if fold else "."),
            hint="Choosing a threshold takes cases with and without the condition.",
        )
    lower = [score for score in scores if score < found.youden_threshold]
    return (found.youden_threshold + max(lower)) / 2 if lower else found.youden_threshold


def _require_others(cases: Cases, others: Cases) -> None:
    """The cases a threshold is chosen on must be of the same folds, and none that is judged."""
    missing = set(cases.folds) - set(others.folds)
    if missing:
        raise UsageError(
            f"{others.source} has no cases of {', '.join(sorted(missing)) or 'the whole'}.",
            hint="Predict both parts of the same run: leuko predict RUN --part valid.",
        )
    judged = set(zip(cases.folds, cases.names, strict=True))
    both = judged & set(zip(others.folds, others.names, strict=True))
    if both:
        raise UsageError(
            f"{len(both)} cases are judged and in {others.source}, too.",
            hint="A threshold chosen on the cases that it is judged on is optimistic. Say so with "
            "--threshold youden, or choose it on other cases.",
        )
    people = {(f, s) for f, s in zip(cases.folds, cases.subjects, strict=True) if s}
    shared = people & set(zip(others.folds, others.subjects, strict=True))
    if shared:
        raise UsageError(
            f"{len(shared)} people are judged and in {others.source}, too.",
            hint="Choose the threshold on other people.",
        )


def _posterior(prior: float, table: Confusion, drawn: ClusteredIntervals | None) -> Posterior:
    def after(ratio: float) -> float:
        return math.nan if math.isnan(ratio) else posterior_probability(prior, ratio)

    up, down = table.lr_positive, table.lr_negative
    up_low, up_high = drawn.lr_positive if drawn else table.lr_positive_interval
    down_low, down_high = drawn.lr_negative if drawn else table.lr_negative_interval
    return Posterior(
        prior=prior,
        positive_odds=posterior_odds(prior, up),
        positive=after(up),
        positive_interval=(after(up_low), after(up_high)),
        negative_odds=posterior_odds(prior, down),
        negative=after(down),
        negative_interval=(after(down_low), after(down_high)),
    )


def _clustered(
    cases: Cases, called: np.ndarray, *, draws: int, seed: int
) -> ClusteredIntervals | None:
    if not draws or len(set(cases.subjects)) in (1, len(cases.names)):
        return None  # it is not known whose they are, or everybody has one
    return clustered_intervals(
        cases.scores, called, cases.truth, cases.subjects, draws=draws, seed=seed
    )


def _fold_areas(cases: Cases) -> tuple[FoldArea, ...]:
    names = sorted(set(cases.folds))
    if len(names) < 2:
        return ()
    areas = []
    for name in names:
        kept = [k for k, fold in enumerate(cases.folds) if fold == name]
        found = roc([cases.scores[k] for k in kept], [cases.truth[k] for k in kept])
        areas.append(
            FoldArea(name, found.auc, found.auc_interval, found.positives, found.negatives)
        )
    return tuple(areas)
