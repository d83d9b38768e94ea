"""Writing FreeSurfer's MGH and MGZ: big-endian, placed by the voxel at half the dimensions."""

from __future__ import annotations

import numpy as np

from leuko.errors import UsageError
from leuko.formats.mgh import HEADER_BYTES
from leuko.formats.outgoing import OutFile, Outgoing, flat_bytes, storable

__all__ = ["MGH_OUT", "write_mgh"]

MGH_OUT = ("u1", "i2", "i4", "f4")  # uint16 exists, but only new programs know it
_CODES = {"u1": 0, "i4": 1, "f4": 3, "i2": 4}


def write_mgh(out: Outgoing) -> tuple[OutFile, ...]:
    """The file of an image, frames last. Raises UsageError (exit 2) for numbers MGH lacks."""
    grid = out.grid
    if max(grid.shape) >= 2**31:
        raise UsageError("The image is too long for MGH.", hint="Write it as .nii.gz.")
    stored = storable(out.data, types=MGH_OUT, format="MGH", exact=out.exact)
    frames = stored.shape[3] if stored.ndim == 4 else 1
    delta = np.linalg.norm(grid.affine[:3, :3], axis=0)
    columns = grid.affine[:3, :3]
    centre = grid.affine[:3, 3] + columns @ (np.array(grid.shape) / 2.0)
    header = b"".join(
        (
            np.array([1, *grid.shape, frames, _CODES[stored.dtype.str[1:]], 0], ">i4").tobytes(),
            np.array([grid.oriented], ">i2").tobytes(),
            np.array([*delta, *(columns / delta).T.ravel(), *centre], ">f4").tobytes(),
        )
    )
    time = 1000.0 * out.seconds if out.seconds is not None and frames > 1 else 0.0
    tail = np.array([time, 0, 0, 0, 0], ">f4").tobytes()  # TR, flip angle, TE, TI, field of view
    voxels = flat_bytes(stored.astype(stored.dtype.newbyteorder(">"), copy=False))
    return (OutFile(out.name, (header.ljust(HEADER_BYTES, b"\0"), voxels, tail)),)
