"""From probabilities to a mask."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

__all__ = ["Definition", "definition_probability", "over_threshold"]

FloatArray = npt.NDArray[np.float32]


class Definition(StrEnum):
    """What counts as white matter hyperintensity."""

    VASCULAR = "vascular"  # lesions, and the caps and rims along the ventricles
    MS = "ms"  # lesions alone


def definition_probability(
    lesion: FloatArray, cap_rim: FloatArray, *, definition: Definition | str
) -> FloatArray:
    """The probability of each voxel to be what `definition` counts.

    Vascular is the sum of both classes (they exclude each other), at most 1; ms is `lesion`
    itself, not a copy.
    """
    if Definition(definition) is Definition.MS:
        return lesion
    return np.asarray(np.minimum(lesion + cap_rim, np.float32(1.0)))


def over_threshold(probability: FloatArray, *, threshold: float) -> npt.NDArray[np.bool_]:
    """Voxels whose probability is at least `threshold`.

    At least, not above: so that a probability map cut at 0.5 by the rule of the WMH challenge is
    the mask of threshold 0.5.
    """
    return np.asarray(probability >= np.float32(threshold))
