"""Translation, rigid and affine registration: many starts, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.registration.metrics import METRICS, MetricName
from leuko.registration.models import LinearMethod, Model
from leuko.registration.optimisers import OPTIMISERS, Descent, OptimiserName
from leuko.registration.pyramid import Floats, Level, Prepared, sample_points
from leuko.registration.search import starts
from leuko.registration.trace import LevelTrace
from leuko.registration.transforms import Affine, Points

__all__ = ["STEPS_MM", "LinearFit", "fit_linear"]

Vector = npt.NDArray[np.float64]

STEPS_MM = (8.0, 4.0, 2.0)
POINTS = (2_000, 20_000, 60_000)  # a level
ITERATIONS = (30, 30, 30)
STEP_SHARE = 0.5  # first step of a level, of its voxel
TOLERANCE_MM = (0.2, 0.05, 0.01)  # no parameter changes by more: the level is done
FEWEST_INSIDE = 0.3  # share of the points that must lie in the moving scan
RIVALS = 3  # starts that are followed beyond the coarsest level
SAME_MM = 6.0  # starts that end closer than this ended in one place
SEED = 1


@dataclass(frozen=True, slots=True)
class LinearFit:
    """What came out: the map, the cost at each iteration, how many of the starts agreed."""

    transform: Affine
    trace: tuple[LevelTrace, ...]
    agreement: float
    """Share of the refined starts that ended within 6 mm of the result (mean over the head)."""


def fit_linear(
    fixed: Prepared,
    moving: Prepared,
    *,
    method: LinearMethod = "rigid",
    metric: MetricName = "nmi",
    optimiser: OptimiserName = "lbfgs",
    start: Affine | None = None,
) -> LinearFit:
    """The linear map that makes `metric` least; `start` replaces the search for one.

    Both scans have the levels of `STEPS_MM`. The search refines many starts at the coarsest level
    and follows the best three to the next.
    """
    trace: list[LevelTrace] = []
    coarse = _Match.at(0, fixed, moving, metric)
    # Turning and shifting comes first: stretching is for the finer levels.
    first: LinearMethod = "translation" if method == "translation" else "rigid"
    if start is None:
        found = starts(
            fixed.levels[0], moving.levels[0], model=coarse.model(first), points=coarse.points
        )
        ended = [coarse.improved(one, first, optimiser) for one in found]
    else:
        ended = [coarse.improved(start.matrix, first, optimiser)]
    ended.sort(key=lambda one: one[1].cost)
    rivals = _distinct([matrix for matrix, _ in ended], coarse.points)[:RIVALS]
    trace.append(
        LevelTrace(STEPS_MM[0], "rigid" if method == "affine" else method, ended[0][1].trace)
    )

    middle = _Match.at(1, fixed, moving, metric)
    better = [middle.improved(one, first, optimiser) for one in rivals]
    matrix, descent = min(better, key=lambda one: one[1].cost)
    trace.append(LevelTrace(STEPS_MM[1], first, descent.trace))
    if method == "affine":
        matrix, descent = middle.improved(matrix, method, optimiser)
        trace.append(LevelTrace(STEPS_MM[1], method, descent.trace))
    for number in range(2, len(fixed.levels)):
        fine = _Match.at(number, fixed, moving, metric)
        matrix, descent = fine.improved(matrix, method, optimiser)
        trace.append(LevelTrace(STEPS_MM[number], method, descent.trace))
    agree = [_distance(one, matrix, coarse.points) < 2 * SAME_MM for one, _ in ended]
    return LinearFit(Affine(matrix), tuple(trace), float(np.mean(agree)))


@dataclass(frozen=True, slots=True, eq=False)
class _Match:
    """The points of one level, and what a linear map is worth there."""

    number: int
    fixed: Level
    moving: Level
    points: Points
    values: Floats
    metric: MetricName

    @classmethod
    def at(cls, number: int, fixed: Prepared, moving: Prepared, metric: MetricName) -> _Match:
        level = fixed.levels[number]
        points, values = sample_points(level, count=POINTS[number], seed=SEED)
        return cls(number, level, moving.levels[number], points, values, metric)

    def model(self, method: LinearMethod) -> Model:
        return Model.of(method, centre=self.points.mean(axis=0), fixed=self.fixed.grid)

    def improved(
        self, matrix: Points, method: LinearMethod, optimiser: OptimiserName
    ) -> tuple[Points, Descent]:
        """The best map near `matrix`, and how it was found."""
        model = self.model(method)
        to_voxel = np.linalg.inv(self.moving.grid.affine) @ matrix
        homogeneous = np.concatenate([self.points, np.ones((len(self.points), 1))], axis=1)
        judge = METRICS[self.metric]

        def cost(parameters: Vector) -> tuple[float, Vector]:
            change, slopes = model.matrix_with_slopes(parameters)
            voxels = homogeneous @ (to_voxel @ change)[:3].T
            found, along, inside = self.moving.look_up_with_slope(voxels)
            share = float(np.count_nonzero(inside)) / len(inside)
            if share < FEWEST_INSIDE:
                return 1.0 - share, np.zeros(model.count)  # beyond the edge of what can match
            value, pull = judge(self.values[inside], found[inside])
            # How the cost changes with each entry of the matrix from world to moving voxel.
            force = (along[:, inside] * pull).astype(np.float64)
            weights = np.einsum("in,nj->ij", force, homogeneous[inside])
            by_entry = to_voxel[:3, :3].T @ weights
            return value, np.einsum("kij,ij->k", slopes[:, :3], by_entry)

        step = STEP_SHARE * STEPS_MM[self.number]
        descent = OPTIMISERS[optimiser](
            cost,
            np.zeros(model.count),
            iterations=ITERATIONS[self.number],
            step=step,
            tolerance=TOLERANCE_MM[self.number],
        )
        return matrix @ model.matrix(descent.parameters), descent


def _distance(one: Points, other: Points, points: Points) -> float:
    """Mean distance in mm of where two maps take the points."""
    apart = points @ (one - other)[:3, :3].T + (one - other)[:3, 3]
    return float(np.linalg.norm(apart, axis=1).mean())


def _distinct(matrices: list[Points], points: Points) -> list[Points]:
    """The maps in order, without those that end where an earlier one did."""
    kept: list[Points] = []
    for matrix in matrices:
        if all(_distance(matrix, other, points) >= SAME_MM for other in kept):
            kept.append(matrix)
    return kept
