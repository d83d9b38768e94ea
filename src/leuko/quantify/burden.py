"""The lesion burden of one scan: totals, shares and the numbers of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy import hemispheres
from leuko.anatomy.regions import Region
from leuko.anatomy.tissues import TissueVolumes
from leuko.image.grid import Grid
from leuko.masks.components import count_components
from leuko.quantify.lesions import LesionTable, SizeClass, volume_of
from leuko.quantify.voxels import LesionVoxels, lesion_voxels

__all__ = ["Burden", "SizeShare", "SliceBurden", "measure_burden"]

MM3_PER_ML = 1000
REGIONS = (Region.PERIVENTRICULAR, Region.DEEP, Region.INFRATENTORIAL)  # named even where empty


@dataclass(frozen=True, slots=True)
class SizeShare:
    """Lesions of one size class: how many, share of the count (0..1; 0 when there are none), ml."""

    count: int
    share: float
    volume_ml: float


@dataclass(frozen=True, slots=True)
class SliceBurden:
    """One slice along the slice axis: its index in the file, position (RAS mm), voxels, ml."""

    index: int
    position_mm: float
    voxels: int
    volume_ml: float


@dataclass(frozen=True, slots=True)
class Burden:
    """All numbers of one scan; None means that it cannot be measured there, no lesion is 0."""

    volume_ml: float
    volume_mm3: float
    volume_voxels: int
    lesion_count: int  # 26-connected
    lesion_count_6_connected: int
    small: SizeShare
    medium: SizeShare
    large: SizeShare
    left_ml: float | None
    right_ml: float | None
    midline_ml: float | None
    white_matter_percent: float | None  # of white matter with the lesions counted in
    brain_percent: float | None
    icv_percent: float | None
    white_matter_ml: float | None
    brain_ml: float | None
    ventricles_ml: float | None
    icv_ml: float | None
    most_affected_slice: SliceBurden | None  # None only when there is no lesion
    slice_axis: int  # array axis of the file
    slices: tuple[SliceBurden, ...]  # every slice, in order
    largest_lesion_mm3: float
    region_ml: tuple[tuple[str, float], ...]  # region name and volume


def measure_burden(
    labels: npt.NDArray[np.int32],
    *,
    table: LesionTable,
    grid: Grid,
    file_grid: Grid,
    slice_axis: int,
    sides: npt.NDArray[np.uint8] | None = None,
    tissues: TissueVolumes | None = None,
) -> Burden:
    """The totals of all lesions; every volume is voxels times the volume of a voxel.

    Args:
        labels: 0 outside, 1..n, canonical axes.
        table: what `measure_lesions` made of the same labels.
        grid: the canonical grid.
        file_grid: the grid of the file, for the axis and indices of slices.
        slice_axis: canonical axis across slices.
        sides: the side of every voxel, canonical axes; without them sides are not measured.
        tissues: volumes that the burden is compared with; without them nothing is compared.
    """
    voxels = lesion_voxels(labels)
    total = len(voxels.labels)
    volume_mm3 = volume_of(total, voxel_mm3=grid.voxel_mm3)
    volume_ml = volume_mm3 / MM3_PER_ML
    small, medium, large = (_size_share(table, size) for size in SizeClass)
    left, right, midline = _side_volumes(voxels, sides, grid)
    slices = _slices(voxels, grid, file_grid, slice_axis)
    return Burden(
        volume_ml=volume_ml,
        volume_mm3=volume_mm3,
        volume_voxels=total,
        lesion_count=len(table),
        lesion_count_6_connected=count_components(voxels.inside(labels) > 0, connectivity=6),
        small=small,
        medium=medium,
        large=large,
        left_ml=left,
        right_ml=right,
        midline_ml=midline,
        white_matter_percent=_percent(volume_ml, tissues.white_matter_ml if tissues else None),
        brain_percent=_percent(volume_ml, tissues.brain_ml if tissues else None),
        icv_percent=_percent(volume_ml, tissues.icv_ml if tissues else None),
        white_matter_ml=tissues.white_matter_ml if tissues else None,
        brain_ml=tissues.brain_ml if tissues else None,
        ventricles_ml=tissues.ventricles_ml if tissues else None,
        icv_ml=tissues.icv_ml if tissues else None,
        most_affected_slice=max(slices, key=_voxels) if total else None,
        slice_axis=file_grid.from_canonical_index(slice_axis, 0)[0],
        slices=slices,
        largest_lesion_mm3=table[0].volume_mm3 if table else 0.0,
        region_ml=_region_volumes(table, measured=tissues is not None),
    )


def _percent(part: float, whole: float | None) -> float | None:
    """None where the whole is not known, or is nothing."""
    return 100 * part / whole if whole else None


def _size_share(table: LesionTable, size: SizeClass) -> SizeShare:
    volumes = [lesion.volume_mm3 for lesion in table if lesion.size_class is size]
    return SizeShare(
        count=len(volumes),
        share=len(volumes) / len(table) if table else 0.0,
        volume_ml=_sum_ml(volumes),
    )


def _sum_ml(volumes_mm3: Sequence[float]) -> float:
    return math.fsum(volumes_mm3) / MM3_PER_ML


def _side_volumes(
    voxels: LesionVoxels, sides: npt.NDArray[np.uint8] | None, grid: Grid
) -> tuple[float | None, float | None, float | None]:
    """Left, right and midline in ml; None where sides are not known."""
    if sides is None or not sides.any():
        return None, None, None
    counts = np.bincount(voxels.values(sides), minlength=4)
    left, right, midline = (
        volume_of(int(counts[side]), voxel_mm3=grid.voxel_mm3) / MM3_PER_ML
        for side in (hemispheres.LEFT, hemispheres.RIGHT, hemispheres.MIDLINE)
    )
    return left, right, midline


def _slices(
    voxels: LesionVoxels, grid: Grid, file_grid: Grid, slice_axis: int
) -> tuple[SliceBurden, ...]:
    """Every slice in canonical order, with its index in the file."""
    count = grid.shape[slice_axis]
    first = file_grid.from_canonical_index(slice_axis, 0)[1]
    voxel_mm3 = grid.voxel_mm3
    held = np.bincount(voxels.indices[:, slice_axis], minlength=count).tolist()
    middles = np.tile((np.array(grid.shape) - 1) / 2, (count, 1))
    middles[:, slice_axis] = np.arange(count)
    positions = grid.to_world(middles)[:, slice_axis].tolist()
    return tuple(
        SliceBurden(
            index=abs(first - index),  # the file counts up from 0, or down from the last
            position_mm=positions[index],
            voxels=held[index],
            volume_ml=volume_of(held[index], voxel_mm3=voxel_mm3) / MM3_PER_ML,
        )
        for index in range(count)
    )


def _voxels(one: SliceBurden) -> int:
    return one.voxels


def _region_volumes(table: LesionTable, *, measured: bool) -> tuple[tuple[str, float], ...]:
    """Volumes of the regions in ml, empty ones too; nothing where no region was measured."""
    if not measured:
        return ()
    held = {lesion.region for lesion in table}
    known = REGIONS if Region.UNKNOWN not in held else (Region.INFRATENTORIAL,)
    names = [region.value for region in known]
    names += sorted(held - set(names))
    return tuple(
        (name, _sum_ml([lesion.volume_mm3 for lesion in table if lesion.region == name]))
        for name in names
    )
