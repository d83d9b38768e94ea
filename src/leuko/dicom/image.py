"""From a stack to an image: pixels rescaled slice by slice and set in the world (RAS, mm)."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.dicom import colour, intensities
from leuko.dicom.elements import UNDEFINED
from leuko.dicom.files import scan
from leuko.dicom.frame import Frame, Instance
from leuko.dicom.kinds import is_colour
from leuko.dicom.pixels import Array, Content, file_bytes, name_of, stored_planes
from leuko.dicom.remarks import remarks
from leuko.dicom.select import one_stack
from leuko.dicom.study import Stack, Study
from leuko.errors import OutOfResources, ReadError, SafetyRefusal
from leuko.formats.geometry import grid_findings
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["load", "read_dicom"]

_LPS_PICTURE = np.eye(4)


def read_dicom(path: str | os.PathLike[str], *, series: str = "", name: str = "") -> Image:
    """The image in a folder or file of DICOM; `series` names one where there are several.

    `name` stands for `path` in messages and as the image's source; without it the source of one
    file is its name, of several the series' key. Raises ReadError where there is none, UsageError
    where several fit, and what `load` raises.
    """
    given = Path(path)
    study = scan(given, name=name)
    if segmentation := _segmentation(given, study):
        from leuko.dicom.seg_reader import read_seg

        return read_seg(segmentation)
    stack, found = one_stack(study, series=series)
    image = load(stack, name=study.name)
    findings = (*study.findings, *found, *image.findings)
    return Image(image.data, image.grid, image.source, findings, image.seconds)


def _segmentation(path: Path, study: Study) -> Path | None:
    """The only DICOM object below `path`, where it is a segmentation: labels, not a series."""
    if study.stacks or [skipped.reason for skipped in study.skipped] != ["a segmentation"]:
        return None
    return path if path.is_file() else next(path.rglob(study.skipped[0].name), None)


def load(stack: Stack, *, name: str = "", real_world: bool = False) -> Image:
    """The image of a stack: data of shape (columns, rows, slices) or (..., volumes).

    Values are rescaled slice by slice: by the standard's slope and intercept, or with `real_world`
    by the real-world value map, where every frame has one. They are integers where that leaves
    integers, else float32. Raises UsageError where there is no such map, SafetyRefusal (geometry),
    ReadError (pixels cut or damaged), OutOfResources.
    """
    if stack.usable:
        raise SafetyRefusal(f"Series {stack.key} cannot be read: {stack.usable}", hint=stack.hint)
    frames = intensities.by_real_world(stack.frames) if real_world else stack.frames
    groups = _by_file(frames)
    scaling = intensities.scaling_of(frames)
    first = stack.first
    shape = (len(stack.frames), first.rows, first.columns)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            digests, values = _fill(groups, shape, scaling)
    except OutOfResources:
        raise
    except MemoryError as error:
        raise OutOfResources.of_memory(f"Series {stack.key}") from error
    values, found = intensities.finished(values, stack)
    layout = stack.layout
    cube = values.reshape(layout.volumes, layout.slices, first.rows, first.columns)
    data = cube.transpose(3, 2, 1, 0)
    if layout.volumes == 1:
        data = data[..., 0]
    affine = _LPS_PICTURE if layout.affine is None else layout.affine
    grid = Grid((first.columns, first.rows, layout.slices), affine, layout.oriented, layout.sized)
    findings = (*stack.findings, *remarks(stack), *found, *grid_findings(grid))
    whole = f"DICOM series {stack.key}" if len(stack.instances) > 1 else name_of(first.instance)
    source = Source(name or whole, "dicom", _combined(digests))
    return Image(data, grid, source, findings, layout.seconds)


Group = tuple[Instance, list[tuple[int, Frame]]]


def _by_file(frames: Sequence[Frame]) -> list[Group]:
    """Each file with the places and frames it fills."""
    groups: dict[int, Group] = {}
    for place, frame in enumerate(frames):
        groups.setdefault(id(frame.instance), (frame.instance, []))[1].append((place, frame))
    return list(groups.values())


def _fill(
    groups: Sequence[Group], shape: tuple[int, ...], scaling: intensities.Scaling
) -> tuple[list[bytes], Array]:
    """Digests of the files, and all frames in one array; several files at once where it pays."""
    first_instance, _ = groups[0]
    if is_colour(groups[0][1][0][1]):
        return colour.luminance(groups, shape)
    parallel = _worth_threads(groups)
    room = None if parallel else bytearray(max(instance.size for instance, _ in groups))
    content, first_digest = file_bytes(first_instance, room=room)
    # The first file is decoded before the array is made: a false claim fails early.
    planes = _planes(first_instance, groups[0][1], content)
    kind = np.result_type(scaling.kind, planes[0].dtype) if scaling.plain else scaling.kind
    target: npt.NDArray[np.generic] = np.empty(shape, dtype=kind)
    intensities.place(planes, groups[0][1], target)

    def one(group: Group) -> bytes:
        instance, places = group
        content, digest = file_bytes(instance, room=room)
        intensities.place(_planes(instance, places, content), places, target)
        return digest

    rest = groups[1:]
    if parallel:
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
            digests = list(pool.map(one, rest))
    else:
        digests = [one(group) for group in rest]
    return [first_digest, *digests], target


def _worth_threads(groups: Sequence[Group]) -> bool:
    compressed = groups[0][0].pixels[2] == UNDEFINED
    return len(groups) > 3 and (compressed or sum(group[0].size for group in groups) > 1 << 23)


def _planes(
    instance: Instance, places: Sequence[tuple[int, Frame]], content: Content
) -> Sequence[Array] | Array:
    """The planes of a file in the order of `places`; tiles cut from a mosaic."""
    frames = [frame for _, frame in places]
    if frames[0].tile < 0:
        return stored_planes(instance, content, [frame.nth for frame in frames])
    whole = stored_planes(instance, content, [0])[0]
    rows, columns = frames[0].rows, frames[0].columns
    cut: list[Array] = []
    for frame in frames:
        down, across = divmod(frame.tile, frame.tiles)
        tile = whole[down * rows : (down + 1) * rows, across * columns : (across + 1) * columns]
        if tile.shape != (rows, columns):
            raise ReadError(
                f"The mosaic in {name_of(instance)} has fewer tiles than its header says.",
                hint="Export the series again.",
            )
        cut.append(tile)
    return cut


def _combined(digests: Sequence[bytes]) -> str:
    """SHA-256 of one file; of several, that of their sorted SHA-256."""
    if len(digests) == 1:
        return digests[0].hex()
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()
