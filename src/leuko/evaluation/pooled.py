"""Several pairs of masks counted as one: the slices or pieces of one subject.

Voxels and lesions are summed over the pairs before any quotient is taken, so that a slice without
a lesion adds nothing to Dice, where by itself it has Dice 1 or 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput
from leuko.evaluation.matching import LesionCover, Overlaps
from leuko.evaluation.pair import Pair

__all__ = ["LENGTHS", "Pooled", "pool"]

FloatArray = npt.NDArray[np.float64]

LENGTHS = ("h95", "hausdorff", "hd95_surface", "assd")
"""Metrics that have no value over several images: a mask on one has no distance to another's."""


@dataclass(frozen=True, eq=False)
class Pooled(Pair):
    """Pairs counted together; every metric of a Pair but `LENGTHS` is defined of it.

    `reference`, `prediction` and `grid` are those of the first part and stand for none of the
    others.
    """

    parts: tuple[Pair, ...] = ()

    @cached_property
    def reference_voxels(self) -> int:
        """Number of voxels in the references."""
        return sum(part.reference_voxels for part in self.parts)

    @cached_property
    def prediction_voxels(self) -> int:
        """Number of voxels in the predictions."""
        return sum(part.prediction_voxels for part in self.parts)

    @cached_property
    def common_voxels(self) -> int:
        """Number of voxels in both masks of their pair."""
        return sum(part.common_voxels for part in self.parts)

    @property
    def total_voxels(self) -> int:
        """Number of voxels of all grids."""
        return sum(part.total_voxels for part in self.parts)

    @cached_property
    def reference_lesions(self) -> LesionCover:
        """The components of every reference by itself."""
        return _together(part.reference_lesions for part in self.parts)

    @cached_property
    def predicted_lesions(self) -> LesionCover:
        """The components of every prediction by itself."""
        return _together(part.predicted_lesions for part in self.parts)

    @cached_property
    def lesion_overlaps(self) -> Overlaps:
        """IoU of the lesions that share a voxel."""
        found = [part.lesion_overlaps for part in self.parts]
        return Overlaps(
            iou=np.concatenate([one.iou for one in found]),
            first_count=sum(one.first_count for one in found),
            second_count=sum(one.second_count for one in found),
        )

    @cached_property
    def surface_distances(self) -> tuple[FloatArray, FloatArray]:
        """Distances in mm, infinite where the other mask of the pair is empty."""
        found = [_distances(part) for part in self.parts]
        return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


def pool(pairs: Iterable[Pair]) -> Pooled:
    """The pairs as one. Raises UnusableInput (exit 4) where their voxels differ in size."""
    parts = tuple(pairs)
    first = parts[0].grid
    for part in parts[1:]:
        if part.grid.sized != first.sized or not np.allclose(
            sorted(part.grid.spacing), sorted(first.spacing), rtol=1e-3
        ):
            raise UnusableInput(
                "The images of one subject have voxels of different sizes: "
                f"{_size(parts[0])} and {_size(part)}.",
                hint="Score them by themselves, without --subject.",
            )
    return Pooled(
        reference=parts[0].reference,
        prediction=parts[0].prediction,
        grid=first,
        origin=parts[0].origin,
        parts=parts,
    )


def _together(covers: Iterable[LesionCover]) -> LesionCover:
    found = list(covers)
    return LesionCover(
        voxels=np.concatenate([one.voxels for one in found]),
        shared=np.concatenate([one.shared for one in found]),
    )


def _distances(pair: Pair) -> tuple[FloatArray, FloatArray]:
    if bool(pair.reference_voxels) == bool(pair.prediction_voxels):
        return pair.surface_distances
    # The mask that is there is matched with itself to count its surface.
    mask = pair.reference if pair.reference_voxels else pair.prediction
    alone = Pair(reference=mask, prediction=mask, grid=pair.grid)
    missed = np.full(len(alone.surface_distances[0]), np.inf)
    return (missed, np.empty(0)) if pair.reference_voxels else (np.empty(0), missed)


def _size(pair: Pair) -> str:
    return " x ".join(f"{length:.3g}" for length in pair.grid.spacing)
