"""PNG, JPEG, JPEG 2000, TIFF, GIF and BMP as images without a size in mm and without sides."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from leuko.errors import LeukoError, ReadError, UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats import jpeg2000
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.geometry import grid_findings
from leuko.formats.pictures_grey import grey
from leuko.formats.voxels import Voxels, real_values
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["read_picture"]

MAX_PIXELS = 2**26  # of one page: 8192 x 8192
MAX_FRAME = 2**24  # of one of several frames, of which Pillow keeps three in colour
MAX_VALUES = 2**28  # of all pages
MAX_BYTES = 2**29  # of the file
_PILLOWS = {
    "png": ("PNG",), "jpeg": ("JPEG", "MPO"), "jpeg2000": ("JPEG2000",), "tiff": ("TIFF",),
    "gif": ("GIF",), "bmp": ("BMP",),
}  # fmt: skip
_PAGED = ("tiff", "gif", "png")  # PNG: animated
_EXIF_ORIENTATION = 0x0112
_SUBFILE, _REDUCED = 254, 1  # TIFF 6.0: a smaller copy of another page
_AGAIN = "Copy or download the file again; if it stays so, export the picture again."


def read_picture(source: ByteSource) -> Image:
    """The picture in `source`: shape (columns, rows, pages), axis 0 to the right, axis 1 down.

    Its grid is neither sized nor oriented: a resolution in dpi is that of a print, not of a body.
    Pages of a TIFF and frames of a GIF or PNG become slices. Raises ReadError (exit 3) for what is
    broken or too large, UnusableInput (exit 4) for what has no grey values.
    """
    kind = recognise(source.peek(HEAD_BYTES)) or ""
    content = source.rest(MAX_BYTES)
    with _refusing(source.name):
        pages, findings = _pages(content, kind=kind, name=source.name)
        stored = np.stack(pages).T  # columns first, in Fortran's order: no further copy
        del pages
    data, more = real_values(stored)
    grid = Grid(
        (data.shape[0], data.shape[1], data.shape[2]), np.eye(4), oriented=False, sized=False
    )
    return Image(
        data,
        grid,
        Source(source.name, kind, source.digest.hexdigest()),
        (*dict.fromkeys(findings), *more, *grid_findings(grid)),
    )


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Whatever Pillow raises on a broken file, as one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            yield
    except (LeukoError, MemoryError):
        raise
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise _too_large(name) from error
    except UnidentifiedImageError as error:
        raise ReadError(
            f"{name} is damaged, or stores its pixels in a way that leuko cannot read.",
            hint="Save it as PNG (8 or 16 bits) or as TIFF (16 bits or 32-bit floats).",
        ) from error
    except (
        Exception
    ) as error:  # decoders raise nearly anything: SyntaxError, KeyError, struct.error
        raise ReadError(
            f"{name} is truncated or damaged: its pixels cannot be decoded.", hint=_AGAIN
        ) from error


def _pages(content: bytes, *, kind: str, name: str) -> tuple[list[Voxels], list[Finding]]:
    """Grey values, shape (rows, columns), of every page, and what was found."""
    if kind == "png":
        with Pillow.open(io.BytesIO(content), formats=_PILLOWS[kind]) as whole:
            whole.verify()  # checksums, which decoding does not compare
    findings = _about(content, kind=kind, name=name)
    if kind == "jpeg2000":
        header = jpeg2000.parse(content)
        if header.components == 1 and not header.palette:
            return [jpeg2000.grey_values(content)], findings
    pages = []
    with Pillow.open(io.BytesIO(content), formats=_PILLOWS[kind]) as picture:
        for page in _whole_pages(picture, kind=kind, name=name, findings=findings):
            values, found = grey(_upright(page, findings), name=name)
            pages.append(values)
            findings += found
    return pages, findings


def _about(content: bytes, *, kind: str, name: str) -> list[Finding]:
    """Findings from the header alone; refuses what is too large before decoding."""
    lossy = kind == "jpeg"
    deep = kind == "png" and content[24] == 16 and content[25] != 0
    if kind == "jpeg2000":
        header = jpeg2000.parse(content)
        if not 0 < header.width * header.height <= MAX_PIXELS or header.components > 4:
            raise _too_large(name)
        if not header.complete:
            raise ReadError(f"{name} is truncated: its end mark is missing.", hint=_AGAIN)
        lossy = header.lossy
        deep = header.bits > 8 and (header.components > 1 or header.palette)
    findings = []
    if lossy:
        findings.append(
            Finding(
                "picture.lossy",
                Severity.NOTE,
                "The compression is lossy: grey values are near the true ones, not equal.",
            )
        )
    if deep:
        findings.append(_reduced())
    return findings


def _reduced() -> Finding:
    return Finding(
        "picture.reduced",
        Severity.WARNING,
        "Of the 16 bits of each colour only the upper 8 are used.",
        "Save it as a grey picture to keep all of them.",
    )


def _whole_pages(
    picture: Any, *, kind: str, name: str, findings: list[Finding]
) -> Iterator[Pillow.Image]:
    """Every page that is no smaller copy of another; only the first where pages are no slices."""
    count = getattr(picture, "n_frames", 1) if kind in _PAGED else 1
    size, taken = None, 0
    for index in range(count):
        picture.seek(index)
        width, height = picture.size
        most = MAX_PIXELS if count == 1 or kind != "png" else MAX_FRAME
        if width * height > most or (taken + 1) * width * height > MAX_VALUES:
            raise _too_large(name)
        if count > 1 and kind == "tiff" and picture.tag_v2.get(_SUBFILE, 0) & _REDUCED:
            continue
        if size not in (None, (width, height)):
            raise UnusableInput(
                f"{name} holds pages of different sizes, which are no slices of one image.",
                hint="Give one of its pages as a file of its own.",
            )
        size = (width, height)
        if kind == "tiff" and picture.mode in ("RGB", "RGBA", "CMYK"):
            bits = picture.tag_v2.get(258, (8,))
            findings += [_reduced()] if max(bits) > 8 else []
        if kind == "tiff" and picture.tag_v2.get(_EXIF_ORIENTATION, 1) not in (0, 1):
            findings.append(_turned())  # Pillow does so while it loads a TIFF
        picture.load()
        taken += 1
        yield picture
    if taken > 1:
        findings.append(
            Finding(
                "picture.pages",
                Severity.WARNING,
                f"The {taken} pages are taken as slices, in their order; their distance is "
                "unknown.",
                "Give the scan itself, with its geometry (DICOM, NIfTI).",
            )
        )


def _upright(picture: Pillow.Image, findings: list[Finding]) -> Pillow.Image:
    """The picture as the camera's note on its orientation wants it (EXIF 1 to 8)."""
    if picture.getexif().get(_EXIF_ORIENTATION, 1) in (None, 0, 1):
        return picture
    findings.append(_turned())
    return ImageOps.exif_transpose(picture)


def _turned() -> Finding:
    return Finding(
        "picture.turned",
        Severity.NOTE,
        "The picture was turned upright, as the note on its orientation (EXIF) says.",
    )


def _too_large(name: str) -> ReadError:
    return ReadError(
        f"{name} claims more pixels than any scan has: it is damaged, or made to fill the memory.",
        hint=f"Give a picture of at most {MAX_PIXELS >> 20} million pixels.",
    )
