"""Writing MINC 2: each array axis under the name of the world axis that it runs along.

Source: the MINC 2.0 file format reference.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np

from leuko.formats.outgoing import OutFile, Outgoing, storable
from leuko.formats.voxels import Voxels
from leuko.image.grid import Grid

__all__ = ["MINC_TYPES", "write_minc"]

MINC_TYPES = ("u1", "i2", "u2", "i4", "u4", "i1", "f4", "f8")
_NAMES = ("xspace", "yspace", "zspace")
_COMMENTS = (
    b"X increases from patient left to right",
    b"Y increases from patient posterior to anterior",
    b"Z increases from patient inferior to superior",
)
_STANDARD = {"varid": b"MINC standard variable", "version": b"MINC Version    2.0"}
_GZIP_LEVEL = 1


def write_minc(out: Outgoing) -> tuple[OutFile, ...]:
    """The file of an image; time is its slowest dimension. Raises UsageError (exit 2)."""
    import h5py

    stored = storable(out.data, types=MINC_TYPES, format="MINC", exact=out.exact)
    memory = io.BytesIO()
    with h5py.File(memory, "w", track_order=False) as file:
        root = file.create_group("minc-2.0")
        version = getattr(sys.modules["leuko"], "__version__", "")
        _describe(root, {"ident": f"leuko {version}".encode(), "minc_version": b"2.4.05"})
        names = _dimensions(root.create_group("dimensions"), out, stored)
        root.create_group("info")
        _image(root.create_group("image").create_group("0"), stored, names)
    return (OutFile(out.name, (memory.getbuffer(),)),)


def _dimensions(group: Any, out: Outgoing, stored: Voxels) -> list[str]:
    """A member for each dimension; returns their names, the slowest first."""
    names = [""] * 3
    for world, axis in enumerate(out.grid.orientation.axes):
        names[axis] = _NAMES[world]
    cosines, steps, starts = _steps(out.grid)
    for axis in range(3):
        world = _NAMES.index(names[axis])
        place = group.create_dataset(names[axis], data=np.int32(0))
        _describe(
            place,
            {
                "alignment": b"centre",
                "class": b"spatial",
                "comments": _COMMENTS[world],
                "direction_cosines": cosines[:, axis],
                "length": np.int32(stored.shape[axis]),
                "spacing": b"regular__",
                "start": np.float64(starts[axis]),
                "step": np.float64(steps[axis]),
                "units": b"mm",
                "vartype": b"dimension____",
                **_STANDARD,
            },
        )
    order = [names[2], names[1], names[0]]
    if stored.ndim == 3:
        return order
    count = stored.shape[3]
    step = 1.0 if out.seconds is None else out.seconds
    time = group.create_dataset("time", data=np.arange(count) * step)
    about = {
        "alignment": b"start_",
        "class": b"time__",
        "dimorder": b"time",
        "length": np.int32(count),
        "spacing": b"regular__" if out.seconds is not None else b"irregular",
        "start": np.float64(0.0),
        "step": np.float64(step),
        "units": b"s",
        "vartype": b"dimension____",
        **_STANDARD,
    }
    _describe(time, about)
    return ["time", *order]


def _steps(grid: Grid) -> tuple[Any, Any, Any]:
    """Cosines along the named world axis (so that a step may be negative), steps and starts."""
    affine = grid.affine
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = affine[:3, :3] / steps
    for axis, flip in zip(grid.orientation.axes, grid.orientation.flipped, strict=True):
        if flip:
            cosines[:, axis] *= -1
            steps[axis] *= -1
    return cosines, steps, np.linalg.solve(cosines, affine[:3, 3])


def _image(group: Any, stored: Voxels, names: list[str]) -> None:
    """Voxels whose stored numbers are their values: the range of both is the same."""
    if stored.dtype.kind == "f":
        low, high = (float(stored.min()), float(stored.max())) if stored.size else (0.0, 1.0)
        high = high if high > low else low + 1.0
    else:
        limits = np.iinfo(stored.dtype.str)
        # The whole range: MINC tools that scale anew then keep whole numbers whole.
        low, high = float(limits.min), float(limits.max)
    backwards = stored.transpose(*((3,) if stored.ndim == 4 else ()), 2, 1, 0)
    image = group.create_dataset(
        "image",
        data=np.ascontiguousarray(backwards),
        chunks=(1,) * (stored.ndim - 2) + backwards.shape[-2:],
        compression="gzip",
        compression_opts=_GZIP_LEVEL,
    )
    about = {
        "dimorder": ",".join(names).encode(),
        "complete": b"true_",
        "valid_range": np.array([low, high]),
        "vartype": b"group________",
    }
    _describe(image, {**about, **_STANDARD})
    for name, value in (("image-min", low), ("image-max", high)):
        place = group.create_dataset(name, data=np.float64(value))
        _describe(place, {"vartype": b"var_attribute", **_STANDARD})


def _describe(place: Any, attributes: dict[str, Any]) -> None:
    """Set attributes; texts get a fixed length, as MINC's own library reads them."""
    for key, value in attributes.items():
        place.attrs[key] = np.bytes_(value) if isinstance(value, bytes) else value
