"""What a format cannot hold of an image: said before it is lost."""

from __future__ import annotations

import numpy as np

from leuko.findings import Finding, Severity
from leuko.formats.geometry import SHEAR_DEGREES, shear_degrees
from leuko.formats.registry import PICTURES, Format
from leuko.formats.voxels import Voxels
from leuko.image.image import Image

__all__ = ["losses"]

_FLOAT_WHOLE = {"f4": 2**24, "f8": 2**53}  # whole numbers up to here are held exactly


def losses(image: Image, record: Format) -> tuple[Finding, ...]:
    """A finding for everything that a file of the format cannot say about `image`."""
    grid, title, holds = image.grid, record.title, record.holds
    found = []
    if grid.oriented and "orientation" not in holds:
        found.append(
            _lost(
                "orientation",
                Severity.WARNING,
                f"Where and how the image lies in the body is lost: {title} cannot say it.",
                "Left and right will be unknown; keep the original, or write NIfTI.",
            )
        )
    if not grid.sized and "no size" not in holds:
        found.append(
            _lost(
                "size_invented",
                Severity.WARNING,
                f"The size of a pixel is not known, but {title} must state one: it says 1 mm.",
                "Lengths and volumes in the new file mean nothing.",
            )
        )
    if not grid.oriented and "no orientation" not in holds:
        found.append(
            _lost(
                "orientation_invented",
                Severity.WARNING,
                f"How the image lies in the body is not known, but {title} must state it.",
                "Do not rely on left and right in the new file.",
            )
        )
    if "shear" not in holds and grid.oriented and shear_degrees(grid) > SHEAR_DEGREES:
        found.append(
            _lost("shear", Severity.WARNING, f"{title} cannot hold axes that are sheared.")
        )
    if image.volumes > 1 and image.seconds is not None and "seconds" not in holds:
        found.append(
            _lost(
                "seconds",
                Severity.NOTE,
                f"The time between volumes ({image.seconds:g} s) is lost: {title} cannot say it.",
            )
        )
    if record.name in PICTURES:
        return (*found, *_picture(image, record))
    return (*found, *_numbers(image.data, record))


def _picture(image: Image, record: Format) -> list[Finding]:
    """What becomes of sizes and values in a picture."""
    found = []
    if image.grid.sized:
        found.append(
            _lost(
                "size", Severity.WARNING, f"The size of a voxel is lost: {record.title} has none."
            )
        )
    if record.name == "jpeg":
        found.append(_lost("lossy", Severity.WARNING, "JPEG changes grey values a little."))
    data, floats = image.data, "f4" in record.types
    fits = data.dtype.kind == "b" or not data.size or floats
    if data.dtype.kind in "iu" and data.size and not floats:
        whole = np.iinfo(record.types[0 if image.grid.sized else -1]).max
        fits = int(data.min()) >= 0 and int(data.max()) <= whole
    if not fits:
        found.append(
            _lost(
                "scaled",
                Severity.WARNING,
                f"The values are scaled to what {record.title} holds: they are grey levels to "
                "look at, no measured intensities.",
                "Write TIFF or NIfTI, which hold the values, or name their type with --dtype.",
            )
        )
    return found


def _numbers(data: Voxels, record: Format) -> list[Finding]:
    """Whole numbers beyond the format's whole types are held as floats, exactly or not."""
    if data.dtype.kind not in "iu" or not data.size:
        return []
    low, high = int(data.min()), int(data.max())
    for name in record.types:
        if name[0] in "iu" and np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return []
    limit = _FLOAT_WHOLE["f8" if "f8" in record.types else "f4"]
    if max(-low, high) <= limit:
        return []
    return [
        _lost(
            "precision",
            Severity.WARNING,
            f"Whole numbers up to {max(-low, high):,} are rounded: {record.title} stores them "
            "as floats.",
            "Write .nrrd or .mha, which hold 64-bit integers.",
        )
    ]


def _lost(code: str, severity: Severity, what: str, hint: str = "") -> Finding:
    return Finding(f"convert.{code}", severity, what[0].upper() + what[1:], hint)
