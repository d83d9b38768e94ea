"""How bright each tissue is: FLAIR-like most of the time, arbitrary otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from leuko.synthesis.heads import Kind

__all__ = ["Contrast", "draw_contrast", "draw_t1_contrast", "typical_flair"]

# Relative to white matter = 1, as FLAIRs of many scanners show them.
_FLAIR_RANGES: Mapping[Kind, tuple[float, float]] = {
    Kind.AIR: (0.0, 0.04),
    Kind.CSF: (0.05, 0.42),
    Kind.CORTEX: (0.92, 1.42),
    Kind.THALAMUS: (0.85, 1.2),
    Kind.CAUDATE: (0.95, 1.35),
    Kind.PUTAMEN: (0.9, 1.3),
    Kind.PALLIDUM: (0.65, 1.05),
    Kind.WHITE_MATTER: (1.0, 1.0),
    Kind.VENTRICLES: (0.05, 0.4),
    Kind.BRAINSTEM: (0.85, 1.2),
    Kind.CEREBELLAR_WHITE: (0.85, 1.15),
    Kind.CEREBELLAR_CORTEX: (0.95, 1.35),
    Kind.HIPPOCAMPUS: (1.1, 1.55),
    Kind.CHOROID: (0.5, 1.7),
    Kind.VENTRAL_DC: (0.85, 1.2),
    Kind.SOFT_TISSUE: (0.3, 0.9),
    Kind.FAT: (0.3, 2.6),
    Kind.SKULL: (0.05, 0.5),
    Kind.MARROW: (0.1, 1.4),
    Kind.EYE: (0.05, 0.5),
    Kind.ORBIT: (0.3, 1.8),
    Kind.AIRWAY: (0.0, 0.5),
    Kind.OTHER: (0.1, 1.2),
}
# The same for T1: grey is darker than white matter, fluid darkest, fat brightest.
_T1_RANGES: Mapping[Kind, tuple[float, float]] = {
    **_FLAIR_RANGES,
    Kind.CSF: (0.1, 0.4),
    Kind.CORTEX: (0.55, 0.85),
    Kind.THALAMUS: (0.75, 0.97),
    Kind.CAUDATE: (0.6, 0.9),
    Kind.PUTAMEN: (0.65, 0.93),
    Kind.PALLIDUM: (0.85, 1.05),
    Kind.BRAINSTEM: (0.85, 1.05),
    Kind.CEREBELLAR_WHITE: (0.9, 1.05),
    Kind.CEREBELLAR_CORTEX: (0.55, 0.85),
    Kind.HIPPOCAMPUS: (0.55, 0.85),
    Kind.CHOROID: (0.3, 0.8),
    Kind.VENTRAL_DC: (0.8, 1.0),
    Kind.FAT: (0.9, 2.8),
    Kind.MARROW: (0.3, 2.0),
}
_SMOOTHLY_VARYING = (
    Kind.CORTEX,
    Kind.HIPPOCAMPUS,
    Kind.CAUDATE,
    Kind.PUTAMEN,
    Kind.THALAMUS,
    Kind.BRAINSTEM,
    Kind.CEREBELLAR_CORTEX,
    Kind.CEREBELLAR_WHITE,
)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Mean brightness of every `Kind`, its slow variation over centimetres and its texture."""

    means: tuple[float, ...]
    variation: tuple[float, ...]
    texture: tuple[float, ...]
    flair: bool


def draw_contrast(rng: np.random.Generator, *, flair_share: float = 0.9) -> Contrast:
    """Draw the brightness of all tissues; white matter is 1 in FLAIR-like contrast."""
    flair = bool(rng.random() < flair_share)
    means = np.zeros(len(Kind))
    for kind, (low, high) in _FLAIR_RANGES.items():
        means[kind] = rng.uniform(low, high) if flair else rng.uniform(0.1, 1.6)
    if flair:
        # Fluid is nulled together; grey tissues rise and fall together between sequences.
        means[Kind.VENTRICLES] = means[Kind.CSF] * rng.uniform(0.75, 1.1)
        grey = means[Kind.CORTEX]
        means[Kind.HIPPOCAMPUS] = grey * rng.uniform(1.0, 1.25)
        means[Kind.CEREBELLAR_CORTEX] = grey * rng.uniform(0.85, 1.05)
        if rng.random() < 0.3:  # fat suppression
            means[Kind.FAT] *= 0.35
            means[Kind.MARROW] *= 0.5
    means[Kind.AIR] = rng.uniform(0.0, 0.03)
    variation = np.full(len(Kind), 0.03)
    variation[list(_SMOOTHLY_VARYING)] = rng.uniform(0.02, 0.13)
    variation[Kind.WHITE_MATTER] = rng.uniform(0.01, 0.12)
    texture = np.full(len(Kind), rng.uniform(0.0, 0.05))
    texture[Kind.WHITE_MATTER] = rng.uniform(0.0, 0.05)
    outside = [k for k in Kind if k >= Kind.SOFT_TISSUE]
    variation[outside] = rng.uniform(0.1, 0.5)
    texture[outside] = rng.uniform(0.1, 0.4)
    texture[[Kind.CSF, Kind.VENTRICLES]] = rng.uniform(0.0, 0.25)
    texture[Kind.CHOROID] = 0.3
    return Contrast(tuple(means), tuple(variation), tuple(texture), flair)


def draw_t1_contrast(rng: np.random.Generator) -> Contrast:
    """Draw a T1-weighted contrast; white matter is 1."""
    drawn = draw_contrast(rng, flair_share=1.0)
    means = np.array(drawn.means)
    for kind, (low, high) in _T1_RANGES.items():
        means[kind] = rng.uniform(low, high)
    means[Kind.AIR] = drawn.means[Kind.AIR]
    means[Kind.VENTRICLES] = means[Kind.CSF] * rng.uniform(0.8, 1.1)
    means[Kind.HIPPOCAMPUS] = means[Kind.CORTEX] * rng.uniform(0.95, 1.1)
    means[Kind.CEREBELLAR_CORTEX] = means[Kind.CORTEX] * rng.uniform(0.9, 1.1)
    return Contrast(tuple(means), drawn.variation, drawn.texture, flair=False)


def typical_flair() -> Contrast:
    """The middle of the FLAIR ranges, without a draw: for the packaged sample."""
    means = np.array([sum(_FLAIR_RANGES[kind]) / 2 for kind in Kind])
    means[Kind.AIR] = 0.01
    means[[Kind.CSF, Kind.VENTRICLES]] = 0.14
    means[Kind.FAT] = 1.5
    means[Kind.MARROW] = 0.5
    means[Kind.SKULL] = 0.15
    means[Kind.CHOROID] = 0.8
    variation = np.full(len(Kind), 0.04)
    texture = np.full(len(Kind), 0.03)
    texture[[k for k in Kind if k >= Kind.SOFT_TISSUE]] = 0.25
    variation[[k for k in Kind if k >= Kind.SOFT_TISSUE]] = 0.25
    return Contrast(tuple(means), tuple(variation), tuple(texture), True)
