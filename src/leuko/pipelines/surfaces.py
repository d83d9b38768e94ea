"""Surfaces of a mask or label map, written for 3D programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from leuko.errors import UnusableInput, UsageError
from leuko.findings import Finding
from leuko.formats.labels import LabelTable, label_table, read_labels
from leuko.formats.mesh import MESH_WRITERS, Part
from leuko.formats.read import read_mask
from leuko.image.crop import framed_grid
from leuko.image.image import Image
from leuko.masks.surface import SMOOTHING, surface
from leuko.pipelines.label_names import OWN_LABELS
from leuko.pipelines.outputs import require_free_file, write_whole, writing

__all__ = ["Measured", "Written", "surface_file", "surfaces", "write_surfaces"]

MAX_LABELS = 5000
REAL_THRESHOLD = 0.5  # of probabilities


@dataclass(frozen=True, slots=True)
class Measured:
    """What is told of a label's surface."""

    label: int
    name: str
    triangles: int
    volume_mm3: float
    area_mm2: float


@dataclass(frozen=True, slots=True)
class Written:
    """The file that was written and the surfaces in it."""

    file: str
    surfaces: tuple[Measured, ...]
    findings: tuple[Finding, ...] = ()


def surfaces(
    mask: Image,
    *,
    names: LabelTable | Mapping[int, str] | None = None,
    labels: Sequence[int] = (),
    smoothing: int = SMOOTHING,
) -> tuple[tuple[int, Part], ...]:
    """The surface of each label of a 3D mask, with the label's value; RAS mm.

    Of real values 0.5 and more count as label 1. `labels` chooses some; `names` gives names and
    colours. Raises UnusableInput (exit 4) where the image has no size in mm, several volumes or
    nothing but background, UsageError (exit 2) for labels that are not there.
    """
    values = _label_values(mask)
    boxes: list[Any] = ndimage.find_objects(values)
    there = [number for number, box in enumerate(boxes, start=1) if box is not None]
    missing = sorted(set(labels) - set(there))
    if missing:
        raise UsageError(
            f"There is no label {missing[0]} in the mask.",
            hint=f"Its labels: {', '.join(map(str, there[:20]))}.",
        )
    if not there:
        raise UnusableInput("The mask is empty: it has no surface.", hint="Give another mask.")
    table = names if isinstance(names, LabelTable) else label_table(names or {})
    known = {label.value: label for label in table.completed(there)}
    found = []
    for value in labels or there:
        box = boxes[value - 1]
        start, shape = [part.start for part in box], [part.stop - part.start for part in box]
        mesh = surface(
            values[box] == value,
            grid=framed_grid(mask.grid, start=start, shape=shape),
            smoothing=smoothing,
        )
        found.append((value, Part(mesh, known[value].name, known[value].colour)))
    return tuple(found)


def write_surfaces(
    mask: Image,
    folder: Path,
    names: LabelTable | Mapping[int, str] | None = None,
    *,
    stem: str = "surface",
    suffixes: Sequence[str] = (".glb", ".stl"),
    smoothing: int = SMOOTHING,
) -> tuple[Written, ...]:
    """Write `stem`.glb (a named, coloured part a label) and `stem`.stl (all in one) to `folder`.

    Raises as `surfaces`, and WriteError (exit 6) or OutOfResources (exit 7).
    """
    found = surfaces(mask, names=names, smoothing=smoothing)
    return tuple(_write(folder / f"{stem}{suffix}", found, mask) for suffix in suffixes)


def surface_file(
    mask: Path,
    out: Path,
    *,
    labels: Sequence[int] = (),
    table: Path | None = None,
    smoothing: int = SMOOTHING,
    force: bool = False,
) -> Written:
    """The surfaces of the mask in a file, written to `out` (.stl, .ply or .glb, by its name).

    `table` is a file of label names and colours (docs/formats.md); leuko's own masks bring theirs.
    Raises UsageError (exit 2) where the name of `out` says no format of surfaces, WriteError
    (exit 6) where it is there already and `force` is not set.
    """
    if out.suffix.lower() not in MESH_WRITERS:
        raise UsageError(
            f"{out.name} does not say in which format to write the surface.",
            hint=f"End the name in {', '.join(MESH_WRITERS)}.",
        )
    require_free_file(out, inputs=(mask,), force=force)
    image = read_mask(mask)
    own = OWN_LABELS.get(mask.name.split(".")[0])
    names = read_labels(table) if table is not None else own() if own else None
    return _write(out, surfaces(image, names=names, labels=labels, smoothing=smoothing), image)


def _write(out: Path, found: Sequence[tuple[int, Part]], mask: Image) -> Written:
    with writing(out.name):
        write_whole(out, MESH_WRITERS[out.suffix.lower()]([part for _, part in found]))
    return Written(
        out.name,
        tuple(
            Measured(
                value,
                part.name,
                len(part.mesh.faces),
                round(part.mesh.volume_mm3, 3),
                round(part.mesh.area_mm2, 3),
            )
            for value, part in found
        ),
        mask.findings,
    )


def _label_values(mask: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    if mask.data.ndim != 3:
        raise UnusableInput(
            f"The image has {mask.volumes} volumes; a surface is made of one.",
            hint="Convert one of them to a file of its own first.",
        )
    if not mask.grid.sized:
        raise UnusableInput(
            "The image has no size in mm, so its surface would have none.",
            hint="Give a mask of a scan, not a picture.",
        )
    data: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = np.asarray(mask.data)
    if data.dtype.kind == "f" and not np.array_equal(data, np.rint(data)):
        return (data >= REAL_THRESHOLD).astype(np.int32)
    low, high = float(data.min()), float(data.max())
    if low < 0 or high > MAX_LABELS:
        raise UnusableInput(
            f"Values from {low:g} to {high:g} are no labels.",
            hint=f"A mask holds whole numbers from 0 to {MAX_LABELS}.",
        )
    return data.astype(np.int32)
