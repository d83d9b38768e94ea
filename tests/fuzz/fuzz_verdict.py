"""Whether what came of reading a file is allowed: a sane image or a plain error."""

from __future__ import annotations

import hashlib
import traceback
from pathlib import Path

import numpy as np

from leuko.errors import LeukoError, OutOfResources
from leuko.findings import Severity
from leuko.formats.read import read
from leuko.image.image import Image

__all__ = ["digest", "verdict"]

LONGEST = 600  # characters of a message


def verdict(path: Path, *, secret: str = "", unchanged: str = "") -> str:
    """'' if all is well, else what is wrong with how `path` was read.

    `secret` may not appear in an error (a folder's name). With `unchanged`, an image that is not
    the one of that digest must at least carry a warning.
    """
    try:
        image = read(path)
    except LeukoError as error:
        return _error_verdict(error, secret)
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)
        ours = next((f for f in reversed(place) if "/leuko/" in f.filename), place[-1])
        where = f"{Path(ours.filename).name}:{ours.lineno}"
        return f"{type(error).__name__} at {where}: {error}"
    problem = _image_verdict(image)
    warned = any(finding.severity != Severity.NOTE for finding in image.findings)
    if not problem and unchanged and digest(image) != unchanged and not warned:
        return "silently another image"
    return problem


def digest(image: Image) -> str:
    """A fingerprint of values and places."""
    content = np.ascontiguousarray(image.data).tobytes() + image.grid.affine.tobytes()
    return hashlib.sha256(content + repr(image.data.shape).encode()).hexdigest()


def _error_verdict(error: LeukoError, secret: str) -> str:
    text = f"{error.what} {error.hint}"
    if isinstance(error, OutOfResources):
        return f"asks for too much memory: {error.what}"
    if not error.what or not error.hint:
        return f"an error without a way out: {error.what!r}"
    if type(error) is LeukoError or error.exit_code == 70:
        return f"an error of no kind: {error.what}"
    if "Traceback" in text or (secret and secret in text) or "/tmp" in text:
        return f"an error that tells too much: {text}"
    if len(text) > LONGEST or not text.isprintable():
        return f"an unreadable error: {text!r}"
    return ""


def _image_verdict(image: Image) -> str:
    data, grid = image.data, image.grid
    if data.shape[:3] != grid.shape or data.ndim > 4 or not data.size:
        return f"shape {data.shape} on {grid.shape}"
    if data.dtype.kind not in "iuf" or not data.dtype.isnative:
        return f"type {data.dtype}"
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        return "values that are no numbers"
    if not np.isfinite(grid.affine).all() or not np.isfinite(grid.voxel_mm3):
        return "a place that is no number"
    lengths = np.linalg.norm(grid.affine[:3, :3], axis=0)
    if not (lengths > 0).all() or not abs(np.linalg.det(grid.affine[:3, :3] / lengths)) > 1e-6:
        return f"a flat grid: {grid.affine.tolist()}"
    return ""
