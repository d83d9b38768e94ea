"""What one visit brings to a comparison: a scan and what was found in it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical

__all__ = ["SIDES_APART", "Visit"]

SIDES_APART = 10  # the written anatomy is tissue + 10 on the left, + 20 on the right
DECIMALS = 6  # mm: the last bits of an affine, which differ with the order of axes, decide nothing


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """A scan with its lesions, all in canonical axes on `grid` (RAS mm).

    labels: int32, the lesions of this visit, 1 = largest.
    probability: 0..1, of the definition that was segmented.
    anatomy: values of `Tissue`, uint8.
    """

    data: npt.NDArray[np.generic]
    grid: Grid
    labels: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float32]
    anatomy: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, image: Image, *, lesions: Image, probability: Image, anatomy: Image) -> Visit:
        """From images of one grid with the axes of their file, as a result holds them."""

        def canonical(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
            return np.ascontiguousarray(to_canonical(values, image.grid))

        grid = image.grid.canonical()
        steady = Grid(grid.shape, np.round(grid.affine, DECIMALS), grid.oriented, grid.sized)
        return cls(
            data=canonical(image.data),
            grid=steady,
            labels=canonical(lesions.data).astype(np.int32, copy=False),
            probability=canonical(probability.data).astype(np.float32, copy=False),
            anatomy=canonical(anatomy.data).astype(np.uint8, copy=False) % SIDES_APART,
        )

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Where this visit's own segmentation says lesion."""
        return self.labels > 0

    @property
    def image(self) -> Image:
        """The scan."""
        return Image(self.data, self.grid)

    def digest(self) -> bytes:
        """A hash of voxels and grid: it puts two visits in an order that is not theirs."""
        content = sha256(np.ascontiguousarray(self.data, dtype=np.float32).data)
        content.update(self.grid.affine.tobytes())
        return content.digest()
