"""A whole synthetic FLAIR with known truth: what `leuko demo` ships and tests stand on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import numpy.typing as npt

from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.synthesis.artefacts import Acquisition, Corruption
from leuko.synthesis.contrast import typical_flair
from leuko.synthesis.geometry import SlabShape, draw_geometry, sample_slab
from leuko.synthesis.head import Recipe, render
from leuko.synthesis.heads import load_head
from leuko.synthesis.lesions import Foci, LesionPlan, Noisy

__all__ = ["LESION_VALUE", "RIM_VALUE", "SyntheticScan", "centred_grid", "synthetic_scan"]

LESION_VALUE, RIM_VALUE = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticScan:
    """A FLAIR (int16) and its truth (uint8: 1 lesion, 2 periventricular cap or rim) on one grid."""

    flair: Image
    truth: Image


def synthetic_scan(
    labelmap: str | PathLike[str],
    *,
    seed: int,
    pixel_mm: float = 0.9,
    spacing_mm: float = 6.0,
    field_mm: tuple[float, float, float] = (180.0, 225.0, 150.0),
) -> SyntheticScan:
    """A moderate load of vascular lesions in an axial 2D FLAIR with skull; same seed, same scan.

    The image's affine is RAS with its centre at the origin, in mm.
    """
    rng = np.random.default_rng(seed)
    head = load_head(labelmap)
    shape = SlabShape.covering(field_mm, pixel_mm=pixel_mm)
    geometry = draw_geometry(rng, head=head, shape=shape, plane="axial", strength=0.35)
    geometry = replace(
        geometry, centre_mm=_middle(head.brain_box, head.spacing), ventricle_mm=2.5, mirrored=False
    )
    slab = sample_slab(geometry, head=head, shape=shape)
    rendered = render(_plan(seed, spacing_mm), slab=slab)
    image = rendered.image.numpy()
    flair = np.clip(np.round(image * 200.0), 0, 4095).astype(np.int16)
    bits = rendered.allowed.numpy()
    truth = np.zeros(flair.shape, dtype=np.uint8)
    truth[bits == 1 << int(Tissue.LESION)] = LESION_VALUE
    truth[bits == 1 << int(Tissue.CAP_RIM)] = RIM_VALUE
    grid = centred_grid(flair.shape, (pixel_mm, pixel_mm, spacing_mm))
    return SyntheticScan(Image(flair, grid), Image(truth, grid))


def _middle(
    box: tuple[tuple[int, int], ...], spacing: tuple[float, float, float]
) -> npt.NDArray[np.float64]:
    return np.array([(low + high) / 2 * s for (low, high), s in zip(box, spacing, strict=True)])


def centred_grid(shape: tuple[int, ...], spacing: tuple[float, float, float]) -> Grid:
    """A RAS grid with its centre at the origin of the world, in mm."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * s for n, s in zip(shape, spacing, strict=True)]
    return Grid((shape[0], shape[1], shape[2]), affine)


def _plan(seed: int, spacing_mm: float) -> Recipe:
    lesions = LesionPlan(
        contrast=0.7,
        contrast_variation=0.12,
        dark_cores=0.0,
        noisy=(Noisy((5.0, 11.0, 20.0), (0.5, 0.6, 0.4), 0.03, 0.1, False, 1.5),),
        foci=(
            Foci(26, (1.4, 3.6), "white"),
            Foci(6, (1.6, 3.0), "juxtacortical"),
        ),
        band_mm=0.0,
        rim_mm=1.1,
        cap_mm=2.6,
        rim_contrast=0.6,
        halo=0.05,
        halo_mm=7.0,
        radiation=0.0,
        radiation_edge_mm=1.0,
        deep_haze=0.03,
        tract=0.05,
        septum=0.0,
        cavities=0,
        strange=None,
        seed=seed,
    )
    acquisition = Acquisition(
        spacing_mm=spacing_mm,
        thickness_mm=spacing_mm * 0.85,
        blur_mm=0.45,
        resolution_mm=(0.9, 0.9),
        offset=0.3,
        seed=seed,
    )
    corruption = Corruption(
        bias=0.07,
        noise=0.022,
        ghost=0.0,
        ghost_shift=0.3,
        wrap=0.0,
        motion=0.0,
        motion_px=0.0,
        motion_deg=0.0,
        grain=0.0,
        broad_bias=0.0,
        slice_jitter=0.01,
        sharpen=0.3,
        gamma=1.0,
        offset=0.0,
        seed=seed,
    )
    return Recipe(
        contrast=typical_flair(),
        lesions=lesions,
        acquisition=acquisition,
        corruption=corruption,
        skull_stripped=False,
        strip_margin_mm=0.0,
        flow=0.25,
        ependyma=0.0,
        plexus=0.0,
        seed=seed,
    )
