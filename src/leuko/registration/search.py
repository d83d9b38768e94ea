"""Where to begin: thousands of rigid maps tried on few points, the best of them refined."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from leuko.registration.models import LEVER_MM, Model
from leuko.registration.pyramid import Level
from leuko.registration.transforms import Points

__all__ = ["starts"]

BINS = 12
FEW_POINTS = 350  # for the first look
KEPT, REFINED = 150, 12  # after the first look; after the second
TURNS_DEGREES = (0.0, -20.0, 20.0, -40.0, 40.0)
SHIFTS_MM = (0.0, -18.0, 18.0)
NEAR_DEGREES = (0.0, -12.0, 12.0)
NEAR_MM = (0.0, -12.0, 12.0)
FEWEST_INSIDE = 0.5
CHUNK = 512
APART_MM = 9.0  # starts nearer to a better one are left out


def starts(fixed: Level, moving: Level, *, model: Model, points: Points) -> list[Points]:
    """Promising maps, 4x4, the best first.

    Three places to begin from: the scanner's own coordinates, the centres of gravity of both
    heads, the middles of both fields of view; around each, turns and shifts on a fixed grid. They
    are judged by mutual information of nearest voxels.
    """
    candidates = _candidates(fixed, moving, model=model)
    binned = _binned(moving.values)
    mine = _binned(fixed.values)
    where = np.clip(
        np.rint(fixed.grid.to_voxel(points)).astype(np.intp), 0, np.array(mine.shape) - 1
    )
    own = mine[where[:, 0], where[:, 1], where[:, 2]]
    every = max(1, len(points) // FEW_POINTS)
    to_voxel = np.linalg.inv(moving.grid.affine)
    first = _judged(to_voxel @ candidates, points[::every], own[::every], binned)
    kept = candidates[np.argsort(-first, kind="stable")[:KEPT]]
    second = _judged(to_voxel @ kept, points, own, binned)
    ordered = kept[np.argsort(-second, kind="stable")]
    return _spread(ordered, points)


def _candidates(fixed: Level, moving: Level, *, model: Model) -> Points:
    centre = model.centre
    head = np.argwhere(moving.head)
    weights = moving.values[moving.head].astype(np.float64) + 0.05
    gravity = (head * weights[:, None]).sum(axis=0) / weights.sum()
    middle = moving.grid.to_world((np.array(moving.grid.shape) - 1) / 2)
    own_middle = fixed.grid.to_world((np.array(fixed.grid.shape) - 1) / 2)
    bases = [
        (np.zeros(3), NEAR_DEGREES, NEAR_MM),
        (moving.grid.to_world(gravity) - centre, TURNS_DEGREES, SHIFTS_MM),
        (middle - own_middle, NEAR_DEGREES, SHIFTS_MM),
    ]
    width = 2 if model.flat else 3
    turns = 0 if model.method == "translation" else (1 if model.flat else 3)
    found = []
    for shift, degrees, lengths in bases:
        base = np.eye(4)
        base[:3, 3] = shift
        if model.flat:  # nothing leaves the plane but to reach the other one
            normal = model.axes[:, 2]
            base[:3, 3] += normal * float(normal @ (middle - own_middle - shift))
        shifts = np.array(list(itertools.product(lengths, repeat=width)))
        for angles in itertools.product(degrees, repeat=turns):
            turned = np.concatenate([np.zeros(width), np.radians(angles) * LEVER_MM])
            around = np.repeat((base @ model.matrix(turned))[None], len(shifts), axis=0)
            around[:, :3, 3] += shifts @ model.axes[:, :width].T
            found.append(around)
    return np.concatenate(found)


def _binned(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.minimum(values * np.float32(BINS), BINS - 1), dtype=np.uint8)


def _judged(
    matrices: Points, points: Points, own: npt.NDArray[np.uint8], binned: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float64]:
    """Normalised mutual information for each map (to moving voxels); -1 with little overlap."""
    shape = np.array(binned.shape, dtype=np.float32)
    steps = np.array([shape[1] * shape[2], shape[2], 1], dtype=np.float32)
    flat = binned.reshape(-1)
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1).astype(np.float32)
    size = BINS * BINS
    found = []
    for begin in range(0, len(matrices), CHUNK):
        part = matrices[begin : begin + CHUNK, :3].astype(np.float32)
        voxels = np.rint(np.einsum("kij,nj->kin", part, homogeneous))
        inside = ((voxels >= 0) & (voxels < shape[:, None])).all(axis=1)
        index = np.einsum("kin,i->kn", voxels, steps).astype(np.intp)
        index[~inside] = 0
        cell = own.astype(np.intp) * BINS + flat[index]
        cell += (np.arange(len(part)) * size)[:, None]
        joint = np.bincount(cell[inside], minlength=len(part) * size).reshape(-1, BINS, BINS)
        total = joint.sum(axis=(1, 2))
        p = joint / np.maximum(total, 1)[:, None, None]
        entropies = [_entropy(q) for q in (p.sum(axis=1), p.sum(axis=2), p.reshape(len(p), -1))]
        value = (entropies[0] + entropies[1]) / np.maximum(entropies[2], 1e-9)
        found.append(np.where(total >= FEWEST_INSIDE * len(points), value, -1.0))
    return np.concatenate(found)


def _entropy(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(-(p * np.log(p + 1e-12)).sum(axis=-1))


def _spread(ordered: Points, points: Points) -> list[Points]:
    """The first maps that are not close to a better one."""
    some = points[:: max(1, len(points) // 60)]
    kept: list[Points] = []
    placed: list[Points] = []
    for matrix in ordered:
        where = some @ matrix[:3, :3].T + matrix[:3, 3]
        if all(np.linalg.norm(where - other, axis=1).mean() >= APART_MM for other in placed):
            kept.append(matrix)
            placed.append(where)
        if len(kept) == REFINED:
            break
    return kept
