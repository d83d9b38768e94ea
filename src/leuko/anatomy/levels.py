"""How bright normal white matter is in a scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy.shading import Shading
from leuko.anatomy.tissues import BRAIN, tissue_mask
from leuko.image.spread import robust_deviation
from leuko.models.classes import Tissue

__all__ = ["Level", "white_matter_level"]

FEWEST_VOXELS = 100  # less white matter than this says nothing: the brain stands in for it


@dataclass(frozen=True, slots=True)
class Level:
    """Median and robust standard deviation (1.4826 MAD) of intensities, in the scan's units."""

    median: float
    deviation: float


def white_matter_level(
    image: npt.NDArray[np.generic],
    *,
    anatomy: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.bool_],
    shading: Shading | None = None,
) -> Level | None:
    """The level of white matter outside `mask`; with hardly any white matter, of the brain.

    Args:
        image: intensities, 3D.
        anatomy: tissues (values of `Tissue`) on the same voxels.
        mask: lesions on the same voxels.
        shading: a drift of brightness that is taken out of the intensities first.

    Returns:
        None where the anatomy holds no brain either.
    """
    normal = (anatomy == Tissue.WHITE_MATTER) & ~mask
    if np.count_nonzero(normal) < FEWEST_VOXELS:
        normal = tissue_mask(anatomy, BRAIN) & ~mask
        if np.count_nonzero(normal) < FEWEST_VOXELS:
            return None
    voxels = np.nonzero(normal)
    values = image[voxels] if shading is None else shading.evened(image, voxels)
    values = np.asarray(values, dtype=np.float32)
    median = np.median(values)
    return Level(median=float(median), deviation=robust_deviation(values, about=median))
