"""What gate.py does to good scans, and which finding each of it should bring up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import ndimage

import degrade
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.preparation.intensity import brain_level
from motion import Order, moved_while_scanned

__all__ = ["named"]

THIN_MM = 2.5
Labels = npt.NDArray[np.uint8]
Change = Callable[[Image, Labels], Image]
Named = tuple[str, tuple[str, ...], Change]
WORDS: dict[Order, str] = {"shots": "in shots", "rising": "line by line"}
CUT = ("scan.brain_cut", "scan.partial_coverage", "scan.too_small")
INTERPOLATED = ("scan.interpolated", "scan.low_resolution", "scan.coarse")


def named(image: Image, *, seed: int) -> Iterator[Named]:
    """Name, the codes of which one is to be found, and the change of a scan in canonical axes.

    A change takes the scan and the network's anatomy of it. `seed` decides by which axis and how
    a head moves, and where a mass grows.
    """
    moves: tuple[tuple[Order, float], ...] = (("shots", 0.5), ("shots", 1.0), ("rising", 1.0))
    for order, amount in moves:
        made = partial(moved_while_scanned, amount=amount, axis=seed % 2, order=order, seed=seed)
        name = f"motion of {amount:g} mm and degrees, read {WORDS[order]}"
        yield name, ("scan.motion",), _plain(made)
    yield "ghost of 6 %", ("scan.motion",), _plain(partial(degrade.ghosted, share=0.06))
    for snr in (10.0, 6.0):
        noised = partial(degrade.noised, snr=snr, seed=seed)
        yield f"noise, brain over noise {snr:g}", ("scan.noisy",), _plain(noised)
    yield "top third of the brain missing", CUT, partial(_cut, top=True)
    yield "bottom third of the brain missing", CUT, partial(_cut, top=False)
    yield ("interpolated to half the pixels (zeros in k-space)", INTERPOLATED,
           _plain(degrade.zero_filled))  # fmt: skip
    yield "pixels of 3 mm, brought back", ("scan.low_resolution",), _plain(_blurred)
    if image.grid.spacing[2] <= THIN_MM:
        yield "slices of 6 mm, brought back", INTERPOLATED, _plain(_thickened)
    for radius in (12.0, 18.0):
        grown = partial(_with_mass, radius_mm=radius, seed=seed)
        yield f"painted mass, radius {radius:g} mm", ("scan.mass",), grown


def _plain(change: Callable[[Image], Image]) -> Change:
    """A change that needs no anatomy."""
    return lambda image, _: change(image)


def _cut(image: Image, anatomy: Labels, *, top: bool) -> Image:
    brain = np.flatnonzero((anatomy > 0).any(axis=(0, 1)))
    low, high = int(brain[0]), int(brain[-1]) + 1
    third = (high - low) // 3
    if top:
        return degrade.kept_slices(image, first=0, last=high - third)
    return degrade.kept_slices(image, first=low + third, last=image.grid.shape[2])


def _blurred(image: Image) -> Image:
    return degrade.on_grid(degrade.pixels_of(image, pixel_mm=3.0), image.grid, order=3)


def _thickened(image: Image) -> Image:
    return degrade.on_grid(degrade.slices_of(image, spacing_mm=6.0), image.grid, order=3)


def _with_mass(image: Image, anatomy: Labels, *, radius_mm: float, seed: int) -> Image:
    """A wavering ball of cortex and white matter on one side, 1.8 times as bright as they were."""
    draw = np.random.default_rng(seed)
    data = np.asarray(image.data, dtype=np.float32)
    spacing = np.array(image.grid.spacing)
    matter = np.isin(anatomy, (Tissue.CORTEX, Tissue.WHITE_MATTER, Tissue.DEEP_GREY))
    inner = np.argwhere(np.isin(anatomy, (Tissue.VENTRICLES, Tissue.DEEP_GREY)))
    middle = np.median(inner, axis=0)
    white = np.argwhere(anatomy == Tissue.WHITE_MATTER)
    away = np.abs(white - middle) * spacing
    white = white[(away[:, 0] > 25) & (away[:, 1] < 50) & (away[:, 2] < 35)]
    centre = white[int(draw.integers(len(white)))]
    axes = np.ogrid[tuple(slice(0, length) for length in data.shape)]
    far = sum(((axes[k] - centre[k]) * spacing[k]) ** 2 for k in range(3)) ** 0.5
    grain = draw.normal(size=[int(np.ceil(n * mm / 12)) + 2 for n, mm in zip(
        data.shape, spacing, strict=True)])  # fmt: skip
    places = np.meshgrid(
        *(np.arange(n) * mm / 12 for n, mm in zip(data.shape, spacing, strict=True)),
        indexing="ij",
    )
    waver = ndimage.map_coordinates(grain, places, order=1)
    inside = 1 / (1 + np.exp((far - radius_mm * (1 + 0.2 * waver)) / (0.12 * radius_mm)))
    brain = ndimage.gaussian_filter(matter.astype(np.float32), 0.7 / spacing)
    return image.with_data((data + 0.8 * brain_level(data) * inside * brain).astype(np.float32))
