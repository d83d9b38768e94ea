"""From a prepared stack to probabilities and anatomy on the scan's own canonical grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from leuko.inference.engines import Engine
from leuko.inference.focus import remaining, scouts, shows_brain
from leuko.inference.slices import with_neighbours
from leuko.models.channels import input_channels
from leuko.models.classes import Tissue
from leuko.preparation.geometry import Geometry, from_matrices
from leuko.preparation.prepare import Prepared
from leuko.preparation.sampling import Matrix, in_plane

__all__ = ["Prediction", "predict"]

PERHAPS_LESION = 0.3  # probability
NOTHING = 1e-3  # a slice with less probability than this everywhere is written as zero
ANATOMY = len([tissue for tissue in Tissue if tissue < Tissue.LESION])
Scalar = TypeVar("Scalar", bound=np.generic)
RANK_BITS = 7  # the lowest bits of a probability hold its class while classes are compared


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the network found, on the canonical native grid.

    `lesion`, `cap_rim`: probabilities 0..1, float32. `anatomy`: `Tissue` values 0..7, uint8;
    lesions, caps and rims count as white matter. All is 0 beyond the prepared part.
    """

    lesion: npt.NDArray[np.float32]
    cap_rim: npt.NDArray[np.float32]
    anatomy: npt.NDArray[np.uint8]

    @property
    def perhaps_lesion(self) -> npt.NDArray[np.bool_]:
        """Where a voxel says nothing about normal white matter."""
        return self.lesion + self.cap_rim > PERHAPS_LESION


def predict(prepared: Prepared, *, engine: Engine) -> Prediction:
    """Run the network over the slices and bring the outcome back, a few slices at a time.

    Of thin slices, one every few millimetres is run first; the others follow where these show
    brain. In the neck, and above the head, all stays 0.
    """
    target = _Target.empty(prepared.geometry)
    count = len(prepared.slices)

    def run(indices: Sequence[int]) -> list[bool]:
        shown = with_neighbours(
            prepared.slices,
            indices,
            distances=prepared.neighbours,
            t1=prepared.t1,
            channels=input_channels(len(prepared.neighbours), t1=prepared.t1 is not None),
        )
        found = zip(indices, engine(shown), strict=True)
        return [shows_brain(target.put(index, probabilities)) for index, probabilities in found]

    first = scouts(count, slice_mm=prepared.geometry.spacing[prepared.slice_axis])
    with ThreadPoolExecutor(engine.workers) as pool:
        brain = itertools.chain(*pool.map(run, _batches(first, size=engine.batch)))
        rest = remaining(dict(zip(first, brain, strict=True)), count=count)
        for _ in pool.map(run, _batches(rest, size=engine.batch)):
            pass
    return target.prediction


def _batches(indices: Sequence[int], *, size: int) -> Iterator[Sequence[int]]:
    return (indices[at : at + size] for at in range(0, len(indices), size))


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """The arrays that are filled, and how a slice gets into them. Slices do not overlap."""

    prediction: Prediction
    geometry: Geometry
    linear: tuple[Matrix, Matrix]
    nearest: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

    @classmethod
    def empty(cls, geometry: Geometry) -> _Target:
        rows, columns = from_matrices(geometry, kernel="nearest")
        return cls(
            Prediction(
                lesion=_zeros(geometry, np.float32),
                cap_rim=_zeros(geometry, np.float32),
                anatomy=_zeros(geometry, np.uint8),
            ),
            geometry,
            from_matrices(geometry, kernel="linear"),
            (_source(rows), _source(columns)),
        )

    def put(self, index: int, probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Bring the probabilities (classes, H, W) of a slice of the stack to its native slice.

        Returns the tissues (H, W) of the stack's slice.
        """
        native = self.geometry.first + index
        for channel, volume in (
            (Tissue.LESION, self.prediction.lesion),
            (Tissue.CAP_RIM, self.prediction.cap_rim),
        ):
            if probabilities[channel].max() >= NOTHING:
                in_plane(probabilities[channel], *self.linear, out=self._slice(volume, native))
        tissues = _most_likely(probabilities)
        # The row and column that are added stand for what lies beyond the stack.
        labels = np.pad(tissues, ((0, 1), (0, 1)))
        rows, columns = self.nearest
        self._slice(self.prediction.anatomy, native)[:] = labels[rows][:, columns]
        return tissues

    def _slice(self, volume: npt.NDArray[Scalar], index: int) -> npt.NDArray[Scalar]:
        view: npt.NDArray[Scalar] = np.moveaxis(volume, self.geometry.slice_axis, 0)[index]
        return view


def _zeros(geometry: Geometry, dtype: type[Scalar]) -> npt.NDArray[Scalar]:
    """A canonical array in which each slice lies in one piece: threads write apart and fast."""
    axis = geometry.slice_axis
    shape = geometry.shape
    made = np.zeros((shape[axis], *shape[:axis], *shape[axis + 1 :]), dtype=dtype)
    return np.moveaxis(made, 0, axis)


def _source(matrix: Matrix) -> npt.NDArray[np.intp]:
    """The pixel each voxel takes its label from; -1 (a pixel of background) beyond the stack."""
    filled = np.diff(matrix.indptr) > 0
    source = np.full(matrix.shape[0], -1, dtype=np.intp)
    source[filled] = matrix.indices
    return source


def _most_likely(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The most likely tissue (H, W) of probabilities (classes, H, W), the first one of equals.

    Non-negative floats order like the integers of their bits. With the class in the lowest bits a
    plain maximum finds it, several times faster than argmax along the first axis.
    """
    bits = probabilities[:ANATOMY].view(np.int32) & ~RANK_BITS
    white = probabilities[Tissue.WHITE_MATTER] + probabilities[Tissue.LESION]
    white += probabilities[Tissue.CAP_RIM]
    bits[Tissue.WHITE_MATTER] = white.view(np.int32) & ~RANK_BITS
    bits |= np.arange(RANK_BITS, RANK_BITS - ANATOMY, -1, dtype=np.int32)[:, None, None]
    best = bits.max(axis=0)
    return np.asarray(RANK_BITS - (best & RANK_BITS), dtype=np.uint8)
