"""Lesions by lobe and side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from leuko.anatomy.lobes import LOBE_VALUES, Lobe
from leuko.models.classes import Tissue
from leuko.quantify.voxels import lesion_voxels

__all__ = ["LobeNumbers", "LobeShare", "measure_lobes"]

FEWEST_WHITE_ML = 1.0  # of less white matter no share is told
WITH_WHITE = frozenset(Lobe) - {Lobe.INFRATENTORIAL}  # the tissues name no white matter there
LARGEST = max(LOBE_VALUES.values())


@dataclass(frozen=True, slots=True)
class LobeShare:
    """What lies in one lobe of one side; a lesion counts where most of it lies."""

    volume_ml: float
    lesion_count: int
    white_matter_percent: float | None  # of the lobe's white matter, the mask counted in


@dataclass(frozen=True, slots=True)
class LobeNumbers:
    """Lesions by lobe, left and right of the brain's own mid-sagittal plane."""

    left: Mapping[Lobe, LobeShare]
    right: Mapping[Lobe, LobeShare]

    @property
    def total_ml(self) -> float:
        """The volume in all lobes together: that of the mask."""
        return sum(one.volume_ml for side in (self.left, self.right) for one in side.values())


def measure_lobes(
    labels: npt.NDArray[np.int32],
    *,
    lobes: npt.NDArray[np.uint8],
    right: npt.NDArray[np.bool_],
    anatomy: npt.NDArray[np.uint8],
    voxel_mm3: float,
) -> LobeNumbers:
    """Volume, count and share of white matter for each lobe and side.

    Args:
        labels: lesions 1..n, canonical axes.
        lobes: `lobe_map` on the same voxels; every voxel of a lesion has a lobe.
        right: which voxels lie on the right.
        anatomy: tissues (values of `Tissue`).
        voxel_mm3: volume of a voxel.
    """
    part = lobes + np.uint8(LARGEST + 1) * right  # left 0..n, right n + 1..
    places = 2 * (LARGEST + 1)
    voxels = lesion_voxels(labels)
    where = voxels.values(part).astype(np.intp)
    volumes = np.bincount(where, minlength=places) * voxel_mm3 / 1000
    table = np.bincount(voxels.labels * places + where, minlength=(voxels.count + 1) * places)
    home = table.reshape(-1, places)[1:].argmax(axis=1)  # of equals the first
    counts = np.bincount(home, minlength=places)
    white = np.bincount(part[(anatomy == Tissue.WHITE_MATTER) | (labels > 0)], minlength=places)
    white_ml = white * voxel_mm3 / 1000

    def side(first: int) -> Mapping[Lobe, LobeShare]:
        return MappingProxyType(
            {
                lobe: LobeShare(
                    float(volumes[first + value]),
                    int(counts[first + value]),
                    100 * float(volumes[first + value] / white_ml[first + value])
                    if lobe in WITH_WHITE and white_ml[first + value] >= FEWEST_WHITE_ML
                    else None,
                )
                for lobe, value in LOBE_VALUES.items()
            }
        )

    return LobeNumbers(side(0), side(LARGEST + 1))
