"""Label maps of whole heads, brought into the form the generator draws from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.errors import UnusableInput
from leuko.formats.read import read_scan
from leuko.image.image import to_canonical
from leuko.models.classes import Tissue

__all__ = ["DISTANCE_STEP_MM", "TISSUE_OF_KIND", "Head", "Kind", "load_head"]

DISTANCE_STEP_MM = 0.25  # distances are stored in bytes, up to 63.75 mm


class Kind(IntEnum):
    """What the generator tells apart by intensity: finer than the classes of the network."""

    AIR = 0
    CSF = 1
    CORTEX = 2
    THALAMUS = 3
    CAUDATE = 4
    PUTAMEN = 5
    PALLIDUM = 6
    WHITE_MATTER = 7
    VENTRICLES = 8
    BRAINSTEM = 9
    CEREBELLAR_WHITE = 10
    CEREBELLAR_CORTEX = 11
    HIPPOCAMPUS = 12  # with amygdala
    CHOROID = 13
    VENTRAL_DC = 14
    SOFT_TISSUE = 15
    FAT = 16
    SKULL = 17
    MARROW = 18  # with dura
    EYE = 19
    ORBIT = 20
    AIRWAY = 21
    OTHER = 22


_KIND_OF_ID: Mapping[Kind, tuple[int, ...]] = {
    Kind.CSF: (24,),
    Kind.CORTEX: (3, 42),
    Kind.THALAMUS: (10, 49),
    Kind.CAUDATE: (11, 50, 26, 58),
    Kind.PUTAMEN: (12, 51),
    Kind.PALLIDUM: (13, 52),
    # 25/57 and 77 are lesions of the map's own subject: white matter before new ones are drawn.
    Kind.WHITE_MATTER: (2, 41, 25, 57, 77),
    Kind.VENTRICLES: (4, 43, 5, 44, 14, 15, 72),
    Kind.BRAINSTEM: (16,),
    Kind.CEREBELLAR_WHITE: (7, 46),
    Kind.CEREBELLAR_CORTEX: (8, 47),
    Kind.HIPPOCAMPUS: (17, 53, 18, 54),
    Kind.CHOROID: (136, 137, 163, 164),
    Kind.VENTRAL_DC: (28, 60, 85, 30, 62),
    Kind.SOFT_TISSUE: (507,),
    Kind.FAT: (511,),
    Kind.SKULL: (515,),
    Kind.MARROW: (516,),
    Kind.EYE: (506,),
    Kind.ORBIT: (508, 509, 530),
    Kind.AIRWAY: (502, 512),
    Kind.OTHER: (514,),
}

TISSUE_OF_KIND: Mapping[Kind, Tissue] = {
    Kind.CSF: Tissue.CSF,
    Kind.CORTEX: Tissue.CORTEX,
    Kind.HIPPOCAMPUS: Tissue.CORTEX,
    Kind.THALAMUS: Tissue.DEEP_GREY,
    Kind.CAUDATE: Tissue.DEEP_GREY,
    Kind.PUTAMEN: Tissue.DEEP_GREY,
    Kind.PALLIDUM: Tissue.DEEP_GREY,
    Kind.VENTRAL_DC: Tissue.DEEP_GREY,
    Kind.WHITE_MATTER: Tissue.WHITE_MATTER,
    Kind.VENTRICLES: Tissue.VENTRICLES,
    Kind.CHOROID: Tissue.VENTRICLES,
    Kind.BRAINSTEM: Tissue.BRAINSTEM,
    Kind.CEREBELLAR_WHITE: Tissue.CEREBELLUM,
    Kind.CEREBELLAR_CORTEX: Tissue.CEREBELLUM,
}
_LATERAL_IDS = (4, 43, 5, 44, 136, 137, 163, 164)

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One head on a canonical (RAS) grid; all arrays have one shape, distances are in 0.25 mm.

    `kinds` holds `Kind` values; `to_ventricles`, `to_cortex` and `to_brain` the distance to the
    lateral ventricles, the cortex and brain tissue; `capsule` the posterior limb of the internal
    capsule, where the corticospinal tract looks bright in healthy heads.
    """

    kinds: Bytes
    to_ventricles: Bytes
    to_cortex: Bytes
    to_brain: Bytes
    capsule: npt.NDArray[np.bool_]
    spacing: tuple[float, float, float]
    brain_box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    ventricle_extent: tuple[int, int]  # first and last index along axis 1


def load_head(path: str | PathLike[str]) -> Head:
    """Read a label map with FreeSurfer ids (and 502-530 outside the brain).

    Raises UnusableInput if it holds no white matter or no lateral ventricles.
    """
    image = read_scan(Path(path))
    labels = np.ascontiguousarray(to_canonical(image.data, image.grid)).astype(np.int64)
    table = np.zeros(max(600, int(labels.max()) + 1), dtype=np.uint8)
    for kind, ids in _KIND_OF_ID.items():
        table[list(ids)] = kind
    kinds = table[labels]
    lateral = np.isin(labels, _LATERAL_IDS)
    if not lateral.any() or not (kinds == Kind.WHITE_MATTER).any():
        raise UnusableInput(
            f"{Path(path).name} is no label map of a head: white matter or ventricles are missing.",
            hint="The generator needs FreeSurfer ids: 2/41 white matter, 4/43 lateral ventricles.",
        )
    brain = _in_brain(kinds)
    spacing = image.grid.canonical().spacing
    box = _box(brain)
    capsule = (
        (kinds == Kind.WHITE_MATTER)
        & (_distance(kinds == Kind.THALAMUS, box, spacing) <= 6 / DISTANCE_STEP_MM)
        & (
            _distance(np.isin(kinds, (Kind.PUTAMEN, Kind.PALLIDUM)), box, spacing)
            <= 6 / DISTANCE_STEP_MM
        )
    )
    front_to_back = np.flatnonzero(lateral.any(axis=(0, 2)))
    return Head(
        kinds=kinds,
        to_ventricles=_distance(lateral, box, spacing),
        to_cortex=_distance(kinds == Kind.CORTEX, box, spacing),
        to_brain=_distance(brain, box, spacing),
        capsule=capsule,
        spacing=spacing,
        brain_box=box,
        ventricle_extent=(int(front_to_back[0]), int(front_to_back[-1])),
    )


def _in_brain(kinds: Bytes) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[[kind for kind, tissue in TISSUE_OF_KIND.items() if tissue is not Tissue.CSF]] = True
    return np.asarray(table[kinds])


def _box(
    mask: npt.NDArray[np.bool_],
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    ends = []
    for axis in range(3):
        index = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        ends.append((int(index[0]), int(index[-1]) + 1))
    return (ends[0], ends[1], ends[2])


def _distance(
    target: npt.NDArray[np.bool_],
    box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
    spacing: tuple[float, float, float],
) -> Bytes:
    """Distance to `target`, computed near the brain; farther away it is the largest value."""
    margin = 10
    window = tuple(
        slice(max(0, low - margin), min(size, high + margin))
        for (low, high), size in zip(box, target.shape, strict=True)
    )
    out = np.full(target.shape, 255, dtype=np.uint8)
    millimetres = ndimage.distance_transform_edt(~target[window], sampling=spacing)
    out[window] = np.clip(np.round(millimetres / DISTANCE_STEP_MM), 0, 255).astype(np.uint8)
    return out
