"""Voxels drawn from a scene to learn from: all kinds of background, enough of the lesion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.baselines.features import voxel_features
from leuko.baselines.scene import Scene

__all__ = ["Sample", "draw_sample", "few_rows", "quarters"]

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

LESION_VOXELS, OTHER_VOXELS = 1000, 4000  # at most, of one image


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows of one image: `features` (N, F), `lesion` (N), `weights` (N).

    A row stands for `weights` voxels of its kind in the image. `missed`: lesion voxels outside the
    region, which nothing can find.
    """

    subject: str
    features: FloatArray
    lesion: BoolArray
    weights: FloatArray
    missed: int = 0


def draw_sample(
    scene: Scene, truth: BoolArray, *, name: str, subject: str, seed: int = 0
) -> Sample:
    """Up to 1000 voxels of the lesion and 4000 others of the scene's region, drawn by lot.

    The draw depends on `seed` and `name` alone. `truth`: (X, Y, Z), canonical axes.
    """
    digest = hashlib.sha256(f"{seed}\n{name}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    inside = truth[scene.region]
    rows, weights = [], []
    for wanted, most in ((True, LESION_VOXELS), (False, OTHER_VOXELS)):
        there = np.flatnonzero(inside == wanted)
        taken = np.sort(random.permutation(there)[:most])
        rows.append(taken)
        weights.append(np.full(len(taken), len(there) / max(len(taken), 1), dtype=np.float32))
    chosen = np.concatenate(rows)
    return Sample(
        subject=subject,
        features=voxel_features(scene)[chosen],
        lesion=inside[chosen],
        weights=np.concatenate(weights),
        missed=int(np.count_nonzero(truth & ~scene.region)),
    )


def few_rows(
    samples: Sequence[Sample], *, most: int | None, seed: int
) -> tuple[FloatArray, BoolArray]:
    """Features and kinds of all samples together, thinned by lot to `most` rows."""
    features = np.concatenate([sample.features for sample in samples])
    lesion = np.concatenate([sample.lesion for sample in samples])
    if most is None or len(features) <= most:
        return features, lesion
    kept = np.sort(np.random.default_rng(seed).permutation(len(features))[:most])
    return features[kept], lesion[kept]


def quarters(sample: Sample) -> list[Sample]:
    """Four samples, each with every fourth row of both kinds, as if of four subjects."""
    return [
        Sample(
            f"quarter {part}",
            sample.features[part::4],
            sample.lesion[part::4],
            sample.weights[part::4],
            sample.missed // 4,
        )
        for part in range(4)
    ]
