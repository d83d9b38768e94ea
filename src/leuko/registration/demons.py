"""Diffeomorphic demons: a displacement a voxel for scans of the same contrast."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from leuko.registration.deformation import DisplacementField
from leuko.registration.pyramid import Floats, Level, Prepared
from leuko.registration.trace import LevelTrace
from leuko.registration.transforms import Affine

__all__ = ["fit_demons"]

STAGES = ((0, 40), (1, 40), (2, 25))  # level, iterations
SMOOTH_VOXELS = 2.0  # sigma of the field after each iteration
LONGEST_STEP = 2.0  # voxels an iteration
QUANTILES = np.linspace(0.0, 1.0, 65)


def fit_demons(
    fixed: Prepared, moving: Prepared, *, linear: Affine
) -> tuple[DisplacementField, tuple[LevelTrace, ...]]:
    """The displacement that goes before `linear`, on the finest level's voxels.

    Vercauteren et al., NeuroImage 45, S61 (2009), with symmetric forces, by SimpleITK's filter in
    index space. The moving values are first matched to the fixed ones' quantiles. The cost of the
    trace is the mean squared difference.
    """
    sitk: Any = import_module("SimpleITK")

    trace: list[LevelTrace] = []
    field = None
    for number, iterations in STAGES:
        mine = fixed.levels[number]
        moved = _matched(mine, _moved(mine, moving.levels[number], linear))
        images = [_picture(values, mine) for values in (mine.values, moved)]
        costs: list[float] = []
        demons = sitk.DiffeomorphicDemonsRegistrationFilter()
        demons.SetNumberOfIterations(iterations)
        demons.SetStandardDeviations(SMOOTH_VOXELS)
        demons.SetSmoothDisplacementField(True)
        demons.SetMaximumUpdateStepLength(LONGEST_STEP)
        demons.SetMaximumRMSError(0.0)  # as many iterations for every number of threads
        demons.AddCommand(sitk.sitkIterationEvent, lambda: costs.append(demons.GetMetric()))  # noqa: B023
        if field is None:
            field = demons.Execute(*images)
        else:
            start = sitk.Resample(
                field, images[0], sitk.Transform(3, sitk.sitkIdentity), sitk.sitkLinear
            )
            field = demons.Execute(*images, start)
        trace.append(LevelTrace(float(min(mine.grid.spacing)), "demons", tuple(costs)))
    finest = fixed.levels[STAGES[-1][0]]
    shifts = np.transpose(sitk.GetArrayFromImage(field), (2, 1, 0, 3))  # mm along the array's axes
    unit = finest.grid.affine[:3, :3] / np.linalg.norm(finest.grid.affine[:3, :3], axis=0)
    return DisplacementField((shifts @ unit.T).astype(np.float32), finest.grid), tuple(trace)


def _moved(fixed: Level, moving: Level, linear: Affine) -> Floats:
    """The moving level on the fixed one's voxels, 0 outside."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in fixed.values.shape), indexing="ij"), -1)
    world = linear.apply_to_points(fixed.grid.to_world(index.reshape(-1, 3)))
    values, inside = moving.look_up(moving.grid.to_voxel(world))
    values[~inside] = 0
    return values.reshape(fixed.values.shape)


def _matched(fixed: Level, moved: Floats) -> Floats:
    """The moved values with the fixed head's distribution."""
    head = fixed.head
    source = np.quantile(moved[head], QUANTILES)
    target = np.quantile(fixed.values[head], QUANTILES)
    source = np.maximum.accumulate(source + 1e-6 * np.arange(len(source)))
    return np.interp(moved, source, target).astype(np.float32)


def _picture(values: Floats, level: Level):  # type: ignore[no-untyped-def]  # SimpleITK has no types
    sitk: Any = import_module("SimpleITK")

    image = sitk.GetImageFromArray(np.ascontiguousarray(np.transpose(values)))
    image.SetSpacing([float(step) for step in level.grid.spacing])
    image.SetOrigin(
        [0.5 * float(step) for step in level.grid.spacing]
    )  # the same corner at every level
    return image
