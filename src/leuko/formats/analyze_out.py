"""Writing Analyze 7.5: voxels and their size; nothing says how they lie in the body."""

from __future__ import annotations

import numpy as np

from leuko.errors import UsageError
from leuko.formats.analyze import ANALYZE_TYPES, analyze_dtype
from leuko.formats.outgoing import OutFile, Outgoing, flat_bytes, storable

__all__ = ["ANALYZE_OUT", "write_analyze"]

ANALYZE_OUT = ("u1", "i2", "i4", "f4", "f8")
_CODES = {kind: code for code, kind in ANALYZE_TYPES.items()}
_LONGEST = 32767


def write_analyze(out: Outgoing) -> tuple[OutFile, ...]:
    """Header and voxels of an image, volumes last. Raises UsageError (exit 2)."""
    stored = storable(out.data, types=ANALYZE_OUT, format="Analyze", exact=out.exact)
    if max(stored.shape) > _LONGEST:
        raise UsageError("The image is too long for Analyze.", hint="Write it as .nii.gz.")
    fields = np.zeros((), dtype=analyze_dtype("<"))
    sizes = [*stored.shape, 1][:4]
    fields["sizeof_hdr"] = 348
    fields["extents"] = 16384
    fields["regular"] = b"r"
    fields["dim"] = [4, *sizes, 1, 1, 1]
    fields["datatype"] = _CODES[stored.dtype.str[1:]]
    fields["bitpix"] = 8 * stored.dtype.itemsize
    lengths = np.linalg.norm(out.grid.affine[:3, :3], axis=0)
    fields["pixdim"][1:4] = lengths if out.grid.sized else 0
    fields["vox_units"] = b"mm"
    fields["scale"] = 1
    if stored.size:
        fields["glmin"] = int(np.clip(float(stored.min()), -(2.0**31), 2.0**31 - 1))
        fields["glmax"] = int(np.clip(float(stored.max()), -(2.0**31), 2.0**31 - 1))
    voxels = flat_bytes(stored.astype(stored.dtype.newbyteorder("<"), copy=False))
    stem = out.name[: -len(".hdr")]
    return OutFile(f"{stem}.img", (voxels,)), OutFile(f"{stem}.hdr", (fields.tobytes(),))
