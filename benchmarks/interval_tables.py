"""The tables of intervals.py: what fits on other sets gave for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from interval_fits import Held, likelihood
from interval_scans import Scan
from leuko.evaluation.calibration import calibration
from leuko.evaluation.diagnosis import roc, wilson_interval
from leuko.models.card import LogOdds, VolumeErrors
from leuko.quantify.uncertainty import volume_interval
from score_tables import markdown

__all__ = ["LesionsTried", "VoxelsTried", "by_set", "lesions_tried", "tables", "voxels_tried"]

EXPERTS = 1.6  # one expert gives up to so many times another's volume
SHOWN_ML = (0.0, 1.0, 5.0, 10.0, 20.0, 50.0)
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
One = TypeVar("One", "Held", "LesionsTried", "VoxelsTried")


@dataclass(frozen=True, slots=True, eq=False)
class LesionsTried:
    """Lesions of one scan: plain and fitted probabilities, and which are real."""

    scan: Scan
    fitted: FloatArray

    @property
    def brier_before(self) -> float:
        """Of the mean probability inside."""
        return float(((self.scan.mean - self.scan.real) ** 2).mean())

    @property
    def brier(self) -> float:
        """Of the fit."""
        return float(((self.fitted - self.scan.real) ** 2).mean())


@dataclass(frozen=True, slots=True, eq=False)
class VoxelsTried:
    """Voxels in doubt of one scan, and what the fit makes of their probabilities."""

    scan: Scan
    fitted: FloatArray

    @property
    def brier_before(self) -> float:
        """Of the network's own probabilities."""
        return calibration(self.scan.probability, self.scan.lesion).brier

    @property
    def brier(self) -> float:
        """Of the fit."""
        return calibration(self.fitted, self.scan.lesion).brier


def lesions_tried(scans: Sequence[Scan], odds: LogOdds) -> list[LesionsTried]:
    """The lesions of scans with a fit of other sets; scans without a lesion say nothing."""
    return [LesionsTried(scan, likelihood(scan.peak, odds)) for scan in scans if scan.peak.size]


def voxels_tried(scans: Sequence[Scan], odds: LogOdds) -> list[VoxelsTried]:
    """The voxels of scans with a fit of other sets."""
    return [
        VoxelsTried(scan, likelihood(scan.probability, odds))
        for scan in scans
        if scan.probability.size
    ]


def tables(
    volumes: Sequence[Held],
    lesions: Sequence[LesionsTried],
    voxels: Sequence[VoxelsTried],
    *,
    errors: VolumeErrors,
    bootstrap: float,
) -> str:
    """Everything as Markdown."""
    return "\n".join(
        [
            _volumes(volumes, errors=errors, bootstrap=bootstrap),
            _examples(errors),
            _lesions(lesions),
            _voxels(voxels),
        ]
    )


def _volumes(volumes: Sequence[Held], *, errors: VolumeErrors, bootstrap: float) -> str:
    rows = []
    for key, own in by_set(volumes):
        inside = sum(one.inside for one in own)
        naive = sum(_between(s.sure_ml, s.truth_ml, s.doubtful_ml) for s in (o.scan for o in own))
        experts = sum(
            _between(s.volume_ml / EXPERTS, s.truth_ml, s.volume_ml * EXPERTS)
            for s in (o.scan for o in own)
        )
        off = [math.log((s.volume_ml + 1) / (s.truth_ml + 1)) for s in (o.scan for o in own)]
        rows.append(
            (key, str(len(own)), f"{math.exp(float(np.mean(off))):.2f}", f"{inside} of {len(own)}",
             f"{experts} of {len(own)}", f"{naive} of {len(own)}")
        )  # fmt: skip
    inside = sum(one.inside for one in volumes)
    low, high = wilson_interval(inside, len(volumes))
    head = ("set left out", "volumes", "mask / expert", "held by the interval",
            f"by a factor of {EXPERTS:g}", "by p >= .9 to p >= .1")  # fmt: skip
    return (
        f"{markdown(head, rows)}\n"
        f"Held: {inside} of {len(volumes)} volumes on {errors.scans} scans of {errors.sets} sets, "
        f"{inside / len(volumes):.2f} (95 % interval {low:.2f} to {high:.2f} if volumes were "
        f"independent). Scans left out of sets that the fit knows (bootstrap): {bootstrap:.2f}.\n"
    )


def _examples(errors: VolumeErrors) -> str:
    found = [volume_interval(ml, errors=errors) for ml in SHOWN_ML]
    head = ("volume of the mask", *(f"{ml:g} ml" for ml in SHOWN_ML))
    row = ("90 % interval", *(f"{one.low_ml:.1f} to {one.high_ml:.1f}" for one in found))
    return markdown(head, [row])


def _lesions(lesions: Sequence[LesionsTried]) -> str:
    rows = []
    for key, own in by_set(lesions):
        real = np.concatenate([one.scan.real for one in own])
        mean = np.concatenate([one.scan.mean for one in own])
        fitted = np.concatenate([one.fitted for one in own])
        rows.append(
            (key, str(real.size), f"{real.mean():.2f}", f"{mean.mean():.2f}",
             f"{fitted.mean():.2f}", *_scores(mean, fitted, real))
        )  # fmt: skip
    rows.append(
        ("mean over scans", "", "", "", "",
         f"{np.mean([one.brier_before for one in lesions]):.3f}",
         f"{np.mean([one.brier for one in lesions]):.3f}", "", "")
    )  # fmt: skip
    head = ("set left out", "lesions", "real", "mean probability", "confidence",
            "Brier of the mean", "of confidence", "AUC of the mean", "of confidence")  # fmt: skip
    return markdown(head, rows)


def _scores(mean: FloatArray, fitted: FloatArray, real: BoolArray) -> tuple[str, str, str, str]:
    brier = [f"{((one - real) ** 2).mean():.3f}" for one in (mean, fitted)]
    both = bool(real.any() and not real.all())
    area = [f"{roc(one, real).auc:.2f}" if both else "" for one in (mean, fitted)]
    return brier[0], brier[1], area[0], area[1]


def _voxels(voxels: Sequence[VoxelsTried]) -> str:
    rows = []
    for key, own in by_set(voxels):
        before = [calibration(one.scan.probability, one.scan.lesion) for one in own]
        after = [calibration(one.fitted, one.scan.lesion) for one in own]
        share = float(np.mean([one.scan.lesion.mean() for one in own]))
        given = float(np.mean([one.scan.probability.mean() for one in own]))
        found = float(np.mean([one.fitted.mean() for one in own]))
        rows.append(
            (key, f"{share:.2f}", f"{given:.2f}", f"{found:.2f}",
             *(f"{np.mean([getattr(one, name) for one in scores]):.3f}"
               for name in ("ece", "brier") for scores in (before, after)))
        )  # fmt: skip
    head = ("set left out", "lesion", "network", "calibrated", "ECE of the network",
            "calibrated", "Brier of the network", "calibrated")  # fmt: skip
    return markdown(head, rows)


def by_set(tried: Sequence[One]) -> list[tuple[str, list[One]]]:
    """What was tried, set by set."""
    keys = dict.fromkeys(one.scan.key for one in tried)
    return [(key, [one for one in tried if one.scan.key == key]) for key in keys]


def _between(low: float, value: float, high: float) -> bool:
    return low <= value <= high
