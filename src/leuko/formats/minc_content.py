"""What a MINC file holds, from netCDF (MINC 1) or HDF5 (MINC 2), before anything is made of it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError, UnusableInput
from leuko.formats.byte_source import MAX_RATIO, ByteSource
from leuko.formats.stored import AGAIN, require_possible
from leuko.formats.voxels import Voxels

__all__ = ["Dimension", "MincContent", "minc1_content", "minc2_content"]

FloatArray = npt.NDArray[np.float64]
MAX_NETCDF = 1 << 32  # bytes taken into memory: netCDF's own limit is 2 GiB
_SPATIAL = ("xspace", "yspace", "zspace")
_NETCDF_TYPES = {1: "u1", 2: "u2", 4: "u4"}


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension as its attributes describe it; None where an attribute is missing."""

    name: str
    length: int
    start: float | None = None
    step: float | None = None
    cosines: tuple[float, ...] | None = None
    regular: bool = True
    units: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MincContent:
    """Stored numbers with their dimensions, the slowest first, and what scales them.

    `lowest` and `highest` are the real values of `valid`, for the whole image or along the
    dimensions `ranged`; None where the file does not tell.
    """

    dimensions: tuple[Dimension, ...]
    stored: Voxels
    valid: tuple[float, float] | None
    lowest: FloatArray | None
    highest: FloatArray | None
    ranged: tuple[str, ...]


def minc1_content(source: ByteSource) -> MincContent:
    """MINC 1, netCDF inside. Raises ReadError (exit 3) where it is broken."""
    from scipy.io import netcdf_file

    content = source.take(MAX_NETCDF)
    source.finish()
    try:
        with netcdf_file(io.BytesIO(content), mmap=False) as file:
            return _from_netcdf(file, source.name)
    except (ReadError, UnusableInput, MemoryError):
        raise
    except Exception as error:  # scipy's parser raises whatever it stumbles over
        raise _broken(source.name, "its netCDF parts do not fit together") from error


def _from_netcdf(file: Any, name: str) -> MincContent:
    image = file.variables.get("image")
    if image is None:
        raise _broken(name, "it holds no image")
    shape = tuple(int(n) for n in image.data.shape)
    names = [str(d) for d in image.dimensions]
    dimensions = tuple(
        _dimension(d, n, _attributes(file.variables.get(d)))
        for d, n in zip(names, shape, strict=True)
    )
    require_possible(shape, name=name)
    stored = np.array(image.data)
    attributes = _attributes(image)
    if stored.dtype.kind in "SVb" or stored.dtype.itemsize == 1:
        stored = stored.view("i1")
    unsigned = _text(attributes.get("signtype")).startswith("unsigned")
    if unsigned and stored.dtype.kind == "i":
        order = stored.dtype.newbyteorder("=") != stored.dtype
        swapped = ">" if order else "="
        stored = stored.view(np.dtype(swapped + _NETCDF_TYPES[stored.dtype.itemsize]))
    low, high = file.variables.get("image-min"), file.variables.get("image-max")
    return MincContent(
        dimensions,
        stored,
        _valid(attributes, name),
        None if low is None else np.array(low.data, dtype=np.float64),
        None if high is None else np.array(high.data, dtype=np.float64),
        () if high is None else tuple(str(d) for d in high.dimensions),
    )


def _attributes(variable: Any) -> dict[str, Any]:
    return {} if variable is None else dict(variable._attributes)


def minc2_content(source: ByteSource) -> MincContent:
    """MINC 2, HDF5 inside. Raises ReadError (exit 3) where it is broken or no MINC."""
    import h5py

    packed = io.BytesIO(source.take(MAX_NETCDF)) if source.gzipped else None
    source.finish()
    try:
        with h5py.File(packed or source.path, "r") as file:
            return _from_hdf5(file, source)
    except (ReadError, UnusableInput, MemoryError):
        raise
    except Exception as error:  # h5py raises whatever its library stumbles over
        raise _broken(source.name, "its HDF5 parts do not fit together") from error


def _from_hdf5(file: Any, source: ByteSource) -> MincContent:
    name = source.name
    image = _member(file, "minc-2.0/image/0/image")
    if image is None:
        raise ReadError(
            f"{name} is an HDF5 file, but no MINC image.",
            hint="Give the scan itself, as NIfTI for example.",
        )
    shape = tuple(int(n) for n in image.shape)
    require_possible(shape or (0,), name=name)
    size = math.prod(shape) * image.dtype.itemsize
    if image.id.get_storage_size() * (MAX_RATIO if image.chunks else 1) < size:
        raise ReadError(
            f"{name} is truncated: its header promises {size:,} bytes of voxels, "
            f"the file can hold {image.id.get_storage_size():,}.",
            hint=AGAIN,
        )
    names = _text(image.attrs.get("dimorder")).split(",")
    if len(names) != len(shape):
        raise _broken(name, "it does not name its dimensions")
    dimensions = []
    for dimension, length in zip(names, shape, strict=True):
        about = _member(file, f"minc-2.0/dimensions/{dimension}")
        attributes = {} if about is None else dict(about.attrs)
        said = int(np.ravel(attributes.get("length", length))[0])
        if said != length:
            raise _broken(name, f"it promises {said} voxels along {dimension}, and holds {length}")
        dimensions.append(_dimension(dimension, length, attributes))
    low = _member(file, "minc-2.0/image/0/image-min")
    high = _member(file, "minc-2.0/image/0/image-max")
    ranged = () if high is None else tuple(_text(high.attrs.get("dimorder")).split(","))
    return MincContent(
        tuple(dimensions),
        np.asarray(image[()]),
        _valid(dict(image.attrs), name),
        None if low is None else np.array(low[()], dtype=np.float64),
        None if high is None else np.array(high[()], dtype=np.float64),
        ranged[: 0 if high is None else high.ndim],
    )


def _member(file: Any, path: str) -> Any:
    """A member by its path; None where there is none, or where it leads into another file."""
    import h5py

    place = file
    for part in path.split("/"):
        link = place.get(part, getlink=True) if part in place else None
        if not isinstance(link, h5py.HardLink | h5py.SoftLink):
            return None
        place = place[part]
    foreign = isinstance(place, h5py.Dataset) and (place.external or place.is_virtual)
    return None if foreign or place.file.filename != file.filename else place


def _dimension(name: str, length: int, attributes: Mapping[str, Any]) -> Dimension:
    cosines = attributes.get("direction_cosines")
    spacing = _text(attributes.get("spacing")).strip("_")
    return Dimension(
        name=name,
        length=length,
        start=_number(attributes.get("start")),
        step=_number(attributes.get("step")),
        cosines=None if cosines is None else tuple(float(c) for c in np.ravel(cosines)),
        regular=spacing in ("", "regular", name),
        units=_text(attributes.get("units")).strip("_ \0").lower(),
    )


def _valid(attributes: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The range of stored numbers that real values are given for."""
    both = attributes.get("valid_range")
    if both is None:
        both = [attributes.get("valid_min"), attributes.get("valid_max")]
    numbers = [_number(value) for value in _each(both)]
    if len(numbers) != 2:
        raise _broken(name, "its valid range is none")
    first, second = numbers
    if first is None or second is None:
        return None
    return min(first, second), max(first, second)


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else list(np.ravel(value))


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(np.ravel(value)[0])
    except (IndexError, TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    value = np.ravel(value)[0] if not isinstance(value, str | bytes) else value
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _broken(name: str, why: str) -> ReadError:
    return ReadError(f"{name} is a damaged MINC file: {why}.", hint=AGAIN)
