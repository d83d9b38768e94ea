"""What scanners, patients and file formats do to a scan: pure functions from image to image.

All take and give an image in canonical axes (right, anterior, superior; slices along the third)
unless they say otherwise. Those that move voxels may be applied to masks as well: a mask's values
are then shares of a voxel. Strength 0, or the image's own spacing, changes nothing.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.preparation.intensity import brain_level
from leuko.preparation.sampling import Kernel, interpolation

__all__ = [
    "Order",
    "biased",
    "canonical",
    "emptied",
    "extracted",
    "flipped",
    "ghosted",
    "kept_slices",
    "mirrored",
    "moved_slowly",
    "moved_suddenly",
    "noised",
    "on_grid",
    "permuted",
    "pixels_of",
    "rotated",
    "rounded",
    "scaled",
    "shifted",
    "slices_of",
    "zero_filled",
    "zero_filled_grid",
]

Order = Literal[1, 3]  # of splines
SLICES = 2


def canonical(image: Image) -> Image:
    """The image with canonical axes and float voxels."""
    data = np.ascontiguousarray(to_canonical(image.data, image.grid), dtype=np.float32)
    return Image(data, image.grid.canonical())


def slices_of(image: Image, *, spacing_mm: float, gap: float = 0.0) -> Image:
    """Thicker slices `spacing_mm` apart; `gap` is the share of it that no slice sees.

    The profile is a box: each voxel counts with the part of it that lies in the slice.
    """
    return _averaged(image, axis=SLICES, step_mm=spacing_mm, width_mm=spacing_mm * (1 - gap))


def pixels_of(image: Image, *, pixel_mm: float, kernel: Kernel = "cubic") -> Image:
    """Other pixels in plane: averages where they are larger, interpolated where smaller.

    Masks want a linear kernel, which keeps their volume.
    """
    for axis in (0, 1):
        own = image.grid.spacing[axis]
        if pixel_mm > own:
            image = _averaged(image, axis=axis, step_mm=pixel_mm, width_mm=pixel_mm)
        elif pixel_mm < own:
            image = _finer(image, axis=axis, step_mm=pixel_mm, kernel=kernel)
    return image


def zero_filled(image: Image) -> Image:
    """Twice the pixels in plane without new detail, as scanners interpolate: zeros in k-space.

    Half the pixels' centres are the old ones; values stay at or above the lowest there was.
    """
    data = np.asarray(image.data, dtype=np.float32)
    shape = (2 * data.shape[0], 2 * data.shape[1])
    # Zero frequency stays in the middle.
    pads = [(new // 2 - n // 2, new - n - (new // 2 - n // 2))
            for n, new in zip(data.shape[:2], shape, strict=True)]  # fmt: skip
    out = np.empty((*shape, data.shape[2]), dtype=np.float32)
    for index in range(data.shape[2]):
        spectrum = np.pad(np.fft.fftshift(np.fft.fft2(data[..., index])), pads)
        out[..., index] = 4 * np.fft.ifft2(np.fft.ifftshift(spectrum)).real
    return Image(np.maximum(out, data.min()), zero_filled_grid(image.grid))


def zero_filled_grid(grid: Grid) -> Grid:
    """The grid of the same scan with twice the pixels in plane."""
    affine = grid.affine.copy()
    affine[:3, :2] /= 2
    return Grid((2 * grid.shape[0], 2 * grid.shape[1], grid.shape[2]), affine)


def noised(image: Image, *, snr: float, seed: int) -> Image:
    """Rician noise; `snr` is the level of the brain over the noise of a channel."""
    data = np.asarray(image.data, dtype=np.float32)
    sigma = brain_level(data) / snr if np.isfinite(snr) else 0.0
    draw = np.random.default_rng(seed)
    real, imaginary = (sigma * draw.standard_normal(data.shape, dtype=np.float32) for _ in range(2))
    return image.with_data(np.hypot(data + real, imaginary).astype(np.float32))


def biased(image: Image, *, strength: float, seed: int) -> Image:
    """Multiplied by a smooth field between exp(-strength) and exp(strength)."""
    data = np.asarray(image.data, dtype=np.float32)
    x, y, z = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for n in data.shape)]
    draw = np.random.default_rng(seed).normal(size=9)
    field = draw[0] * x + draw[1] * y + draw[2] * z + draw[3] * x * y + draw[4] * y * z
    field = field + draw[5] * x * z + draw[6] * x**2 + draw[7] * y**2 + draw[8] * z**2
    inside = field[data > 0.3 * brain_level(data)]
    low, high = float(inside.min()), float(inside.max())
    unit = np.clip((field - low) / (high - low) * 2 - 1, -1, 1)
    return image.with_data((data * np.exp(strength * unit)).astype(np.float32))


def moved_suddenly(image: Image, *, amount: float) -> Image:
    """Two jerks of the head by `amount` mm and degrees while the lines of k-space were read.

    The middle third of the lines, which decides where the head appears, sees it at rest.
    """
    return _moved(image, poses=((-0.6 * amount), 0.0, amount), ends=(0.38, 0.62, 1.0))


def moved_slowly(image: Image, *, amount: float) -> Image:
    """A drift of the head from -amount to amount (mm and degrees), in seven steps."""
    steps = np.linspace(-1.0, 1.0, 7)
    return _moved(image, poses=tuple(amount * steps), ends=tuple((np.arange(7) + 1) / 7))


def ghosted(image: Image, *, share: float) -> Image:
    """A ghost shifted by half the field of view: every other line of k-space is weaker."""
    data = np.asarray(image.data, dtype=np.float32)
    weights = np.where(np.arange(data.shape[0]) % 2 == 0, 1.0, 1.0 - 2 * share)
    out = np.empty_like(data)
    for index in range(data.shape[2]):
        lines = np.fft.fft(data[..., index], axis=0) * weights[:, None]
        out[..., index] = np.abs(np.fft.ifft(lines, axis=0))
    return image.with_data(out)


def rotated(image: Image, *, degrees: float, axis: int, order: Order = 3) -> Image:
    """Acquired with the field of view turned about its centre; the affine follows."""
    turn = np.eye(4)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = (other for other in range(3) if other != axis)
    turn[first, first] = turn[second, second] = cosine
    turn[first, second], turn[second, first] = -sine, sine
    centre = image.grid.to_world([(n - 1) / 2 for n in image.grid.shape])
    there, back = np.eye(4), np.eye(4)
    there[:3, 3], back[:3, 3] = centre, -centre
    grid = Grid(image.grid.shape, there @ turn @ back @ image.grid.affine)
    return on_grid(image, grid, order=order)


def shifted(image: Image, *, voxels: tuple[float, float, float], order: Order = 3) -> Image:
    """Acquired with the field of view shifted by a part of a voxel; the affine follows."""
    affine = image.grid.affine.copy()
    affine[:3, 3] = image.grid.to_world(voxels)
    return on_grid(image, Grid(image.grid.shape, affine), order=order)


def on_grid(image: Image, grid: Grid, *, order: Order) -> Image:
    """Resampled onto another grid by splines of an order (1: linear); 0 outside."""
    matrix = np.linalg.inv(image.grid.affine) @ grid.affine
    data = np.asarray(image.data, dtype=np.float32)
    # Splines ring below zero at sharp edges, and a magnitude image has nothing there.
    out = ndimage.affine_transform(
        data, matrix[:3, :3], matrix[:3, 3], output_shape=grid.shape, order=order
    )
    return Image(np.maximum(out, min(0.0, float(data.min()))).astype(np.float32), grid)


def extracted(image: Image, *, brain: npt.NDArray[np.bool_]) -> Image:
    """All voxels outside `brain` set to zero."""
    return image.with_data(np.where(brain, image.data, 0).astype(np.float32))


def kept_slices(image: Image, *, first: int, last: int) -> Image:
    """Only the slices from `first` to before `last`: a scan that does not cover the head."""
    affine = image.grid.affine.copy()
    affine[:3, 3] = image.grid.to_world((0, 0, first))
    return _placed(np.asarray(image.data[:, :, first:last]), affine)


def emptied(image: Image, *, slices: tuple[int, ...]) -> Image:
    """Slices that were lost: zero, in their place."""
    data = np.array(image.data)
    data[:, :, list(slices)] = 0
    return image.with_data(data)


def flipped(image: Image, *, axis: int) -> Image:
    """Stored with an axis reversed; the affine follows. The axes are no longer canonical."""
    affine = image.grid.affine.copy()
    affine[:3, 3] += affine[:3, axis] * (image.grid.shape[axis] - 1)
    affine[:3, axis] = -affine[:3, axis]
    return _placed(np.flip(image.data, axis), affine)


def permuted(image: Image, *, axes: tuple[int, int, int]) -> Image:
    """Stored with its axes in another order; the affine follows."""
    affine = image.grid.affine.copy()
    affine[:3, :3] = affine[:3, list(axes)]
    return _placed(np.transpose(image.data, axes), affine)


def mirrored(image: Image) -> Image:
    """Another head: left and right exchanged on the same grid."""
    return image.with_data(np.ascontiguousarray(image.data[::-1]))


def scaled(image: Image, *, factor: float, offset: float = 0.0) -> Image:
    """All values times `factor`, plus `offset` times the level of the brain."""
    data = np.asarray(image.data, dtype=np.float32)
    return image.with_data((data * factor + offset * brain_level(data)).astype(np.float32))


def rounded(image: Image, *, levels: int) -> Image:
    """As whole numbers from 0 to `levels` - 1: 0 stays 0, what is below it becomes 0."""
    data = np.maximum(np.asarray(image.data, dtype=np.float32), 0)
    return image.with_data(np.rint(data * ((levels - 1) / float(data.max()))).astype(np.float32))


def _averaged(image: Image, *, axis: int, step_mm: float, width_mm: float) -> Image:
    """Boxes of `width_mm` every `step_mm` along an axis, centred on the field of view.

    The boxes cover the field of view to its end, and where they reach beyond they see nothing
    more: of a voxel in one box and no other, nothing is lost.
    """
    own, count = image.grid.spacing[axis], image.grid.shape[axis]
    if np.isclose(own, step_mm) and np.isclose(width_mm, step_mm):
        return image
    boxes = int(np.ceil(round(count * own / step_mm, 6)))
    centres = ((np.arange(boxes) - (boxes - 1) / 2) * step_mm) / own + (count - 1) / 2
    half = width_mm / own / 2
    low = np.maximum(centres[:, None] - half, np.arange(count) - 0.5)
    high = np.minimum(centres[:, None] + half, np.arange(count) + 0.5)
    weights = np.clip(high - low, 0, None) / (2 * half)
    data = np.moveaxis(np.asarray(image.data, dtype=np.float32), axis, 0)
    out = np.moveaxis(np.tensordot(weights.astype(np.float32), data, axes=1), 0, axis)
    return _placed(out, _restepped(image.grid, axis, first=centres[0], step=step_mm / own))


def _finer(image: Image, *, axis: int, step_mm: float, kernel: Kernel) -> Image:
    own, count = image.grid.spacing[axis], image.grid.shape[axis]
    pixels = round(count * own / step_mm)
    positions = (np.arange(pixels, dtype=np.float64) - (pixels - 1) / 2) * step_mm / own + (
        count - 1
    ) / 2
    matrix = interpolation(positions, count=count, step=1.0, kernel=kernel)
    data = np.moveaxis(np.asarray(image.data, dtype=np.float32), axis, 0)
    flat = matrix @ np.ascontiguousarray(data.reshape(count, -1))
    out = np.moveaxis(flat.reshape(pixels, *data.shape[1:]), 0, axis)
    out = np.maximum(out, min(0.0, float(data.min())))
    return _placed(out, _restepped(image.grid, axis, first=positions[0], step=step_mm / own))


def _moved(image: Image, *, poses: tuple[float, ...], ends: tuple[float, ...]) -> Image:
    """Lines of k-space (along the first axis) in which the head lay in different poses.

    A pose of p is a shift by p mm along both axes of the plane and a turn by p degrees in it;
    `ends` are the shares of the lines read when each pose ends, lowest frequency in the middle.
    """
    data = np.asarray(image.data, dtype=np.float32)
    if not any(poses):
        return image
    spacing = np.array(image.grid.spacing[:2])
    centre = (np.array(data.shape[:2]) - 1) / 2
    lines = (np.arange(data.shape[0]) + 0.5) / data.shape[0]
    out = np.empty_like(data)
    for index in range(data.shape[2]):
        plane = ndimage.spline_filter(data[..., index], order=3, output=np.float32)
        spectrum = np.zeros(plane.shape, dtype=np.complex64)
        begin = 0.0
        for pose, end in zip(poses, ends, strict=True):
            read = np.fft.ifftshift((lines > begin) & (lines <= end))
            begin = end
            cosine, sine = np.cos(np.radians(pose)), np.sin(np.radians(pose))
            turn = np.array([[cosine, -sine], [sine, cosine]]) * spacing[None, :] / spacing[:, None]
            seen = ndimage.affine_transform(
                plane, turn, centre - turn @ centre + pose / spacing, order=3, prefilter=False
            )
            spectrum[read] = np.fft.fft2(seen)[read]
        out[..., index] = np.abs(np.fft.ifft2(spectrum))
    return image.with_data(out)


def _restepped(grid: Grid, axis: int, *, first: float, step: float) -> npt.NDArray[np.float64]:
    """The affine where an axis begins at voxel `first` and goes on by `step` voxels."""
    affine = grid.affine.copy()
    start = np.zeros(3)
    start[axis] = first
    affine[:3, 3] = grid.to_world(start)
    affine[:3, axis] *= step
    return affine


def _placed(data: npt.NDArray[np.generic], affine: npt.NDArray[np.float64]) -> Image:
    shape = (data.shape[0], data.shape[1], data.shape[2])
    return Image(np.ascontiguousarray(data), Grid(shape, affine))
