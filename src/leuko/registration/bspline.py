"""Free-form deformation: a linear map bent by B-splines until any of the metrics is least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from leuko.image.grid import Grid
from leuko.masks.box import bounding_box
from leuko.registration.deformation import BSpline
from leuko.registration.metrics import METRICS, MetricName
from leuko.registration.optimisers import OPTIMISERS, OptimiserName
from leuko.registration.pyramid import Floats, Prepared
from leuko.registration.trace import LevelTrace
from leuko.registration.transforms import Affine, Points

__all__ = ["fit_bspline"]

Vector = npt.NDArray[np.float64]

# Level of the scans (coarse to fine), distance of control points in mm.
STAGES = ((1, 32.0), (1, 16.0), (2, 16.0), (2, 10.0))
ITERATIONS = (60, 60, 40, 40)
STIFFNESS = 20.0  # of the bending energy (1/mm2) against the metric
STEP_MM, TOLERANCE_MM = 1.0, 0.02
MARGIN = 2  # control points beyond the box on every side


def fit_bspline(
    fixed: Prepared,
    moving: Prepared,
    *,
    linear: Affine,
    metric: MetricName = "nmi",
    optimiser: OptimiserName = "lbfgs",
) -> tuple[BSpline, tuple[LevelTrace, ...]]:
    """The bend that goes before `linear`: fixed point, bent, then taken to the moving scan.

    Rueckert et al., IEEE Transactions on Medical Imaging 18, 712 (1999); the bending energy of the
    control points keeps it smooth.
    """
    trace: list[LevelTrace] = []
    bend: BSpline | None = None
    for number, ((level, spacing), iterations) in enumerate(zip(STAGES, ITERATIONS, strict=True)):
        if number and all(n == 1 for n in fixed.levels[level].grid.shape):
            break
        problem = _Problem.of(fixed, moving, level=level, spacing_mm=spacing, linear=linear)
        start = np.zeros((*problem.control.shape, 3))
        if bend is not None:
            start = _carried(bend, problem.control)
        judge = problem.cost(metric)
        descent = OPTIMISERS[optimiser](
            judge, start.reshape(-1), iterations=iterations, step=STEP_MM, tolerance=TOLERANCE_MM
        )
        bend = BSpline(descent.parameters.reshape(start.shape), problem.control)
        step = float(min(fixed.levels[level].grid.spacing))
        trace.append(LevelTrace(step, f"bspline {spacing:g} mm", descent.trace))
    assert bend is not None
    return bend, tuple(trace)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """One stage: the fixed voxels, where they lie without bending, what control points do."""

    control: Grid
    weights: tuple[Any, Any, Any]  # sparse (voxels, control points) along each axis
    inside: npt.NDArray[np.intp]  # flat indexes of the box's voxels that count
    values: Floats
    start: Points  # moving voxel coordinates of these without bending, (N, 3)
    known: npt.NDArray[np.bool_]  # (N,): these lie in the moving scan without bending
    to_voxel: Points  # 3x3: a shift in mm of the fixed space as a shift in moving voxels
    look_up: Any
    box_shape: tuple[int, int, int]

    @classmethod
    def of(
        cls, fixed: Prepared, moving: Prepared, *, level: int, spacing_mm: float, linear: Affine
    ) -> _Problem:
        mine, other = fixed.levels[level], moving.levels[level]
        box = bounding_box(mine.head)
        assert box is not None  # a level has a head
        first = np.array([part.start for part in box])
        shape = tuple(part.stop - part.start for part in box)
        control, weights = _control(mine.grid, first, shape, spacing_mm)
        head = mine.head[box]
        index = np.argwhere(head) + first
        matrix = np.linalg.inv(other.grid.affine) @ linear.matrix
        world = mine.grid.to_world(index)
        start = world @ matrix[:3, :3].T + matrix[:3, 3]
        return cls(
            control=control,
            weights=weights,
            inside=np.flatnonzero(head),
            values=mine.values[box][head],
            start=start,
            known=other.look_up(start)[1],  # fixed for the stage, or the cost would jump
            to_voxel=matrix[:3, :3],
            look_up=other.look_up_with_slope,
            box_shape=(shape[0], shape[1], shape[2]),
        )

    def cost(self, metric: MetricName) -> Any:
        """The function of the control points' shifts that is to become least, with its slope."""
        judge = METRICS[metric]

        def cost(parameters: Vector) -> tuple[float, Vector]:
            shifts = parameters.reshape(*self.control.shape, 3)
            bent = _spread(shifts, self.weights).reshape(-1, 3)[self.inside]
            voxels = self.start + bent @ self.to_voxel.T
            found, along, _ = self.look_up(voxels)
            known = self.known
            value, pull = judge(self.values[known], found[known])
            force = np.zeros((int(np.prod(self.box_shape)), 3), dtype=np.float32)
            towards = (along[:, known] * pull).T @ self.to_voxel.astype(np.float32)
            force[self.inside[known]] = towards
            slope = _gathered(force.reshape(*self.box_shape, 3), self.weights)
            energy, stiff = _bending(shifts, self.control.spacing)
            return value + STIFFNESS * energy, (slope + STIFFNESS * stiff).reshape(-1)

        return cost


def _control(
    grid: Grid, first: npt.NDArray[np.int_], shape: tuple[int, ...], spacing_mm: float
) -> tuple[Grid, tuple[Any, Any, Any]]:
    """Control points over a box of voxels, and the weight of each for every voxel of an axis."""
    counts, places, steps, weights = [], [], [], []
    for axis, length in enumerate(shape):
        if length == 1:
            counts.append(1)
            places.append(float(first[axis]))
            steps.append(1.0)
            weights.append(sparse.csr_array(np.ones((1, 1), dtype=np.float32)))
            continue
        cells = max(1, round((length - 1) * grid.spacing[axis] / spacing_mm))
        step = (length - 1) / cells
        count = cells + 1 + 2 * MARGIN
        start = first[axis] - MARGIN * step
        where = (first[axis] + np.arange(length) - start) / step
        distance = np.abs(where[:, None] - np.arange(count))
        near = 2 / 3 - distance**2 + distance**3 / 2
        far = np.maximum(2 - distance, 0) ** 3 / 6
        counts.append(count)
        places.append(float(start))
        steps.append(step)
        weights.append(sparse.csr_array(np.where(distance < 1, near, far).astype(np.float32)))
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(np.array(places))
    affine[:3, :3] = affine[:3, :3] * steps
    control = Grid((counts[0], counts[1], counts[2]), affine, grid.oriented, grid.sized)
    return control, (weights[0], weights[1], weights[2])


def _spread(shifts: npt.NDArray[np.float64], weights: tuple[Any, Any, Any]) -> Floats:
    """The shift of every voxel of the box, from those of the control points."""
    values = shifts.astype(np.float32)
    for axis in range(3):
        values = _along(weights[axis], values, axis)
    return values


def _gathered(force: Floats, weights: tuple[Any, Any, Any]) -> npt.NDArray[np.float64]:
    """The adjoint of `_spread`: what every control point feels of the voxels' forces."""
    values = force
    for axis in (2, 1, 0):
        values = _along(weights[axis].T.tocsr(), values, axis)
    return values.astype(np.float64)


def _along(matrix: Any, values: Floats, axis: int) -> Floats:
    front = np.moveaxis(values, axis, 0)
    done = matrix @ np.ascontiguousarray(front.reshape(front.shape[0], -1))
    return np.moveaxis(done.reshape(-1, *front.shape[1:]), 0, axis)


def _bending(
    shifts: npt.NDArray[np.float64], spacing: tuple[float, float, float]
) -> tuple[float, npt.NDArray[np.float64]]:
    """Mean squared second derivative of the control points' shifts (1/mm2), and its slope."""
    total, slope = 0.0, np.zeros_like(shifts)
    count = shifts[..., 0].size
    for a in range(3):
        for b in range(a, 3):
            short = min(shifts.shape[a], shifts.shape[b]) < (3 if a == b else 2)
            if short:
                continue
            scale = (1.0 if a == b else 2.0) / (count * (spacing[a] * spacing[b]) ** 2)
            second = np.diff(np.diff(shifts, axis=a), axis=b)
            total += scale * float((second * second).sum())
            slope += 2 * scale * _diff_back(_diff_back(second, b), a)
    return total, slope


def _diff_back(values: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    """The adjoint of a difference along an axis."""
    ends = [(0, 0)] * values.ndim
    ends[axis] = (1, 1)
    return -np.diff(np.pad(values, ends), axis=axis)


def _carried(bend: BSpline, control: Grid) -> npt.NDArray[np.float64]:
    """Shifts of new control points that bend space as the old ones did."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in control.shape), indexing="ij"), axis=-1)
    points = control.to_world(index)
    bent = bend.apply_to_points(points) - points
    for axis, length in enumerate(control.shape):
        if length > 1:
            bent = ndimage.spline_filter1d(bent, order=3, axis=axis, mode="mirror")
    return np.asarray(bent)
