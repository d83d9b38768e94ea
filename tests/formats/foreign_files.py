"""Files as other programs write them: by third parties where there are some, else by the book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import SimpleITK
from axis_orders import flip_lps
from scipy.io import netcdf_file

WORLD = ("xspace", "yspace", "zspace")


def by_sitk(data: Any, affine: Any, path: Path) -> Path:
    """NRRD or MetaImage by ITK, which measures in LPS."""
    lps = flip_lps(affine)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = SimpleITK.GetImageFromArray(data.T)
    image.SetSpacing([float(s) for s in spacing])
    image.SetDirection([float(v) for v in (lps[:3, :3] / spacing).ravel()])
    image.SetOrigin([float(v) for v in lps[:3, 3]])
    SimpleITK.WriteImage(image, str(path))
    return path


def sitk_affine(image: Any) -> Any:
    """What SimpleITK read, as an affine in RAS."""
    lps = np.eye(4)
    lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    return flip_lps(lps)


def by_pynrrd(data: Any, affine: Any, path: Path, *, space: str = "RAS", **fields: Any) -> Path:
    """NRRD by pynrrd, in a space of choice; `fields` are added to the header."""
    names = {"RAS": "right-anterior-superior", "LAS": "left-anterior-superior",
             "LPS": "left-posterior-superior"}  # fmt: skip
    signs = np.array([1 if a == b else -1 for a, b in zip(space, "RAS", strict=True)])
    header = {
        "space": names[space],
        "space directions": (signs[:, None] * affine[:3, :3]).T,
        "space origin": signs * affine[:3, 3],
        "encoding": "gzip",
        **fields,
    }
    nrrd.write(str(path), data, header, index_order="F")
    return path


def by_nibabel(kind: Any, data: Any, affine: Any, path: Path) -> Path:
    """MGH, NIfTI and Analyze by nibabel."""
    nibabel.save(kind(data, affine), path)
    return path


def by_afnis_book(data: Any, affine: Any, path: Path, **more: str) -> Path:
    """A .HEAD and .BRIK as README.attributes of AFNI describes them (big-endian)."""
    volumes = data.reshape((*data.shape[:3], -1))
    numbers = " ".join(repr(float(v)) for v in flip_lps(affine)[:3].ravel())
    kinds = {"int16": 1, "float32": 3, "uint8": 0}
    bricks = volumes.shape[3]
    attributes = {
        "DATASET_RANK": ("integer", f"3 {bricks} 0 0 0 0 0 0"),
        "DATASET_DIMENSIONS": ("integer", f"{' '.join(map(str, volumes.shape[:3]))} 0 0"),
        "TYPESTRING": ("string", "3DIM_HEAD_ANAT"),
        "SCENE_DATA": ("integer", "0 0 0 -999 -999 -999 -999 -999"),
        "ORIENT_SPECIFIC": ("integer", "0 2 4"),
        "ORIGIN": ("float", "0 0 0"),
        "DELTA": ("float", "1 1 1"),
        "IJK_TO_DICOM_REAL": ("float", numbers),
        "BRICK_TYPES": ("integer", " ".join([str(kinds[data.dtype.name])] * bricks)),
        "BRICK_FLOAT_FACS": ("float", " ".join(["0"] * bricks)),
        "BYTEORDER_STRING": ("string", "MSB_FIRST"),
        "TAXIS_NUMS": ("integer", f"{bricks} 0 77002"),
        "TAXIS_FLOATS": ("float", "0 2.5 0 0 0"),
    }
    for key, value in more.items():
        attributes[key] = (attributes[key][0], value)
    text = ""
    for key, (kind, value) in attributes.items():
        if not value:
            continue
        count = len(value) + 1 if kind == "string" else len(value.split())
        body = f"'{value}~" if kind == "string" else f" {value}"
        text += f"\ntype = {kind}-attribute\nname = {key}\ncount = {count}\n{body}\n"
    path.write_text(text)
    order = ">" if attributes["BYTEORDER_STRING"][1].startswith("MSB") else "<"
    stored = volumes.astype(volumes.dtype.newbyteorder(order))
    path.with_suffix(".BRIK").write_bytes(stored.tobytes(order="F"))
    return path


def by_minc1s_book(
    data: Any, affine: Any, path: Path, *, spacing: bytes = b"regular__", **drop: bool
) -> Path:
    """NetCDF as MINC 1 lays it out: slices scaled each by its own range; time the slowest."""
    volumes = data.reshape((*data.shape[:3], -1))
    names = [WORLD[int(np.argmax(np.abs(affine[:3, axis])))] for axis in range(3)]
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = affine[:3, :3] / steps
    starts = np.linalg.solve(cosines, affine[:3, 3])
    with netcdf_file(str(path), "w") as file:
        dims = ["time"] * (data.ndim == 4) + [names[2], names[1], names[0]]
        backwards = volumes.transpose(3, 2, 1, 0) if data.ndim == 4 else data.transpose(2, 1, 0)
        for name, size in zip(dims, backwards.shape, strict=True):
            file.createDimension(name, size)
        for axis, name in enumerate(names):
            place = file.createVariable(name, "i", ())
            if not drop.get("step"):
                place.step = float(steps[axis])
            place.start = float(starts[axis])
            place.direction_cosines = cosines[:, axis]
            place.spacing = spacing
            place.units = b"mm"
        if data.ndim == 4:
            time = file.createVariable("time", "d", ("time",))
            time[:] = np.arange(backwards.shape[0]) * 2.5
            time.step, time.start, time.spacing = 2.5, 0.0, b"regular__"
        low = backwards.min(axis=(-2, -1)).astype(float)
        high = backwards.max(axis=(-2, -1)).astype(float) + 1.0
        image = file.createVariable("image", "h", tuple(dims))
        image.signtype = b"signed__"
        image.valid_range = np.array([-30000.0, 30000.0])
        scaled = (backwards - low[..., None, None]) / (high - low)[..., None, None]
        image[:] = np.rint(scaled * 60000 - 30000).astype(np.int16)
        for key, values in (("image-min", low), ("image-max", high)):
            variable = file.createVariable(key, "d", tuple(dims[:-2]))
            variable[:] = values
    return path
