"""Data sets without pixels, for objects that refer to a stack's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from leuko.errors import ReadError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from leuko.dicom.study import Stack

__all__ = ["read_headers"]


def read_headers(stack: Stack) -> list[Dataset]:
    """One data set per file, sorted by slice, then volume. Raises ReadError."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    count = stack.layout.slices
    order = sorted(range(len(stack.frames)), key=lambda k: (k % count, k // count))
    instances = {id(stack.frames[k].instance): stack.frames[k].instance for k in order}
    headers: list[Dataset] = []
    for instance in instances.values():
        try:
            headers.append(pydicom.dcmread(instance.path, stop_before_pixels=True, force=True))
        except (OSError, InvalidDicomError, ValueError, KeyError) as error:
            name = os.path.basename(instance.path)  # noqa: PTH119
            raise ReadError(f"{name} cannot be read again.", hint="Is it still there?") from error
    return headers
