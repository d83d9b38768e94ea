"""How the brightness of white matter drifts across a scan, as coils and strong fields make it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.image.spread import robust_deviation
from leuko.models.classes import Tissue

__all__ = ["Shading", "shading_of"]

Floats = npt.NDArray[np.float64]
Voxels = tuple[npt.NDArray[np.intp], ...]

FEWEST_VOXELS = 2000  # less white matter says too little of a drift
ENOUGH_VOXELS = 20_000  # more of them change nothing
ROUNDS = 4
FARTHEST = 2.5  # robust deviations: voxels farther off are not white matter as it should be
USUAL_SPREAD = 0.5  # of the level: more is no image of brightnesses above zero
# Logarithms from the darkest to the brightest white matter: up to the first, the drift is white
# matter's own and stays; from the second on only coils and fields make it, and all of it goes.
OWN_DRIFT, FOREIGN_DRIFT = 0.2, 0.35
OUTERMOST = (1.0, 99.0)  # percentiles of white matter's drift; it goes no further elsewhere


@dataclass(frozen=True, slots=True)
class Shading:
    """The logarithm of a drift in brightness: a polynomial of second order in a voxel's place.

    `coefficients` belong to `_terms`; 0 is the level of white matter. The drift stays between
    `least` and `most`, those of white matter, where the polynomial would go further.
    """

    shape: tuple[int, ...]
    coefficients: tuple[float, ...]
    least: float
    most: float

    @property
    def ratio(self) -> float:
        """The brightest over the darkest white matter; 1 without a drift."""
        return float(np.exp(self.most - self.least))

    def evened(self, image: npt.NDArray[np.generic], voxels: Voxels) -> npt.NDArray[np.float32]:
        """The intensities of `image` at `voxels` (as np.nonzero gives them) without the drift."""
        values = np.asarray(image[voxels], dtype=np.float32)
        if not any(self.coefficients):
            return values
        drift = _terms(voxels, self.shape) @ np.asarray(self.coefficients)
        return np.asarray(values * np.exp(-np.clip(drift, self.least, self.most)), dtype=np.float32)


def shading_of(
    image: npt.NDArray[np.generic],
    *,
    anatomy: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.bool_],
) -> Shading:
    """The drift over normal white matter, that outside `mask`, by repeated least squares.

    Where it is as small as white matter's own differences, there is hardly any white matter, or
    its values are no brightnesses above zero (as after a z-score), it is none at all.

    Args:
        image: intensities, 3D.
        anatomy: tissues (values of `Tissue`) on the same voxels.
        mask: lesions on the same voxels.
    """
    voxels = np.nonzero((anatomy == Tissue.WHITE_MATTER) & ~mask & np.greater(image, 0))
    sample = tuple(places[:: max(1, places.size // ENOUGH_VOXELS)] for places in voxels)
    values = np.asarray(image[sample], dtype=np.float64)
    if voxels[0].size < FEWEST_VOXELS or np.std(values) > USUAL_SPREAD * np.mean(values):
        return Shading(image.shape, (), 0.0, 0.0)
    terms = _terms(sample, image.shape)
    coefficients = _fitted(terms, np.log(values))
    drift = terms @ coefficients
    coefficients[0] -= np.median(drift)
    least, most = np.percentile(drift - np.median(drift), OUTERMOST)
    share = np.clip((most - least - OWN_DRIFT) / (FOREIGN_DRIFT - OWN_DRIFT), 0.0, 1.0)
    return Shading(
        image.shape,
        tuple((share * coefficients).tolist()),
        least=float(share * least),
        most=float(share * most),
    )


def _fitted(terms: Floats, level: Floats) -> Floats:
    """Coefficients of the polynomial that is nearest to `level`, but for what lies far off."""
    kept = np.ones(level.size, dtype=np.bool_)
    for _ in range(ROUNDS):
        coefficients = np.linalg.lstsq(terms[kept], level[kept], rcond=None)[0]
        off = np.abs(level - terms @ coefficients)
        kept = off <= FARTHEST * robust_deviation(off, about=0.0)
    return np.asarray(coefficients)


def _terms(voxels: Voxels, shape: tuple[int, ...]) -> Floats:
    """The ten terms of the polynomial (N, 10); places run from -1 to 1 along each axis."""
    x, y, z = (
        2.0 * places / max(1, length - 1) - 1.0
        for places, length in zip(voxels, shape, strict=True)
    )
    return np.stack([np.ones(x.size), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z], axis=1)
