"""Transforms in files: our own JSON, ITK's .tfm and .h5, displacement fields as .nii.gz.

The JSON is meant to be read by others:

    {"format": "leuko-transform", "version": 1,
     "maps": "fixed to moving", "space": "RAS, mm",
     "parts": [{"kind": "displacement", "file": "displacement.nii.gz"},
               {"kind": "affine", "matrix": [[...], [...], [...], [0, 0, 0, 1]]}]}

Parts are done in order, the first first. A part is `affine` (matrix: 4x4), `bspline` (shape and
affine of the control grid, coefficients in mm as x, y, z a control point in C order), or
`displacement` (a NIfTI file beside the JSON: vectors in LPS, as ITK and ANTs have them).
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from leuko.errors import ReadError, UsageError, WriteError
from leuko.image.grid import Grid
from leuko.registration.deformation import BSpline, DisplacementField
from leuko.registration.itk import from_itk, image_of, to_itk, vectors_of
from leuko.registration.transforms import Affine, Composite, Transform, compose

__all__ = ["load_transform", "save_transform"]

FORMAT, VERSION = "leuko-transform", 1
ITK_SUFFIXES = (".tfm", ".h5", ".hdf5", ".txt", ".mat", ".xfm")
FIELD_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
LARGEST_JSON = 64 << 20


def save_transform(transform: Transform, path: Path) -> None:
    """Write a transform; the suffix says how: .json (ours), .tfm or .h5 (ITK), .nii.gz (field).

    Displacements of a .json go into a file beside it, NAME.displacement.nii.gz. Raises UsageError
    (exit 2) for another suffix or where the format cannot hold the transform, WriteError (exit 6).
    """
    name = path.name.lower()
    if name.endswith(".json"):
        parts = transform.parts if isinstance(transform, Composite) else (transform,)
        content = {
            "format": FORMAT,
            "version": VERSION,
            "maps": "fixed to moving",
            "space": "RAS, mm",
            "parts": [_record(part, path, number) for number, part in enumerate(parts)],
        }
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    elif name.endswith(FIELD_SUFFIXES):
        if not isinstance(transform, DisplacementField):
            raise UsageError(
                f"{path.name}: only a displacement field can be written as an image.",
                hint="Write the transform as .json, .tfm or .h5.",
            )
        _write_field(transform, path)
    elif name.endswith(ITK_SUFFIXES):
        _write_itk(transform, path)
    else:
        raise UsageError(
            f"{path.name} does not say how to write a transform.",
            hint="End the name in .json, .tfm, .h5 or .nii.gz.",
        )


def load_transform(path: Path) -> Transform:
    """Read what `save_transform` writes, and any linear, B-spline or field transform of ITK.

    Raises ReadError (exit 3).
    """
    name = path.name.lower()
    if not path.is_file():
        raise ReadError(f"There is no file {path.name}.", hint="Check the name of the transform.")
    if name.endswith(".json"):
        return _from_json(path)
    if name.endswith(FIELD_SUFFIXES):
        return _read_field(path)
    if not name.endswith(ITK_SUFFIXES):
        raise ReadError(
            f"{path.name} is no transform that leuko knows by its name.",
            hint="Known are .json (leuko), .tfm, .txt, .mat, .h5 (ITK, ANTs) and .nii.gz (fields).",
        )
    sitk: Any = import_module("SimpleITK")

    try:
        return from_itk(sitk.ReadTransform(str(path)))
    except RuntimeError as error:
        raise ReadError(
            f"{path.name} cannot be read as an ITK transform.",
            hint="Export it again from the program that made it.",
        ) from error


def _record(part: Transform, path: Path, number: int) -> dict[str, Any]:
    match part:
        case Affine():
            return {"kind": "affine", "matrix": part.matrix.tolist()}
        case BSpline():
            return {
                "kind": "bspline",
                "shape": list(part.grid.shape),
                "affine": part.grid.affine.tolist(),
                "coefficients": np.round(part.coefficients, 5).reshape(-1).tolist(),
            }
        case DisplacementField():
            tail = ".displacement.nii.gz" if number == 0 else f".displacement{number + 1}.nii.gz"
            beside = path.with_name(path.name[: -len(".json")] + tail)
            _write_field(part, beside)
            return {"kind": "displacement", "file": beside.name}
    raise UsageError(f"A {type(part).__name__} cannot be written.")


def _from_json(path: Path) -> Transform:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ValueError("it is too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise ValueError("its format or version is another one")
        parts = [_part(one, path) for one in content["parts"]]
        return compose(*parts) if parts else Affine.identity()
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(
            f"{path.name} is not a transform of leuko: {type(error).__name__}.",
            hint="Give the transform.json that leuko register wrote.",
        ) from error


def _part(record: dict[str, Any], path: Path) -> Transform:
    kind = record["kind"]
    if kind == "affine":
        return Affine(np.array(record["matrix"], dtype=np.float64))
    if kind == "bspline":
        x, y, z = (int(n) for n in record["shape"])
        grid = Grid((x, y, z), np.array(record["affine"], dtype=np.float64))
        values = np.array(record["coefficients"], dtype=np.float64).reshape(x, y, z, 3)
        return BSpline(values, grid)
    if kind == "displacement":
        name = str(record["file"])
        if Path(name).name != name:
            raise ValueError("the displacement lies elsewhere")
        return _read_field(path.with_name(name))
    raise ValueError(f"unknown kind {kind!r}")


def _read_field(path: Path) -> DisplacementField:
    sitk: Any = import_module("SimpleITK")

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ReadError(
            f"{path.name} cannot be read as a displacement field.",
            hint="It should be an image of vectors, as leuko register, ITK or ANTs write it.",
        ) from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 3:
        raise ReadError(
            f"{path.name} is no displacement field: it needs three numbers a voxel.",
            hint="It should be an image of vectors, as leuko register, ITK or ANTs write it.",
        )
    return vectors_of(image)


def _write_field(field: DisplacementField, path: Path) -> None:
    sitk: Any = import_module("SimpleITK")

    with _writing(path):
        sitk.WriteImage(image_of(field), str(path), useCompression=True)


def _write_itk(transform: Transform, path: Path) -> None:
    sitk: Any = import_module("SimpleITK")

    with _writing(path):
        sitk.WriteTransform(to_itk(transform), str(path))


class _writing:  # noqa: N801
    """SimpleITK's refusals to write as ours."""

    def __init__(self, path: Path) -> None:
        self.name = path.name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError):
            raise WriteError(
                f"{self.name} cannot be written as a transform.",
                hint="Choose another folder, or .json as the format.",
            ) from error
