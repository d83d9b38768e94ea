"""How much a measurement differs when nothing has changed, as it was measured.

`benchmarks/repeatability_change.py` scans of which nothing changed (turned, shifted, sampled on
other voxels, with other noise) and prints the numbers that stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Repeatability", "Resolution", "repeatability_of", "resolution_of"]

THICK_FROM_MM, COARSE_FROM_MM = 2.5, 5.5
ABSOLUTE_ML = 0.1  # below 2 ml a share of the volume says little
LESIONS_SHARE = 0.01  # of the volume, for growth less regression of all lesions; see MEASURED
COMPARED = 1.96 * 2**0.5  # a difference of two measurements exceeds so many deviations once in 20


class Resolution(StrEnum):
    """Thin: no voxel longer than 2.5 mm at either visit; thick: 5.5 mm; coarse: longer ones."""

    THIN = "thin"
    THICK = "thick"
    COARSE = "coarse"


@dataclass(frozen=True, slots=True)
class Repeatability:
    """What repeated scans of an unchanged head differ by.

    percent: within-subject coefficient of variation of the total volume.
    lesion_mm3, lesion_share: growth less regression of a lesion stays within
        lesion_mm3 + lesion_share * its volume in 99 of 100 unchanged lesions.
    """

    resolution: Resolution
    percent: float
    lesion_mm3: float
    lesion_share: float

    def net_change_limit_ml(self, volume_ml: float) -> float:
        """The difference of two masks of about `volume_ml` that is beyond repetition."""
        return max(ABSOLUTE_ML, COMPARED * self.percent / 100 * volume_ml)

    def lesion_change_limit_ml(self, volume_ml: float) -> float:
        """Growth less regression of all lesions, of about `volume_ml`, that is beyond repetition.

        Far less than of the masks: lesions are compared where the scans differ.
        """
        return max(ABSOLUTE_ML, LESIONS_SHARE * volume_ml)

    def lesion_limit_mm3(self, volume_mm3: float) -> float:
        """The change of a lesion of about `volume_mm3` that is beyond repetition."""
        return self.lesion_mm3 + self.lesion_share * volume_mm3


# Measured: volumes as below. Of 1086 lesions in pairs without a change 99 of 100 differed by less
# than 0.3 mm3 + 5 %. Nothing below 10 mm3 is called all the same: real repeated scans differ by
# more than simulated ones.
# Growth less regression of all lesions of a pair together was 0.00 ml in all 26 pairs; with what
# stays below each lesion's limit at most 0.10 ml, and 0.5 % of the volume.
MEASURED = {
    Resolution.THIN: Repeatability(Resolution.THIN, 4.5, 10.0, 0.05),
    Resolution.THICK: Repeatability(Resolution.THICK, 3.3, 10.0, 0.05),
    Resolution.COARSE: Repeatability(Resolution.COARSE, 6.3, 10.0, 0.05),
}


def resolution_of(*spacings: tuple[float, float, float]) -> Resolution:
    """The class of the coarsest visit."""
    longest = max(max(spacing) for spacing in spacings)
    if longest > COARSE_FROM_MM:
        return Resolution.COARSE
    return Resolution.THICK if longest > THICK_FROM_MM else Resolution.THIN


def repeatability_of(*spacings: tuple[float, float, float]) -> Repeatability:
    """What was measured for scans of these voxels."""
    return MEASURED[resolution_of(*spacings)]
