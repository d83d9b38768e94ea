"""Agreement lesion by lesion; a lesion is a 26-connected component of a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.evaluation.matching import LesionCover
from leuko.evaluation.overlap import ratio
from leuko.evaluation.pair import Pair

__all__ = [
    "SizeScore",
    "by_size",
    "f1",
    "lesion_f1_strict",
    "lesion_precision",
    "lesion_recall",
    "precision_large",
    "precision_medium",
    "precision_small",
    "predicted_lesions",
    "recall_large",
    "recall_medium",
    "recall_small",
    "reference_lesions",
]

LIMITS_MM3 = (10.0, 100.0)
"""Between small, medium and large lesions."""


@dataclass(frozen=True, slots=True)
class SizeScore:
    """Lesions of one size: those of the reference and found, those predicted and true.

    The size is a volume of at least `from_mm3`, and below the next class's.
    """

    from_mm3: float
    reference: int
    found: int
    predicted: int
    true: int

    @property
    def recall(self) -> float:
        """Share of the reference's lesions of this size that are found; nan without any."""
        return ratio(self.found, self.reference)

    @property
    def precision(self) -> float:
        """Share of the predicted lesions of this size that are true; nan without any."""
        return ratio(self.true, self.predicted)


def lesion_recall(pair: Pair, *, min_overlap: float = 0.0) -> float:
    """Share of the reference's lesions that the prediction touches in at least one voxel."""
    return _share(pair.reference_lesions, min_overlap)


def lesion_precision(pair: Pair, *, min_overlap: float = 0.0) -> float:
    """Share of the predicted lesions that touch the reference in at least one voxel."""
    return _share(pair.predicted_lesions, min_overlap)


def lesion_f1_strict(pair: Pair, *, min_overlap: float = 0.0) -> float:
    """F1 of `lesion_precision` and `lesion_recall`; 1 where both masks are empty."""
    return f1(
        lesion_precision(pair, min_overlap=min_overlap),
        lesion_recall(pair, min_overlap=min_overlap),
        both_empty=not pair.reference_voxels and not pair.prediction_voxels,
    )


def by_size(
    pair: Pair, *, min_overlap: float = 0.0, limits_mm3: Sequence[float] = LIMITS_MM3
) -> tuple[SizeScore, ...]:
    """Found and true lesions in each size class, of the reference's and the prediction's sizes.

    `min_overlap` is the least shared fraction of a lesion's own voxels; 0 asks for one voxel.
    `limits_mm3` rise; a limit belongs to the class above it.
    """
    limits = np.asarray(limits_mm3, dtype=np.float64)
    reference, predicted = pair.reference_lesions, pair.predicted_lesions
    found = reference.touched(min_overlap=min_overlap)
    true = predicted.touched(min_overlap=min_overlap)
    of_reference = _classes(reference, limits, pair.grid.voxel_mm3)
    of_predicted = _classes(predicted, limits, pair.grid.voxel_mm3)
    return tuple(
        SizeScore(
            from_mm3=from_mm3,
            reference=int((of_reference == number).sum()),
            found=int((found & (of_reference == number)).sum()),
            predicted=int((of_predicted == number).sum()),
            true=int((true & (of_predicted == number)).sum()),
        )
        for number, from_mm3 in enumerate((0.0, *limits.tolist()))
    )


def recall_small(pair: Pair) -> float:
    """Recall of the reference's lesions below 10 mm3."""
    return by_size(pair)[0].recall


def recall_medium(pair: Pair) -> float:
    """Recall of the reference's lesions of 10 to below 100 mm3."""
    return by_size(pair)[1].recall


def recall_large(pair: Pair) -> float:
    """Recall of the reference's lesions of 100 mm3 and more."""
    return by_size(pair)[2].recall


def precision_small(pair: Pair) -> float:
    """Precision of the predicted lesions below 10 mm3."""
    return by_size(pair)[0].precision


def precision_medium(pair: Pair) -> float:
    """Precision of the predicted lesions of 10 to below 100 mm3."""
    return by_size(pair)[1].precision


def precision_large(pair: Pair) -> float:
    """Precision of the predicted lesions of 100 mm3 and more."""
    return by_size(pair)[2].precision


def reference_lesions(pair: Pair) -> float:
    """Number of lesions of the reference."""
    return float(pair.reference_lesions.count)


def predicted_lesions(pair: Pair) -> float:
    """Number of lesions of the prediction."""
    return float(pair.predicted_lesions.count)


def f1(precision: float, recall: float, *, both_empty: bool) -> float:
    """Harmonic mean; 1 where both masks are empty, 0 where only one is or nothing is shared."""
    if both_empty:
        return 1.0
    # A missing share (nan) belongs to an empty mask: nothing was found, the score is 0.
    if not (precision > 0 and recall > 0):
        return 0.0
    return 2 * precision * recall / (precision + recall)


def _share(lesions: LesionCover, min_overlap: float) -> float:
    return ratio(float(lesions.touched(min_overlap=min_overlap).sum()), lesions.count)


def _classes(
    lesions: LesionCover, limits: npt.NDArray[np.float64], voxel_mm3: float
) -> npt.NDArray[np.intp]:
    """The number of each lesion's size class."""
    # Rounded, so that ten voxels of 1 mm3 written as 0.99999999 mm3 are 10 mm3.
    return np.searchsorted(limits, np.round(lesions.voxels * voxel_mm3, 6), side="right")
