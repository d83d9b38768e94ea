"""Where a slab of a head lies and how the head is bent: drawn first, then sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from leuko.synthesis.fields import apply_separable, noise_field, spline_matrix
from leuko.synthesis.heads import DISTANCE_STEP_MM, Head

__all__ = ["Geometry", "Slab", "SlabShape", "draw_geometry", "sample_slab", "slab_noise"]

PLANES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


@dataclass(frozen=True, slots=True)
class SlabShape:
    """Size of a slab: pixels in plane, fine layers across, and their spacing in mm."""

    pixels: tuple[int, int] = (160, 192)
    layers: int = 72
    pixel_mm: float = 0.8
    layer_mm: float = 1.0

    @classmethod
    def covering(cls, field_mm: tuple[float, float, float], *, pixel_mm: float) -> SlabShape:
        """The slab of 1 mm layers that covers a field of view in mm along (u, v, w)."""
        return cls(
            pixels=(round(field_mm[0] / pixel_mm), round(field_mm[1] / pixel_mm)),
            layers=round(field_mm[2]),
            pixel_mm=pixel_mm,
            layer_mm=1.0,
        )

    @property
    def voxels(self) -> tuple[int, int, int]:
        """Array shape: in plane (u, v), then across (w)."""
        return (*self.pixels, self.layers)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Spacing in mm along (u, v, w)."""
        return (self.pixel_mm, self.pixel_mm, self.layer_mm)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Everything that places and bends a head; no image is touched to draw it.

    `axes` are the head's axes along (u, v, w); `matrix` maps slab mm (u, v, w, centred) to head
    mm; `centre_mm` is where the slab's centre lies in the head; the elastic control points are
    displacements in mm; `ventricle_mm` widens (positive) or narrows the ventricles.
    """

    axes: tuple[int, int, int]
    matrix: npt.NDArray[np.float64]
    centre_mm: npt.NDArray[np.float64]
    coarse: npt.NDArray[np.float32]
    fine: npt.NDArray[np.float32]
    coarse_mm: float
    fine_mm: float
    ventricle_mm: float
    mirrored: bool


@dataclass(frozen=True, slots=True, eq=False)
class Slab:
    """A bent piece of a head on a slab grid.

    Distances are in mm; `along` runs from 0 to 1 from the back to the front end of the lateral
    ventricles.
    """

    kinds: Tensor
    to_ventricles: Tensor
    to_cortex: Tensor
    to_brain: Tensor
    tract: Tensor
    septum: Tensor
    along: Tensor
    shape: SlabShape


def draw_geometry(
    rng: np.random.Generator,
    *,
    head: Head,
    shape: SlabShape,
    plane: str | None = None,
    strength: float = 1.0,
) -> Geometry:
    """Draw where the slab lies and how the head is bent; `strength` 0: straight and centred."""
    if plane is None:
        plane = str(rng.choice(tuple(PLANES), p=[0.74, 0.13, 0.13]))
    axes = PLANES[plane]
    angles = np.deg2rad(rng.normal(0, 8, 3).clip(-24, 24)) * strength
    scales = 1 + rng.uniform(-0.12, 0.12) * strength + rng.normal(0, 0.03, 3) * strength
    shears = rng.normal(0, 0.03, 3) * strength
    matrix = _rotation(angles) @ _shear(shears) @ np.diag(1 / scales)
    matrix = matrix[:, list(axes)]  # columns: head mm per slab mm along u, v, w
    spacing = np.array(head.spacing)
    low = np.array([b[0] for b in head.brain_box]) * spacing
    high = np.array([b[1] for b in head.brain_box]) * spacing
    middle, extent = (low + high) / 2, high - low
    jitter = np.zeros(3)
    slab_mm = np.array(shape.voxels) * np.array(shape.spacing)
    for where, axis in enumerate(axes):
        free = abs(extent[axis] - slab_mm[where]) / 2
        reach = free + (8 if where < 2 else 4)
        jitter[axis] = rng.uniform(-reach, reach)
        if axis == 2 and where == 2:  # the cerebrum holds nearly all lesions: fewer low slabs
            jitter[axis] = max(jitter[axis], rng.uniform(-reach, reach))
    jitter += _elsewhere(rng, axes, room_below_mm=float(low[2]))
    coarse_mm, fine_mm = 32.0, 14.0
    return Geometry(
        axes=axes,
        matrix=matrix,
        centre_mm=middle + jitter * strength,
        coarse=_controls(rng, shape, coarse_mm, rng.uniform(0.5, 4.0) * strength),
        fine=_controls(rng, shape, fine_mm, rng.uniform(0.0, 1.3) * strength),
        coarse_mm=coarse_mm,
        fine_mm=fine_mm,
        ventricle_mm=float(max(-1.0, rng.normal(2.2, 2.2))) * strength,
        mirrored=bool(rng.random() < 0.5),
    )


def sample_slab(
    geometry: Geometry, *, head: Head, shape: SlabShape, device: torch.device | str = "cpu"
) -> Slab:
    """Sample the label map and its distances at the bent slab's voxels (nearest neighbour)."""
    position = _head_millimetres(geometry, shape, device)
    position = _widen_ventricles(position, geometry, head)
    size = head.kinds.shape
    index = []
    inside = torch.ones(shape.voxels, dtype=torch.bool, device=device)
    for axis in range(3):
        voxel = torch.round(position[axis] / head.spacing[axis]).to(torch.int32)
        if axis == 0 and geometry.mirrored:
            voxel = (size[0] - 1) - voxel
        inside &= (voxel >= 0) & (voxel < size[axis])
        index.append(voxel.clamp_(0, size[axis] - 1))
    flat = ((index[0] * size[1] + index[1]) * size[2] + index[2]).reshape(-1)

    def take(values: npt.NDArray[np.uint8]) -> Tensor:
        source = torch.from_numpy(values.reshape(-1)).to(device)
        return torch.index_select(source, 0, flat).reshape(shape.voxels)

    outside = ~inside
    first, last = (i * head.spacing[1] for i in head.ventricle_extent)
    return Slab(
        kinds=take(head.kinds).masked_fill_(outside, 0),
        to_ventricles=take(head.to_ventricles).masked_fill_(outside, 255).float()
        * DISTANCE_STEP_MM,
        to_cortex=take(head.to_cortex).masked_fill_(outside, 255).float() * DISTANCE_STEP_MM,
        to_brain=take(head.to_brain).masked_fill_(outside, 255).float() * DISTANCE_STEP_MM,
        tract=take(head.tract.view(np.uint8)).masked_fill_(outside, 0).bool(),
        septum=take(head.septum.view(np.uint8)).masked_fill_(outside, 0).bool(),
        along=(position[1] - first) / max(1.0, last - first),
        shape=shape,
    )


def _elsewhere(
    rng: np.random.Generator, axes: tuple[int, int, int], *, room_below_mm: float
) -> npt.NDArray[np.float64]:
    """How far a slab lies from its usual place: face, neck and vertex belong to scans too.

    `room_below_mm` is how far the label map reaches below the brain. Face and neck are wider than
    a slab: there it may lie anywhere in the plane.
    """
    shift = np.zeros(3)
    chance = rng.random()
    if axes[2] != 2:
        if chance < 0.1:
            shift[axes[2]] = rng.choice([-1, 1]) * rng.uniform(20, 60)
        if rng.random() < 0.15:
            shift[2] = -rng.uniform(0, min(60.0, max(1.0, room_below_mm)))
    elif chance < 0.12:
        shift[2] = -rng.uniform(25, 30 + min(80.0, max(1.0, room_below_mm)))
        shift[:2] = rng.uniform(-12, 12), rng.uniform(-30, 45)
    elif chance < 0.16:
        shift[2] = rng.uniform(15, 50)
    return shift


def slab_noise(slab: Slab, *, grain_mm: float, generator: torch.Generator) -> Tensor:
    """Smooth noise of unit variance over a slab, whatever the size of its voxels."""
    u, v, w = (max(1.0, grain_mm / s) for s in slab.shape.spacing)
    return noise_field(
        slab.shape.voxels, knots=(u, v, w), generator=generator, device=slab.kinds.device
    )


def _rotation(angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    (a, b, c) = angles
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_x @ about_y @ about_z)


def _shear(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.array([[1, values[0], values[1]], [0, 1, values[2]], [0, 0, 1]])


def _controls(
    rng: np.random.Generator, shape: SlabShape, knot_mm: float, amplitude_mm: float
) -> npt.NDArray[np.float32]:
    counts = [
        spline_matrix(n, knots=knot_mm / s).shape[1]
        for n, s in zip(shape.voxels, shape.spacing, strict=True)
    ]
    return (rng.standard_normal((3, *counts)) * amplitude_mm).astype(np.float32)


def _head_millimetres(
    geometry: Geometry, shape: SlabShape, device: torch.device | str
) -> list[Tensor]:
    """Head coordinates in mm of every slab voxel, one tensor an axis."""
    offsets = [
        (torch.arange(n, dtype=torch.float32, device=device) - (n - 1) / 2) * s
        for n, s in zip(shape.voxels, shape.spacing, strict=True)
    ]
    coarse, fine = (
        [
            spline_matrix(n, knots=knot / s).to(device)
            for n, s in zip(shape.voxels, shape.spacing, strict=True)
        ]
        for knot in (geometry.coarse_mm, geometry.fine_mm)
    )
    position = []
    for axis in range(3):
        u, v, w = (float(geometry.matrix[axis, k]) for k in range(3))
        straight = (
            (offsets[0] * u + float(geometry.centre_mm[axis]))[:, None, None]
            + (offsets[1] * v)[None, :, None]
            + (offsets[2] * w)[None, None, :]
        )
        bent = apply_separable(
            (coarse[0], coarse[1], coarse[2]), torch.from_numpy(geometry.coarse[axis]).to(device)
        )
        bent += apply_separable(
            (fine[0], fine[1], fine[2]), torch.from_numpy(geometry.fine[axis]).to(device)
        )
        position.append(bent.add_(straight))
    return position


def _widen_ventricles(position: list[Tensor], geometry: Geometry, head: Head) -> list[Tensor]:
    """Pull the sampling points towards the ventricles, so that these look wider (or narrower)."""
    amount = geometry.ventricle_mm
    if abs(amount) < 0.2:
        return position
    step = 4
    every = tuple(slice(None, None, step) for _ in range(3))
    coarse = head.to_ventricles[every].astype(np.float32) * DISTANCE_STEP_MM
    spacing = [s * step for s in head.spacing]
    gradient = np.stack(np.gradient(coarse, *spacing))
    pull = np.minimum(amount * np.exp(-coarse / 14.0), coarse + 1.5)
    field = torch.from_numpy((-gradient * pull)[None].astype(np.float32)).to(position[0].device)
    # The pull varies slowly: look it up on every fourth voxel and interpolate between.
    sparse = [p[::step, ::step, ::step] for p in position]
    size = coarse.shape
    normalised = [
        (p / spacing[axis]) / max(1, size[axis] - 1) * 2 - 1 for axis, p in enumerate(sparse)
    ]
    if geometry.mirrored:
        normalised[0] = -normalised[0]
    grid = torch.stack(normalised[::-1], dim=-1)[None]
    shift = torch.nn.functional.grid_sample(
        field, grid, mode="bilinear", padding_mode="border", align_corners=True
    )[0]
    if geometry.mirrored:
        shift[0] = -shift[0]
    moved = []
    for axis, p in enumerate(position):
        full = torch.nn.functional.interpolate(
            shift[None, axis : axis + 1], size=p.shape, mode="trilinear", align_corners=False
        )[0, 0]
        moved.append(p + full)
    return moved
