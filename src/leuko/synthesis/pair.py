"""A synthetic FLAIR and T1 of one head with its white matter: training data for finding it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import numpy.typing as npt

from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.synthesis.artefacts import draw_corruption
from leuko.synthesis.contrast import draw_contrast, draw_t1_contrast
from leuko.synthesis.geometry import SlabShape, draw_geometry, sample_slab
from leuko.synthesis.head import draw_recipe, render
from leuko.synthesis.heads import load_head
from leuko.synthesis.lesions import LesionPlan
from leuko.synthesis.sample import centred_grid

__all__ = ["SyntheticPair", "synthetic_pair"]

FIELD_MM = (184.0, 228.0, 150.0)
PIXEL_MM = 0.9
SPACING_MM = (2.0, 8.0)
SCALE = 200.0  # of white matter in the files
DARKENING = (0.1, 0.45)  # of lesions in T1, as a share of their brightness in FLAIR


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticPair:
    """FLAIR and T1 (int16), and cerebral white matter with its lesions (uint8), on one RAS grid."""

    flair: Image
    t1: Image
    white_matter: Image


def synthetic_pair(labelmap: str | PathLike[str], *, seed: int) -> SyntheticPair:
    """A head at random from a label map: axial slices of 2 to 8 mm, both contrasts, lesions.

    The same seed gives the same pair. The affine has the image's centre at the origin, in mm.
    """
    rng = np.random.default_rng(seed)
    head = load_head(labelmap)
    shape = SlabShape.covering(FIELD_MM, pixel_mm=PIXEL_MM)
    geometry = draw_geometry(rng, head=head, shape=shape, plane="axial", strength=0.7)
    slab = sample_slab(geometry, head=head, shape=shape)
    flair = draw_recipe(rng)
    spacing = float(rng.uniform(*SPACING_MM))
    flair = replace(
        flair,
        contrast=draw_contrast(rng, flair_share=1.0),
        lesions=replace(flair.lesions, cavities=0),
        acquisition=replace(flair.acquisition, spacing_mm=spacing, thickness_mm=0.85 * spacing),
    )
    t1 = replace(
        flair,
        contrast=draw_t1_contrast(rng),
        lesions=_darkened(flair.lesions, share=float(rng.uniform(*DARKENING))),
        corruption=draw_corruption(rng),
        flow=0.0,
        ependyma=0.0,
        plexus=0.0,
    )
    bright, dark = render(flair, slab=slab), render(t1, slab=slab)
    bits = bright.allowed.numpy()
    only = [bits == 1 << int(tissue) for tissue in (Tissue.LESION, Tissue.CAP_RIM)]
    white = ((bits & (1 << int(Tissue.WHITE_MATTER))) > 0) | only[0] | only[1]
    grid = centred_grid(white.shape, (PIXEL_MM, PIXEL_MM, spacing))
    return SyntheticPair(
        Image(_stored(bright.image.numpy()), grid),
        Image(_stored(dark.image.numpy()), grid),
        Image(white.astype(np.uint8), grid),
    )


def _darkened(plan: LesionPlan, *, share: float) -> LesionPlan:
    """The same lesions, darker than white matter, without what only FLAIR shows."""
    return replace(
        plan,
        contrast=-share * plan.contrast,
        rim_contrast=-share * plan.rim_contrast,
        halo=0.0,
        radiation=0.0,
        radiation_edge_mm=1.0,
        deep_haze=0.0,
        tract=0.0,
        septum=0.0,
        strange=None,
    )


def _stored(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    return np.clip(np.round(values * SCALE), 0, 4095).astype(np.int16)
