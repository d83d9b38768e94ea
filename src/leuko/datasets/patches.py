"""Boxes of one size that cover an image, and the image again; boxes around what matters.

Axes are the array's own; the spatial ones are the last two or three, others (channels, volumes)
come before them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError

__all__ = [
    "Start",
    "Weight",
    "extract",
    "extract_all",
    "foreground_centres",
    "reassemble",
    "sample_starts",
    "weights",
    "windows",
]

Array = npt.NDArray[Any]
Start = tuple[int, ...]
Weight = Literal["mean", "gaussian"]
GAUSSIAN_SHARE = 1 / 8  # the standard deviation of `gaussian`, of the patch's size
LEAST_WEIGHT = 1e-3  # of a patch's corner, of its middle's


def windows(
    shape: Sequence[int], *, size: Sequence[int], stride: Sequence[int]
) -> tuple[Start, ...]:
    """The first voxels of the patches that cover an image of `shape`, in the order of the array.

    The last patch along an axis is moved back inside, so that none reaches beyond the image; along
    an axis shorter than the patch there is one patch, centred, whose start is 0 or negative (what
    is beyond is padded by `extract`). Raises UsageError (exit 2) for sizes that cannot be.
    """
    _require_sizes(shape, size, stride)
    axes = [
        _along(length, edge, step) for length, edge, step in zip(shape, size, stride, strict=True)
    ]
    return tuple(itertools.product(*axes))


def extract(image: Array, start: Sequence[int], *, size: Sequence[int], fill: float = 0.0) -> Array:
    """The patch of `size` whose first voxel is `start`: a copy, `fill` beyond the image."""
    space = image.shape[image.ndim - len(size) :]
    source, target = _overlap(space, start, size)
    place: tuple[Any, ...] = (..., *source)
    if all(part.stop - part.start == edge for part, edge in zip(target, size, strict=True)):
        return np.array(image[place])
    patch = np.full((*image.shape[: image.ndim - len(size)], *size), fill, dtype=image.dtype)
    within: tuple[Any, ...] = (..., *target)
    patch[within] = image[place]
    return patch


def extract_all(
    image: Array, starts: Iterable[Sequence[int]], *, size: Sequence[int], fill: float = 0.0
) -> Iterator[Array]:
    """The patches at `starts`, one at a time."""
    return (extract(image, start, size=size, fill=fill) for start in starts)


def reassemble(
    patches: Iterable[Array],
    starts: Iterable[Sequence[int]],
    *,
    shape: Sequence[int],
    weight: Weight = "mean",
) -> Array:
    """The image of spatial `shape` whose patches these are.

    Where patches overlap their values are averaged, all alike (`mean`) or those near a patch's
    middle counting more (`gaussian`). Where all patches agree, the value is kept to the last bit.
    The number type is that of the patches, but float64 where whole numbers disagree. Patches are
    taken one at a time: besides the result, memory holds one weight for each voxel.

    Raises UsageError (exit 2) where patches leave a voxel uncovered, do not fit or are none.
    """
    merged: _Merged | None = None
    for patch, start in zip(patches, starts, strict=True):
        if merged is None:
            merged = _Merged(patch, shape=shape, weight=weight)
        merged.add(patch, start)
    if merged is None:
        raise UsageError("There are no patches.", hint="Give at least one patch.")
    return merged.result()


def weights(size: Sequence[int], *, weight: Weight) -> npt.NDArray[np.float32]:
    """How much each voxel of a patch counts where patches overlap; 1 in the middle."""
    if weight == "mean":
        return np.ones(tuple(size), np.float32)
    if weight != "gaussian":
        raise UsageError(f"There is no weight '{weight}'.", hint="Choose mean or gaussian.")
    found = np.ones((1,) * len(size))
    for axis, edge in enumerate(size):
        away = (np.arange(edge) - (edge - 1) / 2) / (GAUSSIAN_SHARE * edge)
        found = found * np.expand_dims(
            np.exp(-(away**2) / 2), [other for other in range(len(size)) if other != axis]
        )
    found = np.maximum(found / found.max(), LEAST_WEIGHT)
    return np.asarray(found, dtype=np.float32)


def foreground_centres(label: Array, *, classes: Sequence[int] | None = None) -> Array:
    """Voxels (n, axes) whose label is one of `classes`, by default any but 0."""
    wanted = label != 0 if classes is None else np.isin(label, classes)
    return np.argwhere(wanted)


def sample_starts(
    label: Array,
    *,
    size: Sequence[int],
    count: int,
    foreground: float,
    random: np.random.Generator,
) -> tuple[Start, ...]:
    """`count` random patches; a share `foreground` of them holds a voxel that is not 0.

    The share is kept exactly, rounded to whole patches, and mixed with the others. A patch of
    foreground lies at random around a voxel of a label drawn first, so that small classes are as
    frequent as large ones. Patches stay inside the image where it is large enough. Where no label
    is but 0 all patches are drawn from everywhere.
    """
    _require_sizes(label.shape, size, size)
    if not 0 <= foreground <= 1 or count < 1:
        raise UsageError(
            f"{count} patches with a share of {foreground:g} on foreground cannot be.",
            hint="Give a number of patches above 0 and a share from 0 to 1.",
        )
    present = [value for value in np.unique(label).tolist() if value]
    places = {value: np.flatnonzero(label == value) for value in present}
    with_foreground = round(count * foreground) if present else 0
    starts = []
    for index in range(count):
        centre = None
        if index < with_foreground:
            chosen = places[present[int(random.integers(len(present)))]]
            centre = np.unravel_index(chosen[int(random.integers(len(chosen)))], label.shape)
        starts.append(_random_start(label.shape, size, centre, random))
    return tuple(starts[place] for place in random.permutation(count))


class _Merged:
    """A running weighted mean; equal values leave it as it is, to the last bit."""

    def __init__(self, first: Array, *, shape: Sequence[int], weight: Weight) -> None:
        self._space = tuple(shape)
        self._size = first.shape[first.ndim - len(self._space) :]
        self._lead = first.shape[: first.ndim - len(self._space)]
        self._weight = weights(self._size, weight=weight)
        self._mean: Array = np.zeros((*self._lead, *self._space), first.dtype)
        self._total = np.zeros(self._space, np.float32)

    def add(self, patch: Array, start: Sequence[int]) -> None:
        if patch.shape != (*self._lead, *self._size) or len(start) != len(self._space):
            raise UsageError(
                f"A patch has {patch.shape} voxels, the first one {(*self._lead, *self._size)}.",
                hint="Patches of an image have one size.",
            )
        source, target = _overlap(self._space, start, self._size)
        place: tuple[Any, ...] = (..., *source)
        within: tuple[Any, ...] = (..., *target)
        values, weight, total = patch[within], self._weight[target], self._total[source]
        np.copyto(self._mean[place], values, where=total == 0, casting="same_kind")
        if not np.array_equal(values, self._mean[place]):
            if self._mean.dtype.kind != "f":
                self._mean = self._mean.astype(np.float64)
            held = self._mean[place]
            held += (weight / (total + weight)) * (values - held)
        total += weight

    def result(self) -> Array:
        if not self._total.all():
            raise UsageError(
                f"The patches leave {int(np.count_nonzero(self._total == 0))} voxels uncovered.",
                hint="Give all patches; a stride above the size leaves gaps.",
            )
        return self._mean


def _along(length: int, edge: int, step: int) -> tuple[int, ...]:
    if length <= edge:
        return (-((edge - length) // 2),)
    return (*range(0, length - edge, step), length - edge)


def _overlap(
    space: Sequence[int], start: Sequence[int], size: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a patch lies in the image, and that part within the patch."""
    source, target = [], []
    for length, first, edge in zip(space, start, size, strict=True):
        low, high = max(first, 0), min(first + edge, length)
        source.append(slice(low, max(high, low)))
        target.append(slice(low - first, max(high, low) - first))
    return tuple(source), tuple(target)


def _random_start(
    shape: Sequence[int],
    size: Sequence[int],
    centre: Sequence[Any] | None,
    random: np.random.Generator,
) -> Start:
    """A start inside the image, of a patch that holds `centre` where one is given."""
    start = []
    for axis, (length, edge) in enumerate(zip(shape, size, strict=True)):
        low, high = 0, length - edge
        if high <= 0:
            start.append(-((edge - length) // 2))
            continue
        if centre is not None:
            low, high = max(low, int(centre[axis]) - edge + 1), min(high, int(centre[axis]))
        start.append(int(random.integers(low, high + 1)))
    return tuple(start)


def _require_sizes(shape: Sequence[int], size: Sequence[int], stride: Sequence[int]) -> None:
    if not len(shape) == len(size) == len(stride):
        raise UsageError(
            f"Patches of {len(size)} numbers with a stride of {len(stride)} do not fit an image "
            f"of {len(shape)} axes.",
            hint="Give a number for each axis.",
        )
    if min(*shape, *size, *stride) < 1:
        raise UsageError(
            f"Patches of {'x'.join(map(str, size))} with a stride of "
            f"{'x'.join(map(str, stride))} cannot be.",
            hint="Give whole numbers above 0.",
        )
    gaps = [step for step, edge in zip(stride, size, strict=True) if step > edge]
    if gaps:
        raise UsageError(
            f"A stride of {gaps[0]} leaves gaps between the patches.",
            hint="Give a stride of at most the size.",
        )
