"""What others say of the anatomy of scans: labels of a parcellation as tissues, on the FLAIR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.formats.read import read_mask, read_scan
from leuko.image.image import Image
from leuko.image.resample import resample
from leuko.models.classes import Tissue
from leuko.registration.apply import apply_to_mask
from leuko.registration.register import Settings, register_images

__all__ = ["Reference", "muse_reference", "parcellation_reference"]

Labels = npt.NDArray[np.uint8]

# MUSE ids by tissue; GIF numbers the same regions one higher.
_MUSE: Mapping[Tissue, tuple[int, ...]] = {
    Tissue.CSF: (1,),
    Tissue.VENTRICLES: (4, 11, 49, 50, 51, 52),
    Tissue.BRAINSTEM: (35,),
    Tissue.CEREBELLUM: (38, 39, 40, 41, 71, 72, 73),
    Tissue.DEEP_GREY: (23, 30, 36, 37, *range(55, 63)),
    Tissue.WHITE_MATTER: tuple(range(81, 96)),
    Tissue.CORTEX: (31, 32, 47, 48, 75, 76, *range(100, 208)),
}
_ONLY_GIF = {35: Tissue.BRAINSTEM, 36: Tissue.BRAINSTEM, 47: Tissue.CSF}
_ONLY_GIF |= dict.fromkeys((66, 67, 81), Tissue.WHITE_MATTER)
_ONLY_GIF |= {96: Tissue.DEEP_GREY, 97: Tissue.DEEP_GREY, 16: Tissue.VENTRICLES}


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Tissues on the FLAIR's grid, and their volumes in ml on the grid they were drawn on."""

    labels: Labels
    volumes_ml: Mapping[Tissue, float]


def muse_reference(folder: Path, *, flair: Image, kept: Path) -> Reference:
    """MUSE of the T1, brought to the FLAIR by a rigid registration; the outcome is kept."""
    muse = read_mask(folder / "muse_auto.nii.gz")
    tissues = muse.with_data(_table()[muse.data])
    path = kept / f"muse-{folder.name}.npy"
    if not path.is_file():
        fit = register_images(flair, read_scan(folder / "t1.nii.gz"), settings=Settings("rigid"))
        moved = apply_to_mask(tissues, transform=fit.transform, onto=flair.grid)
        kept.mkdir(parents=True, exist_ok=True)
        np.save(path, moved.data.astype(np.uint8))
    return Reference(np.load(path), _volumes(tissues))


def parcellation_reference(path: Path, *, flair: Image) -> Reference:
    """The GIF parcellation of the same head, by world position; it has no outer fluid."""
    image = read_mask(path)
    table = np.roll(_table(), 1)
    table[2] = Tissue.BACKGROUND  # MUSE's fluid is not in GIF
    for label, tissue in _ONLY_GIF.items():
        table[label] = tissue
    tissues = image.with_data(table[image.data])
    moved = resample(tissues, onto=flair.grid, kernel="label").data.astype(np.uint8)
    return Reference(moved, _volumes(tissues))


def _table() -> Labels:
    table = np.zeros(256, dtype=np.uint8)
    for tissue, labels in _MUSE.items():
        table[list(labels)] = tissue
    return table


def _volumes(tissues: Image) -> dict[Tissue, float]:
    counts = np.bincount(tissues.data.ravel(), minlength=len(Tissue))
    return {tissue: float(counts[tissue]) * tissues.grid.voxel_mm3 / 1000 for tissue in Tissue}
