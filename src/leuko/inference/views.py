"""Several looks at one scan, averaged: mirrored left for right, and in all three planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.inference.engines import Engine
from leuko.inference.predict import Prediction, predict
from leuko.models.card import Views
from leuko.models.channels import neighbour_pairs
from leuko.preparation.prepare import Prepared

__all__ = ["Mirrored", "nearly_isotropic", "predict_views"]

FloatArray = npt.NDArray[np.float32]
THICKEST_MM = 2.1  # beyond it lines of voxels make poor images in the other planes
MOST_ANISOTROPIC = 1.5


@dataclass(frozen=True, slots=True)
class Mirrored:
    """An engine that shows each slice as it is and mirrored left for right, and gives the mean.

    `slice_axis` is the canonical axis along the stack. Where it is the left-right axis itself,
    the slice is its own mirror image and its neighbours change places.
    """

    engine: Engine
    slice_axis: int

    @property
    def name(self) -> str:
        """That of the engine; so are `precision`, `workers` and `batch`."""
        return self.engine.name

    @property
    def precision(self) -> str:
        """See `Engine`."""
        return self.engine.precision

    @property
    def workers(self) -> int:
        """See `Engine`."""
        return self.engine.workers

    @property
    def batch(self) -> int:
        """See `Engine`."""
        return self.engine.batch

    def __call__(self, slices: FloatArray) -> FloatArray:
        """Probabilities (n, classes, H, W) of slices (n, C, H, W); see `Engine`."""
        found = self.engine(slices).copy()  # the engine's next result takes the place of its last
        if self.slice_axis == 0:
            flair = 2 * neighbour_pairs(slices.shape[1]) + 1
            swapped = [*range(flair)[::-1], *range(flair, slices.shape[1])]
            found += self.engine(np.ascontiguousarray(slices[:, swapped]))
        else:
            found += self.engine(np.ascontiguousarray(slices[:, :, ::-1]))[:, :, ::-1]
        found *= np.float32(0.5)
        return found


def nearly_isotropic(spacing: Sequence[float]) -> bool:
    """Whether voxels of `spacing` mm make good slices in every plane."""
    return max(spacing) <= min(THICKEST_MM, MOST_ANISOTROPIC * min(spacing))


def predict_views(
    prepared: Prepared, *, engine: Engine, views: Views, again: Callable[[int], Prepared]
) -> Prediction:
    """`predict` with the views that the card of the weights asks for, averaged.

    `again` prepares the same scan with slices along another canonical axis; it is called where
    `views.planes` is set and the voxels are nearly isotropic. Probabilities are averaged on the
    native grid; a voxel's tissue is what two of three planes say, else what `prepared`'s says.
    Planes follow one another: no more than two predictions are held at a time. Where three planes
    are seen, slices aren't mirrored as well: it gained nothing.
    """
    if not (views.planes and nearly_isotropic(prepared.geometry.spacing)):
        mirrored = Mirrored(engine, prepared.slice_axis)
        return predict(prepared, engine=mirrored if views.flips else engine)
    found = predict(prepared, engine=engine)
    others = [axis for axis in range(3) if axis != prepared.slice_axis]
    seen = [found.anatomy]
    for axis in others:
        other = predict(again(axis), engine=engine)
        np.add(found.lesion, other.lesion, out=found.lesion)
        np.add(found.cap_rim, other.cap_rim, out=found.cap_rim)
        seen.append(other.anatomy)
    np.multiply(found.lesion, np.float32(1 / 3), out=found.lesion)
    np.multiply(found.cap_rim, np.float32(1 / 3), out=found.cap_rim)
    first, second, third = seen
    np.copyto(first, second, where=second == third)
    return found
