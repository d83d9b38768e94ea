"""NIfTI files made to order. nibabel lays out the headers, so that they are not our own idea."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

NiftiMaker = Callable[..., Path]
CLASSES = {1: nibabel.Nifti1Header, 2: nibabel.Nifti2Header}


def header_of(data: Any, *, version: int, order: str, fields: dict[str, Any]) -> Any:
    """A header for `data` in plain RAS order with 1 mm voxels, changed by `fields`."""
    header = CLASSES[version](endianness=order)
    header.set_data_shape(data.shape)
    header.set_data_dtype(data.dtype)
    header.set_qform(np.eye(4), code=1)
    header.set_sform(np.eye(4), code=1)
    header.set_xyzt_units("mm")
    header.structarr["scl_slope"] = 1.0
    header.structarr["scl_inter"] = 0.0
    for name, value in fields.items():
        header.structarr[name] = value
    return header


@pytest.fixture
def make_nifti(tmp_path: Path) -> NiftiMaker:
    """Write a NIfTI file; keyword arguments are fields of the header (as nibabel names them)."""

    def make(
        name: str = "scan.nii.gz",
        data: Any = None,
        *,
        version: int = 1,
        order: str = "<",
        pair: bool = False,
        extension: bytes = b"",
        trailing: bytes = b"",
        **fields: Any,
    ) -> Path:
        if data is None:
            data = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
        header = header_of(data, version=version, order=order, fields=fields)
        voxels = data.astype(data.dtype.newbyteorder(order)).tobytes(order="F") + trailing
        if pair:
            header.structarr["magic"] = b"ni1" if version == 1 else b"ni2"
            (tmp_path / f"{name}.img").write_bytes(voxels)
            path = tmp_path / f"{name}.hdr"
            path.write_bytes(header.binaryblock)
            return path
        size = len(header.binaryblock)
        if "vox_offset" not in fields:
            header.structarr["vox_offset"] = size + 4 + len(extension)
        flag = b"\1\0\0\0" if extension else bytes(4)
        content = header.binaryblock + flag + extension + voxels
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return make
