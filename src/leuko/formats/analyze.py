"""Reading Analyze 7.5, with what SPM put into its unused fields and into the .mat beside it.

Analyze itself does not say how the scan lies: left and right are unknown unless a .mat file tells.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.byte_source import ByteSource
from leuko.formats.companions import sibling
from leuko.formats.components import Part, combined
from leuko.formats.geometry import grid_findings
from leuko.formats.placement import placed, spaced
from leuko.formats.stored import AGAIN, read_stored, require_possible
from leuko.formats.voxels import Voxels, real_values
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["ANALYZE_TYPES", "analyze_dtype", "read_analyze"]

_FIELDS = [
    ("sizeof_hdr", "i4"), ("data_type", "S10"), ("db_name", "S18"), ("extents", "i4"),
    ("session_error", "i2"), ("regular", "S1"), ("hkey_un0", "S1"), ("dim", "i2", (8,)),
    ("vox_units", "S4"), ("cal_units", "S8"), ("unused1", "i2"), ("datatype", "i2"),
    ("bitpix", "i2"), ("dim_un0", "i2"), ("pixdim", "f4", (8,)), ("vox_offset", "f4"),
    ("scale", "f4"), ("funused2", "f4"), ("funused3", "f4"), ("cal_max", "f4"),
    ("cal_min", "f4"), ("compressed", "i4"), ("verified", "i4"), ("glmax", "i4"),
    ("glmin", "i4"), ("descrip", "S80"), ("aux_file", "S24"), ("orient", "u1"),
    ("origin", "V10"), ("rest", "S85"),
]  # fmt: skip
ANALYZE_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"}
_RGB, _COMPLEX = 128, 32
_ORIGIN_AT = 253  # five int16, 1-based, in SPM99's files
MAX_MAT = 1 << 20


def analyze_dtype(order: str) -> np.dtype[np.void]:
    """The layout of the 348-byte header; `order` is '<' or '>'."""
    dtype: np.dtype[np.void] = np.dtype(_FIELDS).newbyteorder("<" if order == "<" else ">")
    return dtype


def read_analyze(source: ByteSource) -> Image:
    """The image whose header is `source`, recognised as Analyze; volumes stand last.

    Raises ReadError (exit 3) for what is broken or missing, UnusableInput (exit 4) for values
    that are no grey values.
    """
    raw, name = source.take(348), source.name
    order = "<" if int.from_bytes(raw[:4], "little") == 348 else ">"
    fields = np.frombuffer(raw, analyze_dtype(order))[0]
    sizes = _sizes(fields, name)
    shape, volumes = (sizes[0], sizes[1], sizes[2]), math.prod(sizes[3:])
    code = int(fields["datatype"])
    parts = {_RGB: 3, _COMPLEX: 2}.get(code, 1)
    dtype = _dtype(code, order, name)
    source.finish()
    image_path = _voxels_of(source.path)
    grid, findings = _grid(fields, raw, shape, order, path=image_path)
    with ByteSource(image_path, digest=source.digest) as voxels:
        offset = float(fields["vox_offset"])
        skip = int(offset) if math.isfinite(offset) and 0 <= offset < 2**40 else 0
        count = math.prod(shape) * volumes * parts
        stored = read_stored(voxels, count=count, dtype=dtype, skip=skip)
        voxels.finish()
    data, more = _values(stored, shape, volumes, code, _scale(fields))
    return Image(
        data,
        grid,
        Source(name, "analyze", source.digest.hexdigest()),
        (*findings, *grid_findings(grid), *more),
    )


def _sizes(fields: np.void, name: str) -> tuple[int, ...]:
    dim = [int(n) for n in fields["dim"]]
    if not 1 <= dim[0] <= 7:
        raise ReadError(
            f"{name} has a damaged Analyze header: its dimensions are {dim}.", hint=AGAIN
        )
    given = dim[1 : dim[0] + 1]
    # Some writers leave 0 for axes that are not used.
    sizes = (*given[:2], *(max(n, 1) for n in given[2:]), 1, 1, 1)[: max(3, len(given))]
    require_possible(sizes, name=name)
    return tuple(sizes)


def _dtype(code: int, order: str, name: str) -> np.dtype[np.generic]:
    if code == 1:
        raise UnusableInput(
            f"{name} holds single bits, not the grey values of a scan.",
            hint="Save it with 8-bit integers, or give the scan itself.",
        )
    known = {**ANALYZE_TYPES, _RGB: "u1", _COMPLEX: "f4"}
    if code not in known:
        raise ReadError(
            f"{name} has a damaged Analyze header: type code {code} does not exist.", hint=AGAIN
        )
    return np.dtype(known[code]).newbyteorder("<" if order == "<" else ">")


def _voxels_of(path: Path) -> Path:
    """The .img file of a header; raises ReadError (exit 3) where there is none."""
    ends = ".hdr.gz" if path.name.lower().endswith(".hdr.gz") else ".hdr"
    found = sibling(path, ends=ends, others=(".img", ".img.gz"))
    if found is None:
        stem = path.name[: -len(ends)] if path.name.lower().endswith(ends) else path.name
        raise ReadError(
            f"{path.name} is the header of a pair; its voxels, {stem}.img, are missing.",
            hint=f"Put {stem}.img (or {stem}.img.gz) into the same folder.",
        )
    return found


@np.errstate(over="ignore", invalid="ignore")  # `placed` refuses what is not finite
def _grid(
    fields: np.void, raw: bytes, shape: tuple[int, int, int], order: str, *, path: Path
) -> tuple[Grid, list[Finding]]:
    """A .mat file's matrix; else the voxel size, placed by SPM's origin where there is one."""
    spacing = np.abs(fields["pixdim"][1:4].astype(np.float64))
    origin = np.frombuffer(raw, f"{order}i2", count=3, offset=_ORIGIN_AT).astype(np.float64)
    ends = ".img.gz" if path.name.lower().endswith(".gz") else ".img"
    beside = sibling(path, ends=ends, others=(".mat",))
    if beside is not None:
        matrix, flipped = _matrix(beside)
        findings = [
            Finding(
                "analyze.mat",
                Severity.NOTE,
                "SPM's .mat file beside the image says how it lies.",
            )
        ]
        if not flipped:
            findings.append(
                Finding(
                    "analyze.mat_may_flip",
                    Severity.WARNING,
                    "SPM's .mat file does not say whether left and right are exchanged; "
                    "SPM's usual setting (they are) is assumed.",
                    "Compare left and right with the scan in your viewer before you rely on it.",
                )
            )
        return placed(shape, columns=matrix[:3, :3], origin=matrix[:3, 3], name=path.name), findings
    grid = spaced(shape, spacing)
    if not np.any(origin) or np.any(origin < 1) or np.any(origin > np.array(shape)):
        return grid, []
    affine = np.diag([-1.0, 1.0, 1.0, 1.0]) @ grid.affine
    affine[:3, 3] = -affine[:3, :3] @ (origin - 1.0)  # SPM counts voxels from 1
    said = Finding(
        "analyze.origin",
        Severity.NOTE,
        "SPM's origin in the header says which voxel is 0, 0, 0; left and right depend on "
        "how SPM was set up when the file was written.",
    )
    return Grid(shape, affine, oriented=False, sized=grid.sized), [said]


@np.errstate(over="ignore", invalid="ignore")
def _matrix(path: Path) -> tuple[npt.NDArray[np.float64], bool]:
    """Voxel (from 0) to RAS mm from a .mat file, and whether it decides left and right itself."""
    from scipy.io import loadmat

    problem = ReadError(
        f"{path.name}, beside the image, is damaged: it holds no matrix that SPM would write.",
        hint="Copy it again, or take it away to read the image without orientation.",
    )
    if path.stat().st_size > MAX_MAT:
        raise problem
    try:
        content = loadmat(path, variable_names=["mat", "M"])
    except Exception:  # scipy raises whatever its parser stumbles over
        raise problem from None
    decides = "mat" in content
    try:
        matrix = np.array(content["mat" if decides else "M"], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        raise problem from None
    matrix = matrix[:, :, 0] if matrix.ndim == 3 and matrix.shape[2] else matrix
    if matrix.shape != (4, 4):
        raise problem
    if not decides:
        matrix = np.diag([-1.0, 1.0, 1.0, 1.0]) @ matrix
    from_one = np.eye(4)
    from_one[:3, 3] = 1.0
    return np.asarray(matrix @ from_one), decides


def _scale(fields: np.void) -> float:
    """SPM's factor in the field that Analyze leaves unused; 0 means that nothing is scaled."""
    scale = float(fields["scale"])
    return scale if math.isfinite(scale) and scale != 0 else 1.0


def _values(
    stored: Voxels, shape: tuple[int, int, int], volumes: int, code: int, scale: float
) -> tuple[Voxels, tuple[Finding, ...]]:
    meaning = {_RGB: "rgb", _COMPLEX: "complex"}.get(code)
    if meaning:
        spread = np.moveaxis(stored.reshape((-1, *shape, volumes), order="F"), 0, -1)
        spread = spread[..., 0, :] if volumes == 1 else spread
        return combined(Part(spread, meaning), format="analyze")
    data, findings = real_values(stored, slope=scale)
    if scale != 1.0:
        said = Finding(
            "analyze.scaled",
            Severity.NOTE,
            f"Values are {scale:g} times the stored ones (SPM's funused1).",
        )
        findings = (said, *findings)
    return data.reshape(shape if volumes == 1 else (*shape, volumes), order="F"), findings
