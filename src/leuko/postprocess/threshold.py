"""From probabilities to a mask."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

__all__ = [
    "Definition",
    "calibrated",
    "definition_probability",
    "over_threshold",
    "with_log_odds",
]

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


def calibrated(probability: FloatArray, *, temperature: float) -> FloatArray:
    """The probabilities with their log-odds divided by `temperature`; 0, 1/2 and 1 stay.

    Above 1 for a network that is too sure of itself. At 1 the array itself, not a copy.
    Source: Guo and others, On calibration of modern neural networks, ICML 2017.
    """
    if temperature == 1.0:
        return probability
    return with_log_odds(probability, slope=1.0 / temperature, offset=0.0)


def with_log_odds(probability: FloatArray, *, slope: float, offset: float) -> FloatArray:
    """The probabilities whose log-odds are `slope` times theirs plus `offset`; 0 and 1 stay.

    Source: Platt, Probabilistic outputs for support vector machines, 1999.
    """
    between = (probability > 0.0) & (probability < 1.0)
    values = probability[between].astype(np.float64)
    changed = probability.copy()
    changed[between] = 1.0 / (1.0 + np.exp(-offset) * (1.0 / values - 1.0) ** slope)
    return changed


def over_threshold(probability: FloatArray, *, threshold: float) -> npt.NDArray[np.bool_]:
    """Voxels whose probability is at least `threshold`.

    At least, not above: so that a probability map cut at 0.5 by the rule of the WMH challenge is
    the mask of threshold 0.5.
    """
    return np.asarray(probability >= np.float32(threshold))
