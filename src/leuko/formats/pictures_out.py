"""Writing pictures: PNG and JPEG of one slice, TIFF of one or of many, as a radiologist sees them.

Only grey values go out: a picture says neither where it lies nor how large its pixels are.
"""

from __future__ import annotations

import io

import numpy as np

from leuko.errors import UsageError
from leuko.formats.outgoing import OutFile, Outgoing
from leuko.formats.voxels import Voxels
from leuko.image.grid import Grid
from leuko.image.image import to_canonical

__all__ = ["PICTURE_TYPES", "shown_pages", "stored_values", "write_picture"]

PICTURE_TYPES = {"PNG": ("u1", "u2"), "JPEG": ("u1",), "TIFF": ("u1", "u2", "f4")}
_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
_QUALITY = 95
_WINDOW = (0.5, 99.5)  # percentiles that become black and white where values must be scaled


def write_picture(out: Outgoing) -> tuple[OutFile, ...]:
    """The picture file. Whole numbers that the format holds stay; others are scaled.

    Raises UsageError (exit 2) for several volumes, or several slices where the format holds one.
    """
    ending = out.name[out.name.rindex(".") :].lower()
    kind = _KINDS[ending]
    if out.data.ndim == 4 and out.data.shape[3] > 1:
        raise UsageError(
            f"A picture shows one volume, the image has {out.data.shape[3]}.",
            hint="Choose one with --volume.",
        )
    data = out.data[..., 0] if out.data.ndim == 4 else out.data
    stored = stored_values(data, kind=kind, exact=out.exact, scan=out.grid.sized)
    pages = shown_pages(stored, out.grid)
    if len(pages) > 1 and kind != "TIFF":
        raise UsageError(
            f"{kind} holds one slice, the image has {len(pages)}.",
            hint="Write TIFF (.tif), which holds all slices as pages, or show it: "
            "leuko view --png.",
        )
    return (OutFile(out.name, (_encoded(pages, kind=kind),)),)


def stored_values(data: Voxels, *, kind: str, exact: bool = False, scan: bool = False) -> Voxels:
    """Values of a type that the picture format `kind` stores.

    Whole numbers stay as they are where the format holds them, floats in TIFF; all else is
    scaled to the format's whole range, from the 0.5th to the 99.5th percentile, and so are a
    `scan`'s of more than 8 bits but in TIFF: they would look black. With `exact` nothing is
    scaled; what cannot be stored raises UsageError (exit 2).
    """
    types = PICTURE_TYPES[kind]
    if scan and not exact and kind == "PNG":
        types = ("u1",)
    if data.dtype.kind == "b":
        return data.astype(np.uint8)
    if data.dtype.kind in "iu" and data.size:
        low, high = int(data.min()), int(data.max())
        for name in types:
            if name[0] == "u" and low >= 0 and high <= np.iinfo(name).max:
                return data.astype(name, copy=False)
    if "f4" in types:
        return data.astype(np.float32, copy=False)
    if exact:
        raise UsageError(
            f"{kind} does not store values of type {data.dtype}.",
            hint="Write TIFF, which stores 32-bit floats, or give whole numbers from 0.",
        )
    black, white = (float(v) for v in np.percentile(data.astype(np.float64), _WINDOW))
    types = PICTURE_TYPES[kind]
    most = np.iinfo(types[-1]).max
    with np.errstate(over="ignore", invalid="ignore"):
        share = (data.astype(np.float64) - black) / (white - black if white > black else 1.0)
    scaled: Voxels = np.rint(np.clip(share, 0, 1) * most).astype(types[-1])
    return scaled


def shown_pages(data: Voxels, grid: Grid) -> list[Voxels]:
    """The slices of a volume as pictures (rows, columns), as they are shown to radiologists.

    The patient's right is on the left, front or head at the top (a sagittal slice looks to the
    left); pages go to the right, the front, the head. The axis with one voxel is cut, else that
    of the thickest slices. Without orientation rows and columns stay the file's.
    """
    if not grid.oriented:
        cut = next((axis for axis in (2, 1, 0) if grid.shape[axis] == 1), 2)
        return [page.T for page in np.moveaxis(data, cut, 0)]
    view = to_canonical(data, grid)
    spacing = grid.canonical().spacing
    cut = max(range(3), key=lambda axis: (view.shape[axis] == 1, round(spacing[axis], 2), axis))
    pages = np.moveaxis(view, cut, 0)[:, ::-1, ::-1]
    return [page.T for page in pages]


def _encoded(pages: list[Voxels], *, kind: str) -> bytes:
    from PIL import Image as Pillow

    pictures = [Pillow.fromarray(np.ascontiguousarray(page)) for page in pages]
    file = io.BytesIO()
    if kind == "JPEG":
        pictures[0].save(file, kind, quality=_QUALITY)
    elif kind == "TIFF":
        many = {"save_all": True, "append_images": pictures[1:]} if len(pictures) > 1 else {}
        pictures[0].save(file, kind, compression="tiff_adobe_deflate", **many)
    else:
        pictures[0].save(file, kind)
    return file.getvalue()
