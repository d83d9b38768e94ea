"""A prepared case through a network: whole slices, or overlapping windows blended into one.

Axes are those of `PreparedCase`: channels, slices, rows, columns (C, S, H, W). A window may reach
beyond the case, where the image is 0. A voxel that several windows see is their mean, weighted by
a Gaussian about each window's centre, since a network knows least at its border. The mean is a
running one: windows that agree give exactly what each of them gives, and nothing but the result
and one volume of weights is held.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.datasets.patches import extract, weights
from leuko.errors import UsageError
from leuko.preparation.case import CasePlan, PreparedCase
from leuko.preparation.neighbours import with_neighbours

__all__ = ["Run", "classify_case", "predict_case"]

FloatArray = npt.NDArray[np.float32]
Run = Callable[[FloatArray], FloatArray]
"""A network: (n, channels, *size) to probabilities (n, classes, *size), or (n, classes)."""
Three = tuple[int, int, int]

STRIDE = 32  # whole slices are padded to multiples of it
AT_ONCE = 1 << 21  # values of the windows that go through the network together
MOST_AT_ONCE = 16


def predict_case(
    case: PreparedCase,
    *,
    plan: CasePlan,
    run: Run,
    classes: int,
    overlap: float = 0.5,
) -> FloatArray:
    """Probabilities (classes, S, H, W) of a case.

    dims 2: every slice with its `plan.neighbours`, whole where it is no larger than `plan.size`,
    else in windows of that size; dims 3: windows of `plan.size`. Neighbouring windows share
    `overlap` of their length. In a case with a region all beyond it is background (class 0), and
    windows that see nothing of it are not run. UsageError where `run` gives another number of
    classes or another size.
    """
    image, shape = case.image, _three(case.image.shape[1:])
    size = _window(plan, shape)
    made = _Blend.empty(classes, shape, size)
    places = list(_places(shape, size, overlap=overlap, region=case.region))
    for some in _batches(places, size=max(1, _at_once(size, len(image), plan))):
        found = run(np.stack([_cut(image, place, size, plan=plan) for place in some]))
        expected = (len(some), classes, *(size if plan.dims == 3 else size[1:]))
        if found.shape != expected:
            raise UsageError(
                f"The network gave an array of {found.shape} where {expected} was expected.",
                hint="Its classes and its size must be those of the plan.",
            )
        for place, probabilities in zip(some, found, strict=True):
            made.add(probabilities.reshape(classes, *size), place)
    if case.region is not None:
        made.mean[:, ~case.region] = 0
        made.mean[0, ~case.region] = 1
    return made.mean


def classify_case(case: PreparedCase, *, plan: CasePlan, run: Run, classes: int) -> FloatArray:
    """Probabilities (classes,) of a case: of dims 2 the mean over its slices, each seen whole.

    What is smaller than `plan.size` is padded to it; with a region only slices that hold some of
    it are seen. UsageError where `run` gives another number of classes.
    """
    image, shape = case.image, _three(case.image.shape[1:])
    least = plan.size if plan.dims == 3 else (1, *plan.size)
    whole = [max(n, _up(extent)) for n, extent in zip(least, shape, strict=True)]
    size = _three(whole if plan.dims == 3 else [1, *whole[1:]])
    places = list(_places(shape, size, overlap=0, region=case.region))
    total = np.zeros(classes, dtype=np.float64)
    for some in _batches(places, size=max(1, _at_once(size, len(image), plan))):
        found = run(np.stack([_cut(image, place, size, plan=plan) for place in some]))
        if found.shape != (len(some), classes):
            raise UsageError(
                f"The network gave an array of {found.shape}, expected {(len(some), classes)}.",
                hint="Its classes must be those of the model.",
            )
        total += found.sum(axis=0, dtype=np.float64)
    return (total / len(places)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Blend:
    """The weighted mean of what windows say, voxel by voxel."""

    mean: FloatArray  # (K, S, H, W)
    total: FloatArray  # (S, H, W): the weights so far
    weights: FloatArray  # of a window

    @classmethod
    def empty(cls, classes: int, shape: Three, size: Three) -> _Blend:
        return cls(
            np.zeros((classes, *shape), dtype=np.float32),
            np.zeros(shape, dtype=np.float32),
            weights(size, weight="gaussian"),
        )

    def add(self, probabilities: FloatArray, start: Three) -> None:
        """Take in the probabilities (K, *size) of the window that begins at `start`."""
        inside, seen = _overlap(self.total.shape, start, self.weights.shape)
        weight = self.weights[seen]
        self.total[inside] += weight
        mean = self.mean[(slice(None), *inside)]
        mean += (probabilities[(slice(None), *seen)] - mean) * (weight / self.total[inside])


def _window(plan: CasePlan, shape: Three) -> Three:
    """The size of the windows (S, H, W)."""
    if plan.dims == 3:
        return _three(plan.size)
    rows, columns = (
        _up(extent) if extent <= size else size
        for extent, size in zip(shape[1:], plan.size, strict=True)
    )
    return 1, rows, columns


def _places(
    shape: Three, size: Three, *, overlap: float, region: npt.NDArray[np.bool_] | None
) -> Iterator[Three]:
    """Where windows begin; those that hold nothing of a region are left out."""
    starts = [
        _starts(extent, length, overlap=overlap) for extent, length in zip(shape, size, strict=True)
    ]
    for place in itertools.product(*starts):
        start = _three(place)
        if region is None or region[_overlap(shape, start, size)[0]].any():
            yield start


def _starts(extent: int, size: int, *, overlap: float) -> list[int]:
    """Where windows of `size` begin so that they cover `extent`; one alone is put centrally.

    They lie evenly, and the same seen from either end.
    """
    if extent <= size:
        return [(extent - size) // 2]  # as the crops of training lie
    rest = extent - size
    count = math.ceil(rest / max(1.0, size * (1 - overlap))) + 1
    if rest % 2 and count % 2:
        count += 1  # no middle is in the middle
    first = [round(rest * at / (count - 1)) for at in range((count + 1) // 2)]
    return sorted({*first, *(rest - start for start in first)})


def _overlap(
    shape: Sequence[int], start: Sequence[int], size: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of an array of `shape` that a window sees, and that part of the window."""
    inside = tuple(
        slice(max(0, at), min(extent, at + length))
        for extent, at, length in zip(shape, start, size, strict=True)
    )
    seen = tuple(
        slice(part.start - at, part.stop - at) for part, at in zip(inside, start, strict=True)
    )
    return inside, seen


def _cut(image: FloatArray, start: Three, size: Three, *, plan: CasePlan) -> FloatArray:
    """The window (channels, *size) of an image (C, S, H, W); 0 beyond it."""
    if plan.dims == 3:
        return extract(image, start, size=size)
    flat = with_neighbours(image, start[0], neighbours=plan.neighbours)
    return extract(flat, start[1:], size=size[1:])


def _at_once(size: Three, channels: int, plan: CasePlan) -> int:
    seen = channels * (2 * plan.neighbours + 1 if plan.dims == 2 else 1)
    return min(MOST_AT_ONCE, AT_ONCE // (seen * math.prod(size)))


def _batches(places: Sequence[Three], *, size: int) -> Iterator[Sequence[Three]]:
    return (places[at : at + size] for at in range(0, len(places), size))


def _up(extent: int) -> int:
    return -(-extent // STRIDE) * STRIDE


def _three(values: Sequence[int]) -> Three:
    first, second, third = values
    return int(first), int(second), int(third)
