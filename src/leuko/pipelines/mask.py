"""The second half of the main job: from what the network saw to a clean mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.anatomy.levels import white_matter_level
from leuko.inference.predict import Prediction
from leuko.pipelines.model import Settings
from leuko.postprocess.cleanup import (
    confine,
    fill_holes,
    keep_main_brain,
    remove_doubtful,
    remove_small,
)
from leuko.postprocess.refine import Refinement, refine
from leuko.postprocess.threshold import calibrated, definition_probability, over_threshold
from leuko.preparation.prepare import slice_axis
from leuko.progress import Journal

__all__ = ["Made", "make_mask"]

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A mask and the probability of its definition; canonical axes, native grid."""

    mask: BoolArray
    probability: npt.NDArray[np.float32]


def make_mask(
    prediction: Prediction,
    *,
    data: npt.NDArray[Any],
    spacing: Triple,
    settings: Settings,
    journal: Journal | None = None,
) -> Made:
    """Threshold, remove small lesions and fill holes, each a step of the journal.

    `data` is the scan in canonical axes, `spacing` its voxels' in mm. Thresholding takes in the
    calibration of probabilities, the refinement of edges and the confinement to white matter,
    where these are wanted, and the removal of lesions that are doubtful throughout. What is brain
    says the anatomy of the prediction, of one brain alone: no lesion lies in the face.
    """
    journal = journal or Journal()
    voxel_mm3 = float(np.prod(spacing))
    probability = calibrated(
        definition_probability(
            prediction.lesion, prediction.cap_rim, definition=settings.definition
        ),
        temperature=settings.temperature,
    )
    with journal.step("threshold", **_about_threshold(settings)) as noted:
        mask = _thresholded(prediction.anatomy, probability, data, spacing, settings, noted)
        noted["voxels"] = int(np.count_nonzero(mask))
    with journal.step("remove small lesions", min_lesion_mm3=settings.min_lesion_mm3) as noted:
        mask, effect = remove_small(mask, voxel_mm3=voxel_mm3, min_mm3=settings.min_lesion_mm3)
        noted.update(effect.as_details())
    with journal.step("fill holes", fill_holes_mm3=settings.fill_holes_mm3) as noted:
        if settings.fill_holes_mm3 > 0 and mask.any():
            white = white_matter_level(data, anatomy=prediction.anatomy, mask=mask)
            mask, effect = fill_holes(
                mask,
                voxel_mm3=voxel_mm3,
                slice_axis=slice_axis(spacing),
                max_mm3=settings.fill_holes_mm3,
                image=data,
                darkest=None if white is None else white.median,
            )
            noted.update(effect.as_details())
    return Made(mask, probability)


def _thresholded(
    anatomy: npt.NDArray[np.uint8],
    probability: npt.NDArray[np.float32],
    data: npt.NDArray[Any],
    spacing: Triple,
    settings: Settings,
    noted: dict[str, object],
) -> BoolArray:
    mask = over_threshold(probability, threshold=settings.threshold)
    if settings.refine:
        mask, refined = refine(
            mask,
            probability=probability,
            image=data,
            anatomy=anatomy,
            spacing=spacing,
            parameters=Refinement(
                support=settings.refine_support,
                evidence=settings.refine_evidence,
                level=settings.refine_level,
                summit=settings.refine_summit,
                deviations=settings.refine_deviations,
                reach_mm=settings.refine_reach_mm,
            ),
        )
        noted.update({f"refine_{name}": value for name, value in refined.as_details().items()})
    mask, effect = keep_main_brain(mask, anatomy=anatomy)
    if effect.voxels_removed:
        noted["outside_brain_voxels_removed"] = effect.voxels_removed
    if settings.confine:
        mask, effect = confine(
            mask,
            anatomy=anatomy,
            spacing=spacing,
            margin_mm=settings.confine_margin_mm,
        )
        noted["confine_voxels_removed"] = effect.voxels_removed
    mask, effect = remove_doubtful(mask, probability=probability, min_peak=settings.min_lesion_peak)
    noted["doubtful_lesions_removed"] = effect.lesions_removed
    return mask


def _about_threshold(settings: Settings) -> dict[str, object]:
    about: dict[str, object] = {
        "definition": settings.definition,
        "temperature": settings.temperature,
        "threshold": settings.threshold,
        "min_lesion_peak": settings.min_lesion_peak,
        "refine": settings.refine,
        "confine": settings.confine,
    }
    if settings.refine:
        about["refine_support"] = settings.refine_support
        about["refine_evidence"] = settings.refine_evidence
        about["refine_level"] = settings.refine_level
        about["refine_summit"] = settings.refine_summit
        about["refine_deviations"] = settings.refine_deviations
        about["refine_reach_mm"] = settings.refine_reach_mm
    if settings.confine:
        about["confine_margin_mm"] = settings.confine_margin_mm
    return about
