"""How far the volume may lie from an expert's, and how likely an expert sees a lesion, too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from leuko.errors import UsageError
from leuko.models.card import LogOdds, VolumeErrors
from leuko.quantify.lesions import Lesion

__all__ = ["LEVEL", "SUREST", "VolumeInterval", "lesion_confidence", "volume_interval"]

LEVEL = 0.9
SUREST = 0.99999  # probability; beyond it, the precision of the numbers decides


@dataclass(frozen=True, slots=True)
class VolumeInterval:
    """A range that holds the volume an expert would draw, in `level` of scans of other scanners.

    `how` says in a sentence what it was measured on, and how often it held.
    """

    low_ml: float
    high_ml: float
    level: float  # above 0, below 1
    how: str


def volume_interval(
    volume_ml: float, *, errors: VolumeErrors, level: float = LEVEL
) -> VolumeInterval:
    """The interval around a volume in ml, from the errors measured on scans never seen.

    It spans the logarithm of volume + `errors.floor_ml`, with a reach of its own below and above:
    relative where there is much, in ml where there is little. At other levels than the errors' own
    the reach changes as that of a normal distribution. It holds `volume_ml`, begins at 0 for 0 and
    grows with `level`. UsageError (exit 2) for a volume or a level that is none.
    """
    if not (volume_ml >= 0 and math.isfinite(volume_ml) and 0 < level < 1):
        raise UsageError(
            f"There is no interval of level {level:g} around {volume_ml:g} ml.",
            hint="The level lies between 0 and 1, the volume is not negative.",
        )
    reach = _deviations(level) / _deviations(errors.level)
    shifted = volume_ml + errors.floor_ml
    low = shifted * math.exp(-reach * errors.below) - errors.floor_ml
    high = shifted * math.exp(reach * errors.above) - errors.floor_ml
    return VolumeInterval(
        low_ml=min(max(low, 0.0), volume_ml),
        high_ml=max(high, volume_ml),
        level=level,
        how=_how(errors),
    )


def lesion_confidence(lesion: Lesion, *, odds: LogOdds) -> float | None:
    """The probability that an expert's drawing touches a lesion, from its highest probability.

    None for a lesion without probabilities.
    """
    if lesion.peak_probability is None:
        return None
    peak = min(max(lesion.peak_probability, 1 - SUREST), SUREST)
    return 1 / (1 + math.exp(-odds.offset - odds.slope * math.log(peak / (1 - peak))))


def _deviations(level: float) -> float:
    """How many standard deviations around its mean hold `level` of a normal distribution."""
    return NormalDist().inv_cdf((1 + level) / 2)


def _how(errors: VolumeErrors) -> str:
    references = ""
    if errors.automatic is not None and errors.empty is not None:
        references = (
            f" ({errors.judged - errors.scans} of them drawn under two definitions, "
            f"{errors.automatic} with the mask of another program as reference, "
            f"{errors.empty} without lesions)"
        )
    return (
        "where the volume that an expert would draw in this scan is expected; measured on "
        f"{errors.scans} scans of {errors.sets} sets that such weights had not seen{references}: "
        f"fitted on the other sets, intervals of level {errors.level:g} held {errors.held} of "
        f"{errors.judged} volumes"
    )
