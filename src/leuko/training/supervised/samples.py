"""Training samples: sample i is a function of the seed and of i, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from leuko.preparation.case import CasePlan, PreparedCase
from leuko.preparation.neighbours import with_neighbours
from leuko.training.supervised.augment import AugmentPlan, apply, draw

__all__ = ["Example", "Samples"]

FloatArray = npt.NDArray[np.float32]
T = TypeVar("T", bound=np.generic)
MOST_PLACES = 20_000  # remembered per class and case


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A prepared case to learn from: its label numbered as classes, or its category's number."""

    case: PreparedCase
    label: npt.NDArray[np.int16] | None = None
    category: int = 0


class Samples(Dataset[dict[str, Tensor]]):
    """Augmented crops of examples: 'image' (C, *size) float32, 'target' (*size) or () int64.

    Every pass takes each example once, in an order of its own. A crop is centred on a voxel of a
    random class with probability `foreground`, else lies anywhere in the image (in its region,
    where it has one); beyond the image it holds 0 and background. Whole
    examples with a category are centred instead.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        plan: CasePlan,
        augmentation: AugmentPlan,
        foreground: float,
        seed: int,
    ) -> None:
        self._examples = list(examples)
        self._plan = plan
        self._augmentation = augmentation
        self._foreground = foreground
        self._seed = seed
        self._places = [_places(e, np.random.default_rng([seed, 3, k]))
                        for k, e in enumerate(self._examples)]  # fmt: skip

    def __len__(self) -> int:
        return 2**62  # without end

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        turn, place = divmod(index, len(self._examples))
        order = np.random.default_rng([self._seed, 1, turn]).permutation(len(self._examples))
        which = int(order[place])
        random = np.random.default_rng([self._seed, 2, index])
        example = self._examples[which]
        image, label = self._crop(example, self._centre(which, random))
        change = draw(
            random,
            self._augmentation,
            dims=self._plan.dims,
            mirror_axes=_mirrored(self._plan, example.case),
            spacing=example.case.spacing[-self._plan.dims :],
        )
        pixels, labels = apply(
            torch.from_numpy(image),
            None if label is None else torch.from_numpy(label),
            change,
        )
        target = torch.tensor(example.category) if labels is None else labels.long()
        return {"image": pixels, "target": target}

    def _centre(self, which: int, random: np.random.Generator) -> tuple[int, ...]:
        """The voxel (S, H, W) a crop is centred on."""
        example = self._examples[which]
        shape = example.case.image.shape[1:]
        if example.label is None:
            return tuple(edge // 2 for edge in shape)
        places = self._places[which]
        if places and random.random() < self._foreground:
            of_class = places[int(random.integers(len(places)))]
            return tuple(int(i) for i in of_class[int(random.integers(len(of_class)))])
        size = (1, *self._plan.size) if self._plan.dims == 2 else self._plan.size
        low = [min(edge, part) // 2 for edge, part in zip(shape, size, strict=True)]
        high = [max(edge - part // 2, least + 1)
                for edge, part, least in zip(shape, size, low, strict=True)]  # fmt: skip
        return tuple(int(random.integers(a, b)) for a, b in zip(low, high, strict=True))

    def _crop(
        self, example: Example, centre: tuple[int, ...]
    ) -> tuple[FloatArray, npt.NDArray[np.int16] | None]:
        """Image (C, *size) and label (*size) around a voxel."""
        plan, case = self._plan, example.case
        if plan.dims == 2:
            image = with_neighbours(case.image, centre[0], neighbours=plan.neighbours)
            label = None if example.label is None else example.label[centre[0]]
            middle = centre[1:]
        else:
            image, label, middle = case.image, example.label, centre
        cut = _cut(image, middle, plan.size, fill=0.0)
        return cut, None if label is None else _cut(label[None], middle, plan.size, fill=0)[0]


def _cut(
    values: npt.NDArray[T], centre: Sequence[int], size: Sequence[int], *, fill: float
) -> npt.NDArray[T]:
    """(C, *size) of values (C, *shape) around `centre`, `fill` beyond them."""
    found = np.full((values.shape[0], *size), fill, dtype=values.dtype)
    source = [slice(None)]
    target = [slice(None)]
    for middle, part, edge in zip(centre, size, values.shape[1:], strict=True):
        # What is no larger than the crop is shown whole, in its middle.
        first = (edge - part) // 2 if edge <= part else min(max(middle - part // 2, 0), edge - part)
        source.append(slice(max(first, 0), min(first + part, edge)))
        target.append(slice(max(-first, 0), min(first + part, edge) - first))
    found[tuple(target)] = values[tuple(source)]
    return found


def _places(example: Example, random: np.random.Generator) -> list[npt.NDArray[np.int32]]:
    """Voxels (n, 3) of each class that an example holds, at most MOST_PLACES each."""
    if example.label is None:
        return []
    found = []
    for index in np.unique(example.label):
        if index > 0:
            voxels = np.argwhere(example.label == index).astype(np.int32)
            if len(voxels) > MOST_PLACES:
                voxels = random.choice(voxels, MOST_PLACES, replace=False)
            found.append(voxels)
    if not found and example.case.region is not None:
        voxels = np.argwhere(example.case.region).astype(np.int32)
        found.append(voxels[:: max(1, len(voxels) // MOST_PLACES)])
    return found


def _mirrored(plan: CasePlan, case: PreparedCase) -> tuple[int, ...]:
    """Spatial axes of a crop that may be mirrored: the one from left to right, if there is one."""
    if not case.native.oriented or case.native.shape[2] == 1:
        return (plan.dims - 1,)  # a picture: columns
    left_right = case.axes.index(0)
    if plan.dims == 3:
        return (left_right,)
    return (left_right - 1,) if left_right else ()
