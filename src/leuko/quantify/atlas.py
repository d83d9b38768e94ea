"""Lesions by the regions of an atlas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.quantify.voxels import lesion_voxels

__all__ = ["AtlasNumbers", "AtlasRegion", "measure_atlas"]


@dataclass(frozen=True, slots=True)
class AtlasRegion:
    """A region of an atlas on one scan, and the lesions in it."""

    value: int
    name: str
    region_ml: float  # the region's own volume on this scan
    volume_ml: float
    lesion_count: int  # lesions with most of their atlas voxels here
    percent: float | None  # of the region that is affected; None where it lies outside the scan


@dataclass(frozen=True, slots=True)
class AtlasNumbers:
    """Lesions by region of one atlas; `outside_ml` is what lies in no region."""

    name: str
    sha256: str
    regions: tuple[AtlasRegion, ...]
    outside_ml: float


def measure_atlas(
    labels: npt.NDArray[np.int32],
    *,
    atlas: npt.NDArray[np.integer],
    names: Mapping[int, str],
    voxel_mm3: float,
    name: str,
    sha256: str = "",
) -> AtlasNumbers:
    """Volume, count and affected share of each region.

    Args:
        labels: lesions 1..n.
        atlas: region of each voxel on the same voxels, 0 for none.
        names: every region that is told of, by value, also those outside the scan.
        voxel_mm3: volume of a voxel.
        name: of the atlas.
        sha256: of its file.
    """
    values = np.array(sorted(names), dtype=np.int64)
    # Row 0 is no region, and what has no name; row k the k-th named region.
    rows = np.zeros(int(max(values.max(initial=0), atlas.max(initial=0))) + 1, dtype=np.intp)
    rows[values] = np.arange(1, len(values) + 1)
    count = len(values) + 1
    voxels = lesion_voxels(labels)
    where = rows[voxels.values(atlas)]
    volumes = np.bincount(where, minlength=count) * voxel_mm3 / 1000
    sizes = np.bincount(rows[atlas.ravel(order="K")], minlength=count) * voxel_mm3 / 1000
    table = np.bincount(voxels.labels * count + where, minlength=(voxels.count + 1) * count)
    inside = table.reshape(-1, count)[1:, 1:]
    home = inside[inside.any(axis=1)].argmax(axis=1) if len(values) else np.zeros(0, np.intp)
    counts = np.bincount(home, minlength=len(values))
    regions = tuple(
        AtlasRegion(
            value=int(value),
            name=names[int(value)],
            region_ml=float(sizes[row]),
            volume_ml=float(volumes[row]),
            lesion_count=int(counts[row - 1]),
            percent=100 * float(volumes[row] / sizes[row]) if sizes[row] else None,
        )
        for row, value in enumerate(values, start=1)
    )
    return AtlasNumbers(name, sha256, regions, float(volumes[0]))
