"""Images as tensors for learning, and back; the only module of its room that needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from leuko.datasets.cache import cached
from leuko.datasets.files import Files
from leuko.datasets.items import Item
from leuko.datasets.patches import extract, windows
from leuko.errors import GridMismatch, MissingExtra, UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.preparation.case import CasePlan
from leuko.preparation.neighbours import with_neighbours

try:
    import torch
    from torch.utils.data import Dataset
except ImportError as error:
    raise MissingExtra.needed("Making tensors", extra="train", modules=["torch"]) from error

__all__ = [
    "FileDataset",
    "Normalisation",
    "PatchDataset",
    "SliceDataset",
    "Tensored",
    "from_tensor",
    "to_tensor",
]

if TYPE_CHECKING:
    _Base = Dataset[Mapping[str, Any]]
else:
    _Base = Dataset

Normalisation = Literal["none", "zscore", "unit"]


class Tensored(NamedTuple):
    """A tensor, and its spacing in mm along the spatial axes, in the tensor's order: (z, y, x)."""

    tensor: torch.Tensor
    spacing: tuple[float, ...]


def to_tensor(image: Image, *, normalise: Normalisation = "none") -> Tensored:
    """The image as float32: (1, Z, Y, X), a series (T, Z, Y, X), a single slice (1, H, W).

    Axes are anatomical, whatever the file's order: X rises to the patient's right, Y to the front,
    Z to the top (the canonical array, transposed). Without orientation, and for a single slice
    (one voxel along the file's third axis), the file's own axes are taken: rows are H, columns W.
    The tensor owns its memory.

    Args:
        image: 3D or 4D.
        normalise: `zscore`: mean 0 and standard deviation 1 over all voxels; `unit`: 0 to 1; an
            image of one value becomes 0.
    """
    found = np.ascontiguousarray(_axes_to_tensor(image.data, image.grid), dtype=np.float32)
    if np.shares_memory(found, image.data):
        found = found.copy()
    if normalise == "zscore":
        found -= found.mean(dtype=np.float64)
        found /= found.std(dtype=np.float64) or 1.0
    elif normalise == "unit":
        found -= found.min()
        found /= found.max() or 1.0
    elif normalise != "none":
        raise UsageError(
            f"There is no normalisation '{normalise}'.", hint="Choose none, zscore or unit."
        )
    return Tensored(torch.from_numpy(found), _spacing(image.grid))


def from_tensor(tensor: torch.Tensor, *, like: Image | Grid) -> Image:
    """The image of a tensor in the axes of `to_tensor`, in the file axes of `like`.

    The first axis is volumes; one volume gives a 3D image. (Z, Y, X) without it is welcome. Number
    types are kept. Raises GridMismatch (exit 5) where the voxels are not those of `like`.
    """
    grid = like.grid if isinstance(like, Image) else like
    source = like.source if isinstance(like, Image) else None
    flat = _is_slice(grid)
    data = tensor.detach().cpu().numpy()
    if data.ndim == (2 if flat else 3):
        data = data[None]
    shape = (grid.shape[1], grid.shape[0]) if flat else grid.canonical().shape[::-1]
    if data.shape[1:] != shape:
        raise GridMismatch(
            f"The tensor has {tuple(tensor.shape)} voxels, the image needs {('T', *shape)}.",
            hint="Give the tensor in the axes and voxels that to_tensor returned.",
        )
    if flat:
        found = np.moveaxis(data, 0, -1).swapaxes(0, 1)[:, :, None, :]
    else:
        found = from_canonical(data.transpose(3, 2, 1, 0), grid)
    found = found[..., 0] if data.shape[0] == 1 else found
    seconds = like.seconds if isinstance(like, Image) and found.ndim == 4 else None
    return Image(np.ascontiguousarray(found), grid, source, seconds=seconds)


class FileDataset(_Base):
    """A torch data set over files, read when an item is asked for.

    An item holds `image` (float32, see `to_tensor`), `spacing` (float32, (z, y, x) in mm), `name`,
    and `mask` (int64, labels in the same axes) where there is one.
    """

    def __init__(self, files: Files, *, normalise: Normalisation = "none") -> None:
        self.files = files
        self.normalise: Normalisation = normalise

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        image, mask = self.files[index]
        tensor, spacing = to_tensor(image, normalise=self.normalise)
        item: dict[str, Any] = {
            "image": tensor,
            "spacing": torch.tensor(spacing),
            "name": self.files.examples[index].name,
        }
        if mask is not None:
            # By the image's grid: a mask without orientation of its own lies as its image does.
            labels = np.rint(_axes_to_tensor(mask.data, image.grid))
            item["mask"] = torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64))
        return item


class SliceDataset(_Base):
    """A torch data set of the slices of prepared cases, across `plan.axis` by anatomy.

    An item holds `image` (C, H, W) float32, with `plan.neighbours` (C * (2 n + 1), H, W), `mask`
    (H, W) int64 where the item has a label, `name`, and `index`, the number of the slice. Cases are
    prepared when the data set is made; with a `folder` they are kept there and not in memory.
    """

    def __init__(
        self, items: Sequence[Item], *, plan: CasePlan, folder: Path | None = None
    ) -> None:
        self.plan = plan
        self.items = tuple(items)
        self.cases = [cached(item, plan=plan, folder=folder) for item in items]
        self.places = [
            (number, index)
            for number, case in enumerate(self.cases)
            for index in range(case.image.shape[1])
        ]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        number, place = self.places[index]
        case = self.cases[number]
        image = with_neighbours(case.image, place, neighbours=self.plan.neighbours)
        item: dict[str, Any] = {
            "image": torch.from_numpy(np.array(image)),
            "name": self.items[number].name,
            "index": place,
        }
        if case.label is not None:
            item["mask"] = torch.from_numpy(case.label[place].astype(np.int64))
        return item


class PatchDataset(_Base):
    """A torch data set of the patches that cover prepared cases (`plan.dims` 3), by `plan.size`.

    An item holds `image` (C, *size) float32, `mask` (*size) int64 where the item has a label,
    `name`, and `start`, the patch's first voxel (S, H, W) in its case, which `reassemble` takes.
    Beyond the image a patch holds its lowest value, and background.
    """

    def __init__(
        self,
        items: Sequence[Item],
        *,
        plan: CasePlan,
        stride: Sequence[int] | None = None,
        folder: Path | None = None,
    ) -> None:
        if plan.dims != 3:
            raise UsageError("Patches need dims: 3.", hint="SliceDataset serves dims: 2.")
        self.plan = plan
        self.items = tuple(items)
        self.cases = [cached(item, plan=plan, folder=folder) for item in items]
        self.places = [
            (number, start)
            for number, case in enumerate(self.cases)
            for start in windows(case.image.shape[1:], size=plan.size, stride=stride or plan.size)
        ]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        number, start = self.places[index]
        case, size = self.cases[number], self.plan.size
        patch = extract(case.image, start, size=size, fill=float(case.image.min()))
        item: dict[str, Any] = {
            "image": torch.from_numpy(patch),
            "name": self.items[number].name,
            "start": torch.tensor(start),
        }
        if case.label is not None:
            truth = extract(case.label, start, size=size)
            item["mask"] = torch.from_numpy(truth.astype(np.int64))
        return item


def _axes_to_tensor(data: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    """A view of file axes as (T, Z, Y, X), or (T, H, W) of a slice; T is 1 for one volume."""
    series = data if data.ndim == 4 else data[..., None]
    if _is_slice(grid):
        return series[:, :, 0].transpose(2, 1, 0)
    return to_canonical(series, grid).transpose(3, 2, 1, 0)


def _spacing(grid: Grid) -> tuple[float, ...]:
    if _is_slice(grid):
        return grid.spacing[1], grid.spacing[0]
    return grid.canonical().spacing[::-1]


def _is_slice(grid: Grid) -> bool:
    return grid.shape[2] == 1
