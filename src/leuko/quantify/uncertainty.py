"""How far the volume may lie from the one that an expert would draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

from leuko.errors import UsageError
from leuko.models.card import VolumeErrors

__all__ = ["LEVEL", "VolumeInterval", "volume_interval"]

LEVEL = 0.9


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

    The logarithm of volume + `errors.floor_ml` is taken to err as Student's t does, with a spread
    of its own below and above: relative where there is much, in ml where there is little. It holds
    `volume_ml`, begins at 0 for 0 and grows with `level`. UsageError (exit 2) for a volume or a
    level that is none.
    """
    from scipy.special import stdtrit

    if not (volume_ml >= 0 and math.isfinite(volume_ml) and 0 < level < 1):
        raise UsageError(
            f"There is no interval of level {level:g} around {volume_ml:g} ml.",
            hint="The level lies between 0 and 1, the volume is not negative.",
        )
    reach = float(stdtrit(errors.freedom, (1 + level) / 2))
    shifted = volume_ml + errors.floor_ml
    low = shifted * math.exp(-reach * errors.below) - errors.floor_ml
    high = shifted * math.exp(reach * errors.above) - errors.floor_ml
    return VolumeInterval(
        low_ml=min(max(low, 0.0), volume_ml),
        high_ml=max(high, volume_ml),
        level=level,
        how=_how(errors),
    )


def _how(errors: VolumeErrors) -> str:
    return (
        "where an expert's volume of this scan is expected; measured on "
        f"{errors.scans} scans of {errors.sets} sets that the weights had not seen: fitted without "
        f"their set, intervals of level {errors.level:g} held {errors.held} of {errors.judged} "
        "volumes"
    )
