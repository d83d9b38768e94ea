"""What intervals and confidences are made of, fitted on scans and tried on sets left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from interval_scans import Scan
from leuko.evaluation.calibration import fitted_log_odds
from leuko.models.card import LogOdds, VolumeErrors
from leuko.quantify.uncertainty import SUREST, volume_interval

__all__ = [
    "LEVEL",
    "Held",
    "bootstrapped",
    "fit_errors",
    "fit_lesions",
    "fit_voxels",
    "healthy_floor",
    "held",
    "left_out",
    "likelihood",
    "log_odds",
]

LEVEL = 0.9
AUTOMATIC = ("nichart",)  # groups whose reference is another program's mask
LEAST_FLOOR_ML = 1.0  # below, a ml and a share can't be told apart on so few scans
LEAST_REACH = 0.1  # of a side on which nothing has erred yet
DRAWS = 500
FloatArray = npt.NDArray[np.float64]
Fitted = TypeVar("Fitted")
Tried = TypeVar("Tried")


@dataclass(frozen=True, slots=True)
class Held:
    """A scan's interval from a fit without its set."""

    scan: Scan
    low_ml: float
    high_ml: float

    @property
    def inside(self) -> bool:
        """Whether the expert's volume lies in it."""
        return self.low_ml <= self.scan.truth_ml <= self.high_ml


def fit_errors(scans: Sequence[Scan], *, floor_ml: float) -> VolumeErrors:
    """Split conformal prediction of log(volume + floor), with a scale of its own on either side.

    The scale of a side is the root mean square of the errors on it, every set counting the same;
    its multiple is the ceil((n + 1) LEVEL)-th smallest of all errors in such units (Vovk and
    others, Algorithmic learning in a random world, 2005; Lei and others, JASA 2018).
    """
    errors = np.array([_error(scan, floor_ml) for scan in scans])
    groups = np.array([scan.group for scan in scans])
    below, above = (_scale(errors, groups, side) for side in (-1, 1))
    units = np.sort(np.where(errors < 0, -errors / below, errors / above))
    reach = float(units[min(math.ceil((len(units) + 1) * LEVEL), len(units)) - 1])
    return VolumeErrors(
        below=round(below * reach, 4),
        above=round(above * reach, 4),
        floor_ml=round(floor_ml, 2),
        level=LEVEL,
        scans=_cases(scans),
        sets=len(set(groups)),
        held=0,
        judged=len(scans),
        automatic=_cases([scan for scan in scans if scan.group in AUTOMATIC]),
        empty=_cases([scan for scan in scans if scan.truth_ml == 0]),
    )


def _cases(scans: Sequence[Scan]) -> int:
    """How many different scans: one under two definitions is one."""
    return len({(scan.group, scan.case) for scan in scans})


def healthy_floor(scans: Sequence[Scan]) -> float:
    """The mean volume in ml of the masks of heads without lesions, at least LEAST_FLOOR_ML."""
    false = [scan.volume_ml for scan in scans if scan.truth_ml == 0]
    return max(float(np.mean(false)) if false else 0.0, LEAST_FLOOR_ML)


def held(scans: Sequence[Scan], errors: VolumeErrors) -> list[Held]:
    """The intervals of scans."""
    found = [volume_interval(scan.volume_ml, errors=errors) for scan in scans]
    return [Held(s, one.low_ml, one.high_ml) for s, one in zip(scans, found, strict=True)]


def left_out(
    scans: Sequence[Scan],
    fit: Callable[[Sequence[Scan]], Fitted],
    attempt: Callable[[Sequence[Scan], Fitted], list[Tried]],
) -> list[Tried]:
    """What a fit on all other sets gives for each set, in the order of the sets."""
    tried: list[Tried] = []
    for group in dict.fromkeys(scan.group for scan in scans):
        others = [scan for scan in scans if scan.group != group]
        tried += attempt([scan for scan in scans if scan.group == group], fit(others))
    return tried


def bootstrapped(scans: Sequence[Scan], *, floor_ml: float, draws: int = DRAWS) -> float:
    """The share of volumes held by fits on scans drawn again, of the scans that were not drawn.

    Scans are drawn within their sets, with all their definitions: so it speaks of scanners that
    were seen in the fit.
    """
    rng = np.random.default_rng(0)
    groups: dict[str, list[str]] = {}
    for scan in scans:
        names = groups.setdefault(scan.group, [])
        names += [] if scan.case in names else [scan.case]
    inside: list[bool] = []
    for _ in range(draws):
        drawn = {(g, c): 0 for g, names in groups.items() for c in names}
        for group, names in groups.items():
            for case in rng.choice(names, len(names)):
                drawn[group, str(case)] += 1
        some = [scan for scan in scans for _ in range(drawn[scan.group, scan.case])]
        rest = [scan for scan in scans if not drawn[scan.group, scan.case]]
        if rest:
            errors = fit_errors(some, floor_ml=floor_ml)
            inside += [one.inside for one in held(rest, errors)]
    return float(np.mean(inside))


def fit_lesions(scans: Sequence[Scan]) -> LogOdds:
    """From a lesion's highest probability to that of being real; each scan counts the same."""
    some = [scan for scan in scans if scan.peak.size]
    return _odds([scan.peak for scan in some], [scan.real for scan in some])


def fit_voxels(scans: Sequence[Scan]) -> LogOdds:
    """From a voxel's probability to the calibrated one; each scan counts the same."""
    some = [scan for scan in scans if scan.probability.size]
    return _odds([scan.probability for scan in some], [scan.lesion for scan in some])


def likelihood(values: FloatArray, odds: LogOdds) -> FloatArray:
    """Probabilities after the fit."""
    return np.asarray(1 / (1 + np.exp(-odds.offset - odds.slope * log_odds(values))))


def log_odds(values: FloatArray) -> FloatArray:
    """Of probabilities that are no surer than SUREST."""
    sure = np.clip(values, 1 - SUREST, SUREST)
    return np.asarray(np.log(sure / (1 - sure)))


def _odds(values: Sequence[FloatArray], truth: Sequence[npt.NDArray[np.bool_]]) -> LogOdds:
    weights = np.concatenate([np.full(one.size, 1 / one.size) for one in values])
    slope, offset = fitted_log_odds(
        log_odds(np.concatenate(values)), np.concatenate(truth), weights=weights
    )
    return LogOdds(slope=round(slope, 4), offset=round(offset, 4))


def _error(scan: Scan, floor_ml: float) -> float:
    return math.log((scan.truth_ml + floor_ml) / (scan.volume_ml + floor_ml))


def _scale(errors: FloatArray, groups: npt.NDArray[np.str_], side: int) -> float:
    squares = [
        float((own[own * side > 0] ** 2).mean())
        for own in (errors[groups == group] for group in np.unique(groups))
        if (own * side > 0).any()
    ]
    return max(math.sqrt(float(np.mean(squares))) if squares else 0.0, LEAST_REACH)
