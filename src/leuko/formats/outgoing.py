"""What a writer is given, what it gives back, and in which type it stores the values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from leuko.errors import UsageError
from leuko.formats.labels import LabelTable
from leuko.formats.voxels import Voxels
from leuko.image.grid import Grid

__all__ = ["OutFile", "Outgoing", "flat_bytes", "storable"]


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """An image on its way out; `data` in file axes, volumes last.

    `header` is the raw geometry header of a NIfTI file on the same grid, or empty. `labels` marks
    a label map, `names` names its values. `exact` keeps the type of the values as it is. `version`
    is that of the format, 0 for the one that suffices.
    """

    name: str
    data: Voxels
    grid: Grid
    seconds: float | None = None
    header: bytes = b""
    labels: bool = False
    names: LabelTable = field(default_factory=LabelTable)
    exact: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class OutFile:
    """A file to write: its name beside the target, and its bytes, not yet compressed."""

    name: str
    pieces: Iterable[bytes | memoryview]


def storable(
    data: Voxels,
    *,
    types: tuple[str, ...],
    format: str,
    exact: bool = False,
    narrow: bool = False,
) -> Voxels:
    """`data` in a type that the format stores: its own, else the smallest whole one that holds it.

    Floats become float32. Whole numbers that no whole type of the format holds become float64
    where it has that, else float32. `narrow` takes whole numbers of more than 16 bits down to
    what holds them. `exact` takes the type as it is, or raises UsageError (exit 2),
    as values that are no real numbers do; `format` is named in the message.
    """
    kind = data.dtype.newbyteorder("=")
    if exact and kind.kind in "iuf" and kind.str[1:] not in types:
        known = ", ".join(str(np.dtype(name)) for name in types)
        raise UsageError(
            f"{format} does not store values of type {kind}.", hint=f"It stores {known}."
        )
    if kind.kind == "b":
        return data.astype(np.uint8)
    if exact and kind.kind in "iuf":
        return data
    if kind.kind == "f":
        return data.astype(np.float32, copy=False)
    if kind.kind not in "iu":
        raise UsageError(
            f"Values of type {data.dtype} cannot be written as {format}.",
            hint="Give whole numbers, truth values or floats.",
        )
    if kind.str[1:] in types and (kind.itemsize <= 2 or not narrow):
        return data
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    for name in types:
        if name[0] not in "iu" or name == "u1":
            continue
        limits = np.iinfo(name)
        if limits.min <= low and high <= limits.max:
            return data.astype(name, copy=False)
    return data.astype(np.float64 if "f8" in types else np.float32)


def flat_bytes(data: Voxels, *, order: str = "F") -> memoryview:
    """The bytes of an array with its first axis fastest ("F") or slowest ("C"); copied if need be.

    Byte order stays as it is.
    """
    packed = np.asfortranarray(data) if order == "F" else np.ascontiguousarray(data)
    flat = packed.reshape(-1, order="F" if order == "F" else "C")
    return flat.view(np.uint8).data if flat.size else memoryview(b"")
