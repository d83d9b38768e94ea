"""Writing an image: the format by the name's suffix, all of its files whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from isal import isal_zlib

from leuko.errors import GridMismatch, OutOfResources, UsageError, WriteError
from leuko.formats.labels import LabelTable, label_table
from leuko.formats.outgoing import OutFile, Outgoing
from leuko.formats.registry import FORMATS, Format, load
from leuko.formats.voxels import Voxels
from leuko.image.grid import Grid, require_same_grid
from leuko.image.image import Image, Source

__all__ = ["files_of", "format_to_write", "write", "write_text"]

_GZIP_LEVEL = 1
_GZIP_BITS = 31  # deflate with gzip's header, whose time stamp stays 0
_PACKED = (".gz", ".mgz")
_MESHES = (".stl", ".ply", ".glb")
_PIECE = 1 << 24  # compressed at once
_VOXELS = {".nhdr": ".raw.gz", ".mhd": ".zraw", ".hdr": ".img", ".img": ".hdr",
           ".hdr.gz": ".img.gz", ".img.gz": ".hdr.gz"}  # fmt: skip
_FULL = (errno.ENOSPC, errno.EDQUOT)


def write(
    image: Image | Voxels,
    path: str | os.PathLike[str],
    *,
    like: Image | None = None,
    labels: bool = False,
    names: Mapping[int, str] | LabelTable | None = None,
    exact: bool = False,
    format: str = "",
    version: int = 0,
) -> None:
    """Write an image, or an array on the grid of `like`, in the format that the name ends in.

    A NIfTI header's geometry is that of `like`'s file (or the image's own), byte for byte, where
    that is NIfTI; nothing else of it is kept. `labels` marks a label map, `names` names its values
    where the format can hold that. Values are stored in a type that every program of the format
    reads; `exact` keeps theirs. `format` (a name of the registry) decides where a suffix leaves
    it open: .hdr and .img mean a NIfTI pair unless it says analyze. `version` asks for NIfTI-1 or
    NIfTI-2. The same call writes the same bytes; existing files are replaced only by complete
    ones. Raises UsageError (exit 2), GridMismatch (exit 5), WriteError (exit 6), OutOfResources
    (exit 7) where the disk is full.
    """
    target = Path(path)
    record = format_to_write(target.name, format=format)
    data, grid, source, seconds = _on_grid(image, like)
    header = source.header if source is not None and source.format.startswith("nifti") else b""
    out = Outgoing(
        name=target.name,
        data=data,
        grid=grid,
        seconds=seconds,
        header=header,
        labels=labels or bool(names),
        names=names if isinstance(names, LabelTable) else label_table(names or {}),
        exact=exact,
        version=version,
    )
    files: Sequence[OutFile] = load(record.writer)(out)
    _replace(target.parent, [(file.name, _packed(file)) for file in files], named=target.name)


def write_text(text: str, path: Path) -> None:
    """Write a small text file (a table, a sidecar), whole or not at all. Raises as `write`."""
    _replace(path.parent, [(path.name, [text.encode("utf-8")])], named=path.name)


def format_to_write(name: str, *, format: str = "") -> Format:
    """The format that a file name asks for, among those of that `format` where one is given.

    Raises UsageError (exit 2) where it asks for none.
    """
    candidates = [record for record in FORMATS.values() if record.writer]
    if format:
        candidates = [record for record in candidates if record.name == format]
    found = [
        (len(suffix), record)
        for record in candidates
        for suffix in record.written
        if name.lower().endswith(suffix) and len(name) > len(suffix)
    ]
    if found:
        return max(found, key=lambda item: item[0])[1]
    if not format and name.lower().endswith(_MESHES):
        raise UsageError(
            f"{name} is a file of surfaces, not of voxels.", hint="Make it with: leuko surface."
        )
    known = ", ".join(dict.fromkeys(suffix for record in candidates for suffix in record.written))
    raise UsageError(
        f"{name} does not say in which format to write.",
        hint=f"End the name in {known}." if known else f"leuko does not write {format}.",
    )


def files_of(name: str) -> tuple[str, ...]:
    """The names of all files that writing `name` makes: itself, and the other half of a pair."""
    for suffix, other in _VOXELS.items():
        if name.lower().endswith(suffix):
            return name, name[: -len(suffix)] + other
    return (name,)


def _on_grid(
    image: Image | Voxels, like: Image | None
) -> tuple[Voxels, Grid, Source | None, float | None]:
    """The voxels, the grid and source that decide the header, and the time between volumes."""
    if isinstance(image, Image):
        if like is None:
            return image.data, image.grid, image.source, image.seconds
        require_same_grid(image.grid, like.grid, what="The image", other_what="the scan")
        return image.data, like.grid, like.source, image.seconds
    if like is None:
        raise UsageError("An array has no place in space.", hint="Give like=, the scan it is of.")
    if image.shape[:3] != like.grid.shape or image.ndim > 4:
        raise GridMismatch(
            f"The array has {image.shape} voxels, the scan {like.grid.shape}.",
            hint="Give the array in the axes of the scan's file.",
        )
    seconds = like.seconds if image.ndim == 4 and image.shape[3] == like.volumes else None
    return image, like.grid, like.source, seconds


def _packed(file: OutFile) -> Iterable[bytes | memoryview]:
    """The bytes as the file's name asks for them: compressed where it ends in .gz or .mgz."""
    return _gzipped(file.pieces) if file.name.lower().endswith(_PACKED) else file.pieces


def _gzipped(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    packer = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_BITS)
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), _PIECE):
            yield packer.compress(view[start : start + _PIECE])
    yield packer.flush()


def _replace(
    folder: Path, files: Sequence[tuple[str, Iterable[bytes | memoryview]]], *, named: str
) -> None:
    """Write every file beside its place, then put the complete ones there, the last one last."""
    # Not tempfile: its files are private, results get the user's usual permissions.
    parts = [folder / f".leuko-{secrets.token_hex(8)}.part" for _ in files]
    try:
        try:
            for part, (_, pieces) in zip(parts, files, strict=True):
                with part.open("xb") as file:
                    file.writelines(pieces)
            for part, (name, _) in zip(parts, files, strict=True):
                part.replace(folder / name)
        finally:
            for part in parts:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
    except OSError as error:
        raise _failed(named, error) from error


def _failed(name: str, error: OSError) -> OutOfResources | WriteError:
    if error.errno in _FULL:
        return OutOfResources(
            f"The disk is full: {name} was not written.",
            hint="Free some space, or write to another disk; what was there before is unchanged.",
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return WriteError(
            f"{name} was not written: its folder does not exist.",
            hint="Make the folder first, or check the path.",
        )
    return WriteError(
        f"{name} was not written: {error.strerror or 'the system refused'}.",
        hint="Check that you may write there, or choose another place.",
    )
