"""Patches of an image as files with an index, and the image again from them."""

from __future__ import annotations

import base64
import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from leuko.datasets.files import read_label, stem
from leuko.datasets.layouts_folders import bids_subject
from leuko.datasets.layouts_list import read_rows
from leuko.datasets.patches import Start, Weight, reassemble, sample_starts, windows
from leuko.errors import GridMismatch, ReadError, UsageError, WriteError
from leuko.formats.nifti_out import encode
from leuko.formats.read import read
from leuko.formats.write import format_to_write, write, write_text
from leuko.image.crop import framed
from leuko.image.grid import Grid, require_same_grid
from leuko.image.image import Image, Source
from leuko.pipelines.our_files import PROGRAM
from leuko.pipelines.outputs import out_folder, require_free_file
from leuko.preparation.case import ORDER

__all__ = ["DESCRIPTION", "INDEX", "PatchFolder", "cut_patches", "join_patches"]

INDEX = "index.tsv"
DESCRIPTION = "patches.json"
MOST = 100_000  # files in a folder
Format = Literal["nifti", "npy"]
Axis = Literal["axial", "coronal", "sagittal"]


class Whole(msgspec.Struct, frozen=True):
    """The image that was cut: all that is needed to put it together on its own grid."""

    name: str
    shape: tuple[int, int, int]
    affine: tuple[tuple[float, float, float, float], ...]
    oriented: bool
    sized: bool
    seconds: float | None = None
    header: str = ""  # NIfTI's geometry, base64; no text of the file


class Description(msgspec.Struct, frozen=True):
    """What `patches.json` holds."""

    provenance: dict[str, str]
    whole: Whole
    size: tuple[int, ...]
    stride: tuple[int, ...] | None
    patches: int


@dataclass(frozen=True, slots=True)
class PatchFolder:
    """What was written: how many patches of `size` voxels (file axes), how many with foreground."""

    folder: Path
    patches: int
    size: tuple[int, ...]
    foreground: int | None


def cut_patches(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    size: Sequence[int],
    stride: Sequence[int] | None = None,
    axis: Axis = "axial",
    mask: str | os.PathLike[str] | None = None,
    count: int | None = None,
    foreground: float = 0.5,
    seed: int = 1,
    format: Format = "nifti",
) -> PatchFolder:
    """Write patches of an image, and of its mask, into a new folder `out` with an index.

    `size` and `stride` count voxels along the axes of the file; one number counts for all, two cut
    single slices across the anatomical `axis`. Patches cover the image (`stride` is the size by
    default), or with `count` lie at random, a share `foreground` of them on the mask. The voxels
    of a NIfTI patch keep their place in the world; beyond the image a patch holds the image's
    lowest value.

    Raises UsageError (exit 2), what reading raises, GridMismatch (exit 5) where the mask does not
    lie on the image, WriteError (exit 6) where `out` is not empty.
    """
    target = Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WriteError(
            f"{target.name} is there already and not an empty folder.",
            hint="Choose another folder with --out.",
        )
    image = read(path)
    label = None if mask is None else read_label(Path(mask))
    if label is not None:
        require_same_grid(image.grid, label.grid, what="The image", other_what="the mask")
    edges, steps = _in_file_axes(size, stride, axis=axis, grid=image.grid)
    starts = _starts(image, label, edges, steps, count=count, foreground=foreground, seed=seed)
    if len(starts) > MOST:
        raise UsageError(
            f"That makes {len(starts):,} patches, more than {MOST:,} files in a folder.",
            hint="Give a larger --size or --stride.",
        )
    name = stem(Path(path))
    with out_folder(target, marker=DESCRIPTION) as folder:
        rows = list(_write_all(image, label, starts, edges, folder=folder, name=name, kind=format))
        write_text(_table(rows), folder / INDEX)
        description = Description(
            provenance={"program": PROGRAM},
            whole=_whole(image, Path(path).name),
            size=edges,
            stride=steps if count is None else None,
            patches=len(rows),
        )
        text = msgspec.json.format(msgspec.json.encode(description)).decode()
        write_text(f"{text}\n", folder / DESCRIPTION)
    held = None if label is None else sum(int(row["foreground"]) > 0 for row in rows)
    return PatchFolder(target, len(rows), edges, held)


def join_patches(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    weight: Weight = "mean",
    masks: bool = False,
    force: bool = False,
) -> Image:
    """Put the patches of a folder together on the grid of the image they were cut from.

    Files may have been replaced by others of the same size, such as probabilities; where patches
    overlap their values are averaged (`leuko.datasets.patches.reassemble`). With `masks` the
    masks are joined. Raises ReadError (exit 3) where a file is missing, UsageError (exit 2) where
    patches leave gaps, WriteError (exit 6) where `out` is there and not `force`.
    """
    source, target = Path(folder), Path(out)
    format_to_write(target.name)
    require_free_file(target, force=force)
    try:
        description = msgspec.json.decode((source / DESCRIPTION).read_bytes(), type=Description)
    except (OSError, msgspec.DecodeError) as error:
        raise ReadError(
            f"{source.name} is no folder of patches: its {DESCRIPTION} cannot be read.",
            hint="Give the folder that leuko patches has written.",
        ) from error
    rows = read_rows(source / INDEX)
    column = "mask" if masks else "image"
    if not all(row.get(column) for row in rows):
        raise UsageError(
            f"{source.name} holds no {column}s for all patches.",
            hint="Masks are there where --mask was given." if masks else f"Check {INDEX}.",
        )
    whole = description.whole
    patches = (_loaded(source / Path(row[column]).name, description.size) for row in rows)
    try:
        starts = [tuple(int(row[key]) for key in "ijk") for row in rows]
    except (KeyError, ValueError) as error:
        raise ReadError(
            f"{INDEX} does not say where the patches lie.", hint="Make the patches again."
        ) from error
    data = reassemble(patches, starts, shape=whole.shape, weight=weight)
    data = data[0] if data.shape[0] == 1 else np.moveaxis(data, 0, -1)
    image = _on_grid(np.ascontiguousarray(data), whole)
    write(image, target, labels=masks, exact=True)
    return image


# ---------------------------------------------------------------- cutting


def _in_file_axes(
    size: Sequence[int], stride: Sequence[int] | None, *, axis: Axis, grid: Grid
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Three numbers each; two mean a slice across `axis`, one means all axes."""
    flat = grid.shape[2] == 1
    size = tuple(size) * (2 if flat else 3) if len(size) == 1 else tuple(size)
    steps = size if stride is None else tuple(stride)
    steps = steps * len(size) if len(steps) == 1 else steps
    if len(size) not in (2, 3) or len(steps) != len(size):
        raise UsageError(
            f"--size and --stride need two or three numbers each, not {len(size)} and "
            f"{len(steps)}.",
            hint="Give --size 64x64x64 --stride 32x32x32, or one number for all axes.",
        )
    if len(size) == 3:
        return size, steps
    across = 2 if flat else grid.from_canonical_index(ORDER[axis][0], 0)[0]
    edges, moves = list(size), list(steps)
    edges.insert(across, 1)
    moves.insert(across, 1)
    return tuple(edges), tuple(moves)


def _starts(
    image: Image,
    label: Image | None,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    *,
    count: int | None,
    foreground: float,
    seed: int,
) -> tuple[Start, ...]:
    if count is None:
        return windows(image.grid.shape, size=size, stride=stride)
    labels = np.zeros(image.grid.shape, np.uint8) if label is None else label.data
    if label is not None and foreground > 0 and not labels.any():
        raise UsageError(
            "The mask is empty: no patch can lie on foreground.", hint="Give --foreground 0."
        )
    random = np.random.default_rng(seed)
    return sample_starts(labels, size=size, count=count, foreground=foreground, random=random)


def _write_all(
    image: Image,
    label: Image | None,
    starts: Sequence[Start],
    size: tuple[int, ...],
    *,
    folder: Path,
    name: str,
    kind: Format,
) -> Iterator[dict[str, str]]:
    """Write one patch after the other; what stands in the index about each."""
    lowest = float(image.data.min())
    ending = ".npy" if kind == "npy" else ".nii.gz"
    digits = max(4, len(str(len(starts))))
    for number, start in enumerate(starts, 1):
        row = {
            "image": f"{name}_patch{number:0{digits}d}{ending}",
            "mask": "",
            "subject": bids_subject(name) or name,
            **{key: str(place) for key, place in zip("ijk", start, strict=True)},
            "foreground": "",
        }
        patch = framed(image, start=start, shape=size, fill=lowest)
        _store(patch, folder / row["image"], labels=False)
        if label is not None:
            row["mask"] = f"{name}_patch{number:0{digits}d}_mask{ending}"
            truth = framed(label, start=start, shape=size)
            row["foreground"] = str(int(np.count_nonzero(truth.data)))
            _store(truth, folder / row["mask"], labels=True)
        yield row


def _store(patch: Image, path: Path, *, labels: bool) -> None:
    if path.suffix == ".npy":
        np.save(path, patch.data, allow_pickle=False)
    else:
        write(patch, path, labels=labels, exact=True)


def _table(rows: Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(rows[0]), delimiter="\t", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _whole(image: Image, name: str) -> Whole:
    grid, header = image.grid, b""
    if image.source is not None and image.source.format.startswith("nifti"):
        nothing = np.broadcast_to(np.uint8(0), grid.shape)
        header, _ = encode(nothing, grid=grid, header=image.source.header)
    return Whole(
        name=name,
        shape=grid.shape,
        affine=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in grid.affine),
        oriented=grid.oriented,
        sized=grid.sized,
        seconds=image.seconds,
        header=base64.b64encode(header).decode(),
    )


# ---------------------------------------------------------------- joining


def _loaded(path: Path, size: tuple[int, ...]) -> npt.NDArray[Any]:
    """A patch as (volumes, i, j, k)."""
    if path.suffix == ".npy":
        try:
            data: npt.NDArray[Any] = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ReadError(
                f"{path.name} cannot be read.", hint="Make the patches again."
            ) from error
    else:
        data = read(path).data
    if data.shape[:3] != size or data.ndim > 4:
        raise GridMismatch(
            f"{path.name} has {data.shape} voxels, the patches have {size}.",
            hint="A file in the place of a patch needs its shape.",
        )
    return data[None] if data.ndim == 3 else np.moveaxis(data, -1, 0)


def _on_grid(data: npt.NDArray[Any], whole: Whole) -> Image:
    grid = Grid(whole.shape, np.array(whole.affine), whole.oriented, whole.sized)
    header = base64.b64decode(whole.header)
    source = Source(whole.name, "nifti1", "", header) if header else None
    return Image(data, grid, source, seconds=whole.seconds if data.ndim == 4 else None)
