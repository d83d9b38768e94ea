"""The lesion burden of one scan: totals, shares and the numbers of the report."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Burden", "SizeShare", "SliceBurden"]


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
    """Everything A6 asks for; None means it cannot be measured in this scan, zero lesions is 0."""

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
