"""Data sets without pixels, for objects that refer to a stack's files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leuko.dicom.frame import Frame
from leuko.errors import ReadError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["read_headers"]


def read_headers(frames: Sequence[Frame], *, slices: int) -> list[Dataset]:
    """One data set per file, sorted by slice, then volume; `frames` volume by volume.

    Raises ReadError.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    order = sorted(range(len(frames)), key=lambda k: (k % slices, k // slices))
    instances = {id(frames[k].instance): frames[k].instance for k in order}
    headers: list[Dataset] = []
    for instance in instances.values():
        try:
            headers.append(pydicom.dcmread(instance.path, stop_before_pixels=True, force=True))
        except (OSError, InvalidDicomError, ValueError, KeyError) as error:
            name = os.path.basename(instance.path)  # noqa: PTH119
            raise ReadError(f"{name} cannot be read again.", hint="Is it still there?") from error
    return headers
