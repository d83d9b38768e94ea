"""A gentle bend of the template towards a head that landed on it.

Twelve numbers leave wide ventricles and deep sulci where the template has none. The same blurred
maps of tissues are moved on by demons (Thirion, Medical Image Analysis 2, 243, 1998; several maps
at once), smoothed so much that nothing folds: ventricles and nuclei follow, single gyri do not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.template import template_grid
from leuko.anatomy.template_fit import MAPS, template_maps
from leuko.anatomy.tissue_maps import TissueMaps
from leuko.image.grid import Grid
from leuko.masks.morphology import dilate
from leuko.registration.deformation import DisplacementField
from leuko.registration.transforms import Affine, Transform

__all__ = ["bend_template", "labels_through", "mask_in_mni"]

Labels = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

STEPS = 20
SMOOTH_MM = 4.5  # sigma over the whole displacement after each step
LONGEST_MM = 3.0  # a step
MARGIN = 3  # cells around the template's brain that may move
# The farthest voxel of a cell, 3.5 mm from its middle, may lie three times as far in a bent head.
CELL_MM, NEAR_MM = 4.0, 10.5
SLAB_POINTS = 1 << 18


def bend_template(
    anatomy: npt.NDArray[np.uint8], *, spacing: Triple, linear: Affine
) -> DisplacementField:
    """Displacements (mm) of the template's points before `linear` leads them into the head.

    On cells of 4 mm, world = MNI mm. What lies beyond an edge of the scan that cuts the brain is
    moved by its neighbours alone.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes, with at least 100 ml of brain.
        spacing: mm between voxels along each axis.
        linear: `template_landing.Placement.from_template`.
    """
    template, _ = template_maps()
    head = TissueMaps.of(anatomy, spacing=spacing, groups=MAPS)
    assert head is not None  # it landed
    near = ndimage.binary_dilation(template.brain, iterations=MARGIN)
    points = np.argwhere(near) * template.step + template.origin
    maps = template.values[..., :-1]
    wanted = maps[near]
    slopes = np.stack(
        [np.gradient(maps, step, axis=axis)[near] for axis, step in enumerate(template.step)],
        axis=-1,
    ).astype(np.float32)  # (N, maps, 3)
    energy = (slopes**2).sum(axis=(1, 2))
    floor = float(np.median(energy))
    shift = np.zeros((*near.shape, 3), dtype=np.float32)
    sigma = SMOOTH_MM / template.step
    for _ in range(STEPS):
        moved = points + shift[near]
        found = head.linear(moved @ linear.matrix[:3, :3].T + linear.matrix[:3, 3])
        difference = (found[:, :-1] - wanted) * found[:, -1:]
        pull = -np.einsum("nk,nka->na", difference, slopes) / (energy + floor)[:, None]
        length = np.linalg.norm(pull, axis=1, keepdims=True)
        shift[near] += pull * np.minimum(1, LONGEST_MM / np.maximum(length, 1e-6))
        for axis in range(3):
            ndimage.gaussian_filter(
                shift[..., axis], sigma, output=shift[..., axis], truncate=2.5, mode="constant"
            )
    affine = np.diag([*template.step, 1.0])
    affine[:3, 3] = template.origin
    x, y, z = near.shape
    return DisplacementField(shift, Grid((x, y, z), affine))


def labels_through(
    labels: Labels, *, grid: Grid, transform: Transform, onto: Grid, where: BoolArray
) -> Labels:
    """Labels on `onto`, looked up (nearest) where `transform` leads its voxels; 0 outside `where`.

    Args:
        labels: on `grid`, in its axes.
        grid: their grid, in the space that `transform` leads to.
        transform: from points of `onto` to points of `grid`.
        onto: the grid of the result.
        where: on `onto`; its other voxels are not looked up, which saves most of the time.
    """
    found = np.zeros(onto.shape, dtype=labels.dtype)
    told = found.reshape(-1)
    flat = np.flatnonzero(where)
    for part in np.array_split(flat, max(1, len(flat) // SLAB_POINTS)):
        index = np.stack(np.unravel_index(part, onto.shape), axis=1)
        places = grid.to_voxel(transform.apply_to_points(onto.to_world(index)))
        voxels = np.rint(places).astype(np.intp)
        inside = ((voxels >= 0) & (voxels < grid.shape)).all(axis=1)
        told[part[inside]] = labels[tuple(voxels[inside].T)]
    return found


def mask_in_mni(mask: BoolArray, *, grid: Grid, transform: Transform) -> Labels:
    """A mask on the template's 1 mm grid (uint8), nearest; only near lesions is looked at all.

    Args:
        mask: on `grid`, in its axes.
        grid: its grid.
        transform: from MNI mm to the world of `grid`.
    """
    cells, onto = template_grid(CELL_MM), template_grid()
    near = labels_through(
        dilate(mask, spacing=grid.spacing, radius_mm=NEAR_MM).view(np.uint8),
        grid=grid,
        transform=transform,
        onto=cells,
        where=np.ones(cells.shape, dtype=np.bool_),
    )
    nearest = [
        np.minimum(np.rint(np.arange(fine) / CELL_MM).astype(np.intp), coarse - 1)
        for fine, coarse in zip(onto.shape, cells.shape, strict=True)
    ]
    return labels_through(
        mask.astype(np.uint8),
        grid=grid,
        transform=transform,
        onto=onto,
        where=near[np.ix_(*nearest)] > 0,
    )
