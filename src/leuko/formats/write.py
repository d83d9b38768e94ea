"""Writing an image file: whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from isal import isal_zlib

from leuko.errors import GridMismatch, OutOfResources, UsageError, WriteError
from leuko.formats.registry import FORMATS, load
from leuko.formats.voxels import Voxels
from leuko.image.grid import Grid, require_same_grid
from leuko.image.image import Image, Source

__all__ = ["write"]

_GZIP_LEVEL = 1
_GZIP_BITS = 31  # deflate with gzip's header, whose time stamp stays 0
_FULL = (errno.ENOSPC, errno.EDQUOT)


def write(
    image: Image | Voxels,
    path: str | os.PathLike[str],
    *,
    like: Image | None = None,
    labels: bool = False,
) -> None:
    """Write an image, or an array on the grid of `like`, as .nii or .nii.gz (by name).

    The geometry in the header is that of `like`'s file (or the image's own), byte for byte, where
    that is NIfTI; nothing else of it is kept. `labels` marks a label map. The same call writes the
    same bytes; an existing file is replaced only by a complete one. Raises UsageError (exit 2),
    GridMismatch (exit 5), WriteError (exit 6), OutOfResources (exit 7) where the disk is full.
    """
    target = Path(path)
    writer = _writer(target)
    data, grid, source = _on_grid(image, like)
    header = source.header if source is not None and source.format.startswith("nifti") else b""
    pieces = load(writer)(data, grid=grid, header=header, labels=labels)
    if target.name.lower().endswith(".gz"):
        pieces = _gzipped(pieces)
    _replace(target, pieces)


def _writer(target: Path) -> str:
    name = target.name.lower()
    for record in FORMATS.values():
        if record.writer and name.endswith(record.written):
            return record.writer
    known = ", ".join(s for record in FORMATS.values() for s in record.written)
    raise UsageError(
        f"{target.name} does not say in which format to write.", hint=f"End the name in {known}."
    )


def _on_grid(image: Image | Voxels, like: Image | None) -> tuple[Voxels, Grid, Source | None]:
    """The voxels, and the grid and source that decide the header."""
    if isinstance(image, Image):
        if like is None:
            return image.data, image.grid, image.source
        require_same_grid(image.grid, like.grid, what="The image", other_what="the scan")
        return image.data, like.grid, like.source
    if like is None:
        raise UsageError("An array has no place in space.", hint="Give like=, the scan it is of.")
    if image.shape != like.grid.shape:
        raise GridMismatch(
            f"The array has {image.shape} voxels, the scan {like.grid.shape}.",
            hint="Give the array in the axes of the scan's file.",
        )
    return image, like.grid, like.source


def _gzipped(pieces: Sequence[bytes]) -> list[bytes]:
    packer = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_BITS)
    return [*(packer.compress(piece) for piece in pieces), packer.flush()]


def _replace(target: Path, pieces: Sequence[bytes]) -> None:
    """Write `pieces` beside `target` and put the complete file in its place at once."""
    # Not tempfile: its files are private, results get the user's usual permissions.
    temporary = target.with_name(f".leuko-{secrets.token_hex(8)}.part")
    try:
        try:
            with temporary.open("xb") as file:
                file.writelines(pieces)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _failed(target, error) from error


def _failed(target: Path, error: OSError) -> OutOfResources | WriteError:
    if error.errno in _FULL:
        return OutOfResources(
            f"The disk is full: {target.name} was not written.",
            hint="Free some space, or write to another disk; what was there before is unchanged.",
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return WriteError(
            f"{target.name} was not written: its folder does not exist.",
            hint="Make the folder first, or check the path.",
        )
    return WriteError(
        f"{target.name} was not written: {error.strerror or 'the system refused'}.",
        hint="Check that you may write there, or choose another place.",
    )
