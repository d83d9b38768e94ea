"""Files as scenes: channels on one grid, the region to search, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from leuko.baselines.scene import Scene, make_scene
from leuko.datasets.items import Item
from leuko.errors import UnusableInput
from leuko.findings import Policy
from leuko.formats.read import read, read_mask
from leuko.image.grid import require_same_grid
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.image.resample import resample
from leuko.pipelines.brain_extraction import extract_brain
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.preparation.foreground import foreground_mask

__all__ = ["Region", "SceneReader", "Seen", "chosen_region"]

Region = Literal["auto", "brain", "foreground", "all"]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """An item that was read: its first image as it is, its scene and truth on canonical axes."""

    image: Image
    scene: Scene
    truth: BoolArray

    def filed(self, mask: BoolArray) -> BoolArray:
        """A mask of the scene in the axes of the image's file."""
        return np.ascontiguousarray(from_canonical(mask, self.image.grid))


def chosen_region(items: Sequence[Item], *, region: Region, weights: Path | None = None) -> str:
    """`region`, or what `auto` means for these items: one rule for all of them.

    `files` where the items have regions of their own; `brain` where the first is a scan in which
    the network finds a brain and doubts nothing; else `foreground`.
    """
    if all(item.region is not None for item in items):
        return "files"
    if region != "auto":
        return region
    image = _volume(read(items[0].images[0]))
    if not image.grid.sized or min(image.grid.shape) < 2:
        return "foreground"
    try:
        found = extract_brain(image, model=_model(weights))
    except UnusableInput:
        return "foreground"
    return "foreground" if found.findings else "brain"


class SceneReader:
    """Reads items the same way; the network that finds brains is loaded once, when needed."""

    def __init__(
        self, region: str, *, labels: tuple[int, ...] = (), weights: Path | None = None
    ) -> None:
        self.region = region
        self._labels = labels
        self._weights = weights
        self._loaded: Model | None = None

    def read(self, item: Item) -> Seen:
        """Channels (the others resampled onto the first), region and truth of an item.

        Raises GridMismatch (exit 5) where the mask or the region lies on another grid than the
        first image, UnusableInput (exit 4) for series and where no region is found.
        """
        first, *others = (_volume(read(path)) for path in item.images)
        arrays = [first.data]
        for other in others:
            same = other.grid.shape == first.grid.shape and not other.grid.sized
            arrays.append(other.data if same else resample(other, onto=first.grid).data)
        region, normal = self._search(first, item)
        scene = make_scene(
            [to_canonical(array, first.grid) for array in arrays],
            region=region,
            spacing=first.grid.canonical().spacing,
            normal=normal,
        )
        truth = np.zeros(scene.region.shape, dtype=np.bool_)
        if item.label is not None:
            values = _on(first, _mask(item.label), what="its mask")
            truth = np.isin(values, self._labels) if self._labels else np.asarray(values > 0)
        return Seen(first, scene, truth)

    def _search(self, image: Image, item: Item) -> tuple[BoolArray, BoolArray | None]:
        """The region, and what in it is surely normal, on canonical axes."""
        if self.region == "files":
            if item.region is None:
                raise UnusableInput(
                    f"{item.name} has no region, but the baseline was fitted within regions.",
                    hint="Give the folder of their masks: --regions.",
                )
            return _on(image, _mask(item.region), what="its region") > 0, None
        data = to_canonical(image.data, image.grid)
        if self.region == "brain":
            if self._loaded is None:
                self._loaded = _model(self._weights)
            found = extract_brain(image, model=self._loaded)
            return _inside(image, found.brain), _inside(image, found.white_matter)
        if self.region == "foreground":
            found_there = foreground_mask(data, spacing=image.grid.canonical().spacing)
            if found_there.any():  # else a blank slice, which has its place in a data set
                return found_there, None
        return np.ones(data.shape, dtype=np.bool_), None


def _on(image: Image, other: Image, *, what: str) -> npt.NDArray[Any]:
    """The values of a mask that lies on the image's grid, on canonical axes."""
    require_same_grid(image.grid, other.grid, what=_named(image), other_what=what)
    return to_canonical(other.data, image.grid)


def _inside(image: Image, mask: Image) -> BoolArray:
    return np.asarray(np.not_equal(to_canonical(mask.data, image.grid), 0))


def _volume(image: Image) -> Image:
    if image.volumes > 1:
        raise UnusableInput(
            f"{_named(image)} holds {image.volumes} volumes, where one is needed.",
            hint="Choose one: leuko convert --volume.",
        )
    return image


def _mask(path: Path) -> Image:
    return read_mask(path, policy=Policy.LENIENT)  # its grid is the image's, or it is refused


def _named(image: Image) -> str:
    return image.source.name if image.source else "the image"


def _model(weights: Path | None) -> Model:
    return load_model(SegmentConfig(), weights=weights)
