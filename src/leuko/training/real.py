"""Real scans with truth, prepared exactly as scans are in use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import require_same_grid
from leuko.image.image import Image, to_canonical
from leuko.inference.views import nearly_isotropic
from leuko.preparation.geometry import Geometry, to_pixels
from leuko.preparation.intensity import brain_level
from leuko.preparation.prepare import prepare, slice_axis
from leuko.preparation.t1 import t1_stack
from leuko.training.crops import RealCase
from leuko.training.recipe import Case

__all__ = ["load_case"]

NEIGHBOUR_MM = 3.0  # only crops draw their own
RIGHT_LEFT = 0  # the canonical axis


def load_case(case: Case, *, pixel_mm: float, with_t1: bool = False) -> tuple[RealCase, ...]:
    """Read and prepare a case of a recipe; its T1, if it has one, is read where it is wanted.

    A scan that is nearly isotropic comes three times, in slices of every plane: a half of its
    weight in those it is segmented in, a quarter in either other.

    GridMismatch where truth and scan do not lie on one grid, UsageError where caps are given
    without lesions, and what `leuko.formats.read` raises.
    """
    if case.caps is not None and case.lesions is None:
        raise UsageError(
            f"The case {Path(case.flair).parent.name} has caps and no lesions.",
            hint="Truth of caps and rims needs truth of lesions beside it.",
        )
    scan = read_scan(case.flair)
    spacing = scan.grid.canonical().spacing
    data = to_canonical(scan.data, scan.grid)
    level = brain_level(data)
    usual = slice_axis(spacing)
    shares = {usual: 1.0}
    if nearly_isotropic(spacing):
        shares = {axis: 0.5 if axis == usual else 0.25 for axis in range(3)}
    lesions, caps = (
        _values(path, scan, probable=case.probable) for path in (case.lesions, case.caps)
    )
    t1 = read_scan(case.t1) if with_t1 and case.t1 is not None else None
    cases = []
    for axis, share in shares.items():
        prepared = prepare(
            data,
            spacing=spacing,
            pixel_mm=pixel_mm,
            neighbours_mm=(NEIGHBOUR_MM,),
            level=level,
            axis=axis,
        )
        geometry = prepared.geometry
        cases.append(
            RealCase(
                image=prepared.slices,
                lesion=np.zeros_like(prepared.slices)
                if lesions is None
                else _shares(lesions, geometry),
                cap_rim=None if caps is None else _shares(caps, geometry),
                slice_mm=spacing[axis],
                left_right=0 if scan.grid.oriented and axis != RIGHT_LEFT else None,
                weight=share * case.weight,
                # A head without lesions has caps and rims all the same.
                with_caps=lesions is not None and caps is None and case.definition == "vascular",
                probable=case.probable and lesions is not None,
                # From the same places in the world; the two scans need be registered.
                t1=None
                if t1 is None
                else t1_stack(t1, grid=scan.grid.canonical(), geometry=geometry),
            )
        )
    return tuple(cases)


def _values(path: str | None, scan: Image, *, probable: bool) -> npt.NDArray[np.float32] | None:
    """The truth, or its probability, on the scan's canonical voxels."""
    if path is None:
        return None
    mask = read_mask(path)
    require_same_grid(
        scan.grid, mask.grid, what="The scan", other_what=f"its truth {Path(path).name}"
    )
    values = to_canonical(mask.data, mask.grid)
    if not probable:
        return np.asarray(np.greater(values, 0), dtype=np.float32)
    inside = np.asarray(values, dtype=np.float32)
    if not (inside.min() >= 0.0 and inside.max() <= 1.0):
        raise UsageError(
            f"{Path(path).name} does not hold probabilities: they are from 0 to 1.",
            hint="Leave out `probable` where a case's truth is a mask.",
        )
    return inside


def _shares(values: npt.NDArray[np.float32], geometry: Geometry) -> npt.NDArray[np.float32]:
    """The share of truth, or its probability, in every pixel of the prepared stack."""
    return np.clip(to_pixels(values, geometry, kernel="linear"), 0.0, 1.0)
