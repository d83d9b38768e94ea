"""What a rendered slab is labelled as: tissues, and lesions where a rater would see them."""

from __future__ import annotations

import torch
from torch import Tensor

from leuko.models.classes import Tissue
from leuko.synthesis.geometry import Slab
from leuko.synthesis.heads import TISSUE_OF_KIND

__all__ = ["main_tissue", "pooled", "truth"]

_TISSUES = tuple(t for t in Tissue if t < Tissue.LESION)
VISIBLE_OVER_NOISE = 1.6  # a lesion is labelled where its signal stands out of the noise
FAINTEST = 0.11  # of white matter's brightness: fainter than this nobody sees
PEAK_WINDOW_MM = 20.0  # a lesion's summit is looked for this far around
FOCUS_WINDOW_MM = 8.0  # that of a small spot
LESION_WINDOW_MM = 12.0  # that of a lesion beside a brighter one


def main_tissue(slab: Slab, profile: Tensor, *, fluid_from: float) -> tuple[Tensor, Tensor]:
    """The tissue of each slice's voxel, a `Tissue` below LESION, and what may be ventricle too.

    A voxel is of the tissue that fills most of it, but fluid from a share of `fluid_from`.
    """
    table = torch.zeros(256, dtype=torch.uint8)
    for kind, tissue in TISSUE_OF_KIND.items():
        table[int(kind)] = int(tissue)
    kinds = slab.kinds.reshape(-1).to(torch.int32)
    labels = torch.index_select(table.to(slab.kinds.device), 0, kinds).reshape(slab.shape.voxels)
    best = torch.matmul((labels == 0).float(), profile.T)
    main = torch.zeros_like(best, dtype=torch.uint8)
    fluid: dict[Tissue, Tensor] = {}
    for tissue in _TISSUES[1:]:
        share = torch.matmul((labels == int(tissue)).float(), profile.T)
        main.masked_fill_(share > best, int(tissue))
        best = torch.maximum(best, share)
        if tissue in (Tissue.CSF, Tissue.VENTRICLES):
            fluid[tissue] = share
    csf, ventricles = fluid[Tissue.CSF], fluid[Tissue.VENTRICLES]
    wet = (csf + ventricles > fluid_from) & (main != 0)
    main.masked_fill_(wet & (csf >= ventricles), int(Tissue.CSF))
    main.masked_fill_(wet & (csf < ventricles), int(Tissue.VENTRICLES))
    # Raters differ on a horn or a slit that fills a third of a slice.
    return main, (ventricles > 0.5 * fluid_from) & ~wet


def truth(
    tissue: Tensor,
    *,
    perhaps_ventricle: Tensor,
    lesion: Tensor,
    rim: Tensor,
    above_white: Tensor,
    extent: Tensor,
    cavity: Tensor,
    strange: Tensor,
    noise: float,
    pixel_mm: float,
) -> Tensor:
    """Label what is visible: above a small multiple of noise and half of the local peak."""
    total = lesion + rim
    peak = pooled(total, PEAK_WINDOW_MM / pixel_mm, highest=True)
    own_peak = pooled(total, FOCUS_WINDOW_MM / pixel_mm, highest=True)
    focal = total > 2.0 * pooled(total, PEAK_WINDOW_MM / pixel_mm, highest=False)
    faintest = max(FAINTEST, VISIBLE_OVER_NOISE * noise)
    # A haze that fades over centimetres ends at half of its summit; a small spot beside a bright
    # lesion is measured by its own.
    stands_out = (total > 0.5 * peak) | (focal & (total > 0.5 * own_peak))
    shown = (total > faintest) & stands_out
    # Where fluid shares the voxel the excess does not reach above white matter: nobody marks it.
    visible = shown & (above_white > 0.3 * peak)
    # Dark cores and weak parts belong to a lesion that fills the slab and is seen elsewhere.
    visible |= (extent > 0.6) & (peak > faintest)
    bits = torch.ones_like(tissue, dtype=torch.int16) << tissue.to(torch.int16)
    bits = torch.where(perhaps_ventricle, bits | (1 << int(Tissue.VENTRICLES)), bits)
    lesion_bit, rim_bit = 1 << int(Tissue.LESION), 1 << int(Tissue.CAP_RIM)
    # Too faint to demand, too real to forbid; so is a lesion that pales beside a brighter one.
    faint = (total > 0.5 * faintest) & (total < faintest) & stands_out
    beside = (total > faintest) & (
        total > 0.5 * pooled(total, LESION_WINDOW_MM / pixel_mm, highest=True)
    )
    doubtful = ~visible & (faint | beside | (extent > 0.6))
    bits = torch.where(doubtful, bits | lesion_bit | rim_bit, bits)
    is_lesion = visible & ((lesion >= rim) | (extent > 0.6))
    bits = torch.where(is_lesion, torch.full_like(bits, lesion_bit), bits)
    is_rim = visible & ~is_lesion
    # Where a lesion reaches the ventricles nobody can tell what of its border is rim.
    reached = pooled(is_lesion.float(), 3.0 / pixel_mm, highest=True) > 0
    bits = torch.where(is_rim, torch.full_like(bits, rim_bit), bits)
    bits = torch.where(is_rim & reached, bits | lesion_bit, bits)
    # Infarcts and tumours are neither lesion nor rim, whatever tissue they took.
    other = (1 << int(Tissue.LESION)) - 1
    bits = torch.where(strange > 0.5, torch.full_like(bits, other), bits)
    border = (strange > 0.08) & (strange <= 0.5)
    bits = torch.where(border, bits | other | lesion_bit | rim_bit, bits)
    fluid = (1 << int(Tissue.CSF)) | (1 << int(Tissue.VENTRICLES))
    return torch.where(cavity & ~visible, bits | fluid | (1 << int(Tissue.WHITE_MATTER)), bits)


def pooled(volume: Tensor, pixels: float, *, highest: bool) -> Tensor:
    """Highest or mean value in a square window of each slice of (u, v, n)."""
    window, half = 2 * round(pixels / 2) + 1, round(pixels / 2)
    pooled = volume.permute(2, 0, 1)[:, None]
    for kernel, padding in (((window, 1), (half, 0)), ((1, window), (0, half))):
        if highest:
            pooled = torch.nn.functional.max_pool2d(pooled, kernel, stride=1, padding=padding)
        else:
            pooled = torch.nn.functional.avg_pool2d(pooled, kernel, stride=1, padding=padding)
    return pooled[:, 0].permute(1, 2, 0)
