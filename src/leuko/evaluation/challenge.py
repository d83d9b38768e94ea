"""The metrics of the WMH segmentation challenge (MICCAI 2017) as its evaluation computes them.

Dice and lesion recall are the same as everywhere (`overlap`, `lesionwise`); here are those that
are peculiar to the challenge.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from leuko.evaluation.lesionwise import f1, lesion_recall
from leuko.evaluation.overlap import ratio
from leuko.evaluation.pair import Pair
from leuko.evaluation.surfaces import distances_both_ways, erode, worse_percentile

__all__ = ["avd", "h95", "lesion_f1"]

BoolArray = npt.NDArray[np.bool_]


def h95(pair: Pair) -> float:
    """95th percentile of the distances between in-plane boundaries, the larger way, in mm.

    The third axis of the file is the slice axis. The boundary is a mask minus its erosion by
    3x3 pixels in the slice plane; beyond the image counts as lesion, so that voxels at the border
    of the field of view are not boundary for that alone.
    """
    outlines = _outline(pair.reference), _outline(pair.prediction)
    there, back = distances_both_ways(*outlines, grid=pair.grid)
    # A mask that fills the field of view has no outline at all.
    alike = bool(pair.reference_voxels) == bool(pair.prediction_voxels)
    agree = alike and not outlines[0].any() and not outlines[1].any()
    return worse_percentile(there, back, percent=95.0, when_missing=0.0 if agree else math.nan)


def avd(pair: Pair) -> float:
    """Absolute volume difference in percent of the reference's volume."""
    if not pair.reference_voxels and not pair.prediction_voxels:
        return 0.0
    difference = abs(pair.prediction_voxels - pair.reference_voxels)
    return 100.0 * ratio(difference, pair.reference_voxels)


def lesion_f1(pair: Pair) -> float:
    """F1 of lesion recall and the challenge's precision.

    That precision is the number of found reference lesions over the number of predicted lesions,
    and can exceed 1; `lesion_f1_strict` is the F1 of a precision proper.
    """
    found = float(pair.reference_lesions.touched().sum())
    return f1(
        ratio(found, pair.predicted_lesions.count),
        lesion_recall(pair),
        both_empty=not pair.reference_voxels and not pair.prediction_voxels,
    )


def _outline(mask: BoolArray) -> BoolArray:
    core = erode(erode(mask, axis=0, outside=True), axis=1, outside=True)
    return np.asarray(mask & ~core)
