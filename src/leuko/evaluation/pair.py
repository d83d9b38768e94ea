"""A reference mask and a prediction on one grid, prepared as the WMH challenge does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput
from leuko.evaluation.matching import LesionCover, Overlaps, lesion_cover, overlaps
from leuko.evaluation.surfaces import distances_both_ways, surface
from leuko.findings import Finding, Severity
from leuko.image.grid import Grid, require_same_grid
from leuko.image.image import Image
from leuko.masks.box import bounding_box, grow_box
from leuko.masks.components import Components, connected_components

__all__ = ["INTEGER_RULE", "REAL_RULE", "Pair", "named", "pair_images", "pair_masks"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

INTEGER_RULE = "integer values: label >= 1"
REAL_RULE = "real values: value >= 0.5"
OTHER_PATHOLOGY = (1.5, 2.5)  # both bounds inside, as in the challenge
LESION = (0.5, 1.5)
UPPER_LIMIT = 1000  # the challenge ignores larger values of a prediction


@dataclass(frozen=True, eq=False)
class Pair:
    """Both masks (file axes), cut to the box that holds them; what is derived is computed once.

    `reference` and `prediction` have a margin of one voxel around the masks, except where the
    box ends with the image, so that a filter on them gives what it gives on the whole image.
    `origin` is the box's first voxel in the whole grid. `rule` says how voxels of the prediction
    were counted, `findings` what was peculiar about the files' values.
    """

    reference: BoolArray
    prediction: BoolArray
    grid: Grid
    origin: tuple[int, int, int] = (0, 0, 0)
    rule: str = ""
    findings: tuple[Finding, ...] = ()

    @cached_property
    def reference_voxels(self) -> int:
        """Number of voxels in the reference."""
        return int(np.count_nonzero(self.reference))

    @cached_property
    def prediction_voxels(self) -> int:
        """Number of voxels in the prediction."""
        return int(np.count_nonzero(self.prediction))

    @cached_property
    def common_voxels(self) -> int:
        """Number of voxels in both masks."""
        return int(np.count_nonzero(self.reference & self.prediction))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml; nan for pictures that tell no size of a pixel."""
        return self.grid.voxel_mm3 / 1000.0 if self.grid.sized else math.nan

    @property
    def total_voxels(self) -> int:
        """Number of voxels of the whole grid."""
        return int(np.prod(self.grid.shape))

    @cached_property
    def reference_components(self) -> Components:
        """The 26-connected components of the reference."""
        return connected_components(self.reference, connectivity=26)

    @cached_property
    def predicted_components(self) -> Components:
        """The 26-connected components of the prediction."""
        return connected_components(self.prediction, connectivity=26)

    @cached_property
    def reference_lesions(self) -> LesionCover:
        """The components of the reference, and how much of each is predicted."""
        return lesion_cover(self.reference_components, touched_by=self.prediction)

    @cached_property
    def predicted_lesions(self) -> LesionCover:
        """The components of the prediction, and how much of each is true."""
        return lesion_cover(self.predicted_components, touched_by=self.reference)

    @cached_property
    def lesion_overlaps(self) -> Overlaps:
        """IoU of every pair of a component of the reference and one of the prediction."""
        return overlaps(self.reference_components.labels, self.predicted_components.labels)

    @cached_property
    def surface_distances(self) -> tuple[FloatArray, FloatArray]:
        """Distances in mm of the surface voxels, reference to prediction and back.

        Empty arrays where one of the masks is empty.
        """
        return distances_both_ways(
            surface(self.reference, grid=self.grid),
            surface(self.prediction, grid=self.grid),
            grid=self.grid,
        )


def pair_masks(reference: npt.ArrayLike, prediction: npt.ArrayLike, *, grid: Grid) -> Pair:
    """A pair from two boolean arrays of shape `grid.shape` (file axes)."""
    return _cut(np.asarray(reference, dtype=bool), np.asarray(prediction, dtype=bool), grid=grid)


def pair_images(reference: Image, prediction: Image) -> Pair:
    """A pair from two images, by the rules of the WMH challenge (MICCAI 2017).

    Reference: 0.5 <= value <= 1.5 is lesion, 1.5 <= value <= 2.5 other pathology, which is removed
    from the prediction. Prediction: integers count from 1, real numbers from 0.5, up to 1000.
    Raises GridMismatch (exit 5) where the two don't lie on one grid within 1e-3 mm.
    """
    require_same_grid(
        reference.grid,
        prediction.grid,
        what=named(reference, "The reference"),
        other_what=named(prediction, "the prediction"),
    )
    truth = _numbers(reference, "the reference")
    values = _numbers(prediction, "the prediction")
    real = np.issubdtype(values.dtype, np.floating)
    found = _within(values, 0.5 if real else 1, UPPER_LIMIT)
    lesion = _within(truth, *LESION)
    other = _within(truth, *OTHER_PATHOLOGY)
    removed = int(np.count_nonzero(found & other))
    findings = _findings(truth, values, removed=removed, real=bool(real))
    return _cut(
        lesion,
        found & ~other if removed else found,
        grid=reference.grid,
        rule=REAL_RULE if real else INTEGER_RULE,
        findings=findings,
    )


def _findings(
    truth: npt.NDArray[Any], values: npt.NDArray[Any], *, removed: int, real: bool
) -> tuple[Finding, ...]:
    """What about the values of both files may not be what their owner had in mind."""
    found = []
    if truth.max(initial=0) > OTHER_PATHOLOGY[1]:
        found.append(
            Finding(
                "evaluation.reference_labels",
                Severity.WARNING,
                f"The reference holds values up to {truth.max():g}; only 1 counts as lesion.",
                "If its labels are classes, give --labels; if it numbers its lesions, set all of "
                "them to 1 first.",
            )
        )
    if removed:
        found.append(
            Finding(
                "evaluation.other_pathology",
                Severity.NOTE,
                f"{removed} predicted voxels lie in the reference's label 2 (other pathology) "
                "and were left out.",
            )
        )
    highest = values.max(initial=0)
    if highest > UPPER_LIMIT:
        found.append(
            Finding(
                "evaluation.prediction_limit",
                Severity.WARNING,
                f"The prediction holds values up to {highest:g}; those above {UPPER_LIMIT} count "
                "as background, as in the challenge.",
                "Save the prediction as a mask of zeros and ones.",
            )
        )
    elif highest > 1:
        found.append(
            Finding(
                "evaluation.prediction_labels",
                Severity.NOTE,
                f"The prediction holds values up to {highest:g}; every one from "
                f"{0.5 if real else 1} counts as lesion.",
            )
        )
    return tuple(found)


def _cut(
    reference: BoolArray,
    prediction: BoolArray,
    *,
    grid: Grid,
    rule: str = "",
    findings: tuple[Finding, ...] = (),
) -> Pair:
    if reference.shape != grid.shape or prediction.shape != grid.shape:
        raise ValueError(
            f"masks have shapes {reference.shape} and {prediction.shape}, the grid {grid.shape}"
        )
    box = bounding_box(reference | prediction)
    if box is None:
        box = (slice(0, 1), slice(0, 1), slice(0, 1))
    box = grow_box(box, by=(1, 1, 1), shape=grid.shape)
    return Pair(
        reference=np.ascontiguousarray(reference[box]),
        prediction=np.ascontiguousarray(prediction[box]),
        grid=grid,
        origin=(box[0].start, box[1].start, box[2].start),
        rule=rule,
        findings=findings,
    )


def _within(values: npt.NDArray[Any], low: float, high: float) -> BoolArray:
    return np.asarray((values >= low) & (values <= high))


def _numbers(image: Image, fallback: str) -> npt.NDArray[Any]:
    data = image.data
    if data.dtype == np.bool_:
        return data.view(np.uint8)
    if not (np.issubdtype(data.dtype, np.integer) or np.issubdtype(data.dtype, np.floating)):
        name = image.source.name if image.source else fallback
        raise UnusableInput(
            f"{name} holds {data.dtype} values; a mask holds real numbers.",
            hint="Give a mask file: labels, or probabilities between 0 and 1.",
        )
    return data


def named(image: Image, what: str) -> str:
    """'The reference case.nii.gz': both files of a pair may have one name."""
    return f"{what} {image.source.name}" if image.source is not None else what
