"""The header of an NRRD file: lines of text, checked word by word.

Source: "Definition of NRRD File Format" of the Teem project, sections 3 to 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError, UnusableInput
from leuko.formats.byte_source import ByteSource
from leuko.formats.stored import AGAIN, Packing, require_possible

__all__ = ["NrrdHeader", "parse_nrrd"]

FloatArray = npt.NDArray[np.float64]
MAX_HEADER = 1 << 22  # bytes: a segmentation of hundreds of structures has some 100 kB
MAX_AXES = 16
TYPES = {
    "int8": ("signed char", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16_t"),
    "int32": ("int", "signed int", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32_t"),
    "int64": ("longlong", "long long", "long long int", "signed long long",
              "signed long long int", "int64_t"),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}  # fmt: skip
_TYPE_OF = {alias: name for name, aliases in TYPES.items() for alias in (name, *aliases)}
_PACKINGS: dict[str, Packing] = {
    "raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2",
}  # fmt: skip
_TEXTS = {"text": "text", "txt": "text", "ascii": "text", "hex": "hex"}
_VECTOR = re.compile(r"none|\([^()]*\)", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')
_DETACHED = "datafile"


@dataclass(frozen=True, slots=True)
class NrrdHeader:
    """What an NRRD header says, by axis of the file (the fastest first); lengths in its own units.

    `directions` has None for an axis that is not one of space. `files` is what the header says
    about detached data, empty where they follow the header in the same file (`taken` bytes long).
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    encoding: str  # raw, text or hex, after unpacking
    packing: Packing
    space: str
    space_dimension: int  # 0 where only the name of the space tells it
    kinds: tuple[str, ...]
    directions: tuple[FloatArray | None, ...] | None
    origin: FloatArray | None
    spacings: tuple[float, ...] | None
    units: tuple[str, ...]
    space_units: tuple[str, ...]
    line_skip: int
    byte_skip: int
    files: tuple[str, ...]
    old_range: bool
    raw: bytes
    keys: dict[str, str]

    @property
    def taken(self) -> int:
        """Bytes of the header."""
        return len(self.raw)


def parse_nrrd(source: ByteSource) -> NrrdHeader:
    """The header at the start of `source`, which is left at the first byte behind it.

    Raises ReadError (exit 3) where it is broken, UnusableInput (exit 4) for values that are no
    numbers.
    """
    fields, keys, files, raw = _lines(source)
    name = source.name
    shape = _shape(fields, name)
    encoding = _needed(fields, "encoding", name).lower()
    if encoding not in _PACKINGS and encoding not in _TEXTS:
        raise _broken(name, f"its encoding {encoding[:20]!r} is none of NRRD's")
    return NrrdHeader(
        shape=shape,
        dtype=_dtype(fields, name, text=_TEXTS.get(encoding) == "text"),
        encoding=_TEXTS.get(encoding, "raw"),
        packing=_PACKINGS.get(encoding, ""),
        space=fields.get("space", "").lower(),
        space_dimension=_count(fields, "spacedimension", name, least=0),
        kinds=tuple(word.lower() for word in fields.get("kinds", "").split()),
        directions=_directions(fields, shape, name),
        origin=_vector(fields["spaceorigin"], name) if "spaceorigin" in fields else None,
        spacings=_numbers(fields["spacings"], name) if "spacings" in fields else None,
        units=tuple(_QUOTED.findall(fields.get("units", ""))),
        space_units=tuple(_QUOTED.findall(fields.get("spaceunits", ""))),
        line_skip=_count(fields, "lineskip", name, least=0),
        byte_skip=_count(fields, "byteskip", name, least=-1),
        files=files,
        old_range="oldmin" in fields or "oldmax" in fields,
        raw=raw,
        keys=keys,
    )


def _lines(source: ByteSource) -> tuple[dict[str, str], dict[str, str], tuple[str, ...], bytes]:
    """Fields and keys by name, the lines about data files, and the header byte for byte."""
    size = 1 << 12
    while True:
        head = source.peek(size)
        end = _blank_line(head)
        if end is not None or len(head) < size:
            break
        if size >= MAX_HEADER:
            raise _broken(source.name, "it has no end")
        size *= 4
    taken = len(head) if end is None else end
    lines = head[:taken].decode("utf-8", errors="replace").splitlines()[1:]
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for number, line in enumerate(lines):
        if not line or line.startswith("#"):
            continue
        key, is_key, text = line.partition(":=")
        field, is_field, value = line.partition(":")
        if is_key and len(key) <= len(field):
            keys[key] = text
            continue
        if not is_field:
            raise _broken(source.name, f"line {number + 2} says nothing")
        field = field.replace(" ", "").lower()
        fields[field] = value.strip()
        if field == _DETACHED and value.strip().upper().startswith("LIST"):
            fields[field] = ""
            files = tuple(line.strip() for line in lines[number + 1 :] if line.strip())
            return fields, keys, files, source.take(taken)
    files = (fields[_DETACHED],) if _DETACHED in fields else ()
    return fields, keys, files, source.take(taken)


def _blank_line(head: bytes) -> int | None:
    """Where the header ends: behind its first empty line."""
    ends = [place + len(mark) for mark in (b"\n\n", b"\n\r\n") if (place := head.find(mark)) >= 0]
    return min(ends, default=None)


def _shape(fields: dict[str, str], name: str) -> tuple[int, ...]:
    try:
        axes = int(_needed(fields, "dimension", name))
        sizes = tuple(int(word) for word in _needed(fields, "sizes", name).split())
    except ValueError:
        raise _broken(name, "its dimensions are no whole numbers") from None
    if not 1 <= axes <= MAX_AXES or len(sizes) != axes:
        raise _broken(name, f"it has {axes} axes and {len(sizes)} sizes")
    require_possible(sizes, name=name)
    return sizes


def _dtype(fields: dict[str, str], name: str, *, text: bool) -> np.dtype[np.generic]:
    kind = " ".join(_needed(fields, "type", name).lower().split())
    if kind == "block":
        raise UnusableInput(
            f"{name} holds blocks of bytes, not the grey values of a scan.",
            hint="Export the scan again with integers or floats.",
        )
    if kind not in _TYPE_OF:
        raise _broken(name, f"its type {kind[:20]!r} is none of NRRD's")
    dtype = np.dtype(_TYPE_OF[kind])
    if dtype.itemsize == 1 or text:
        return dtype
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower())
    if order is None:
        raise _broken(name, "it does not say in which order its bytes are (endian)")
    return dtype.newbyteorder(order)  # type: ignore[arg-type]  # "<" or ">"


def _directions(
    fields: dict[str, str], shape: tuple[int, ...], name: str
) -> tuple[FloatArray | None, ...] | None:
    if "spacedirections" not in fields:
        return None
    words = _VECTOR.findall(fields["spacedirections"])
    if len(words) != len(shape):
        raise _broken(name, f"it has {len(shape)} axes and {len(words)} space directions")
    found = tuple(None if word.lower() == "none" else _vector(word, name) for word in words)
    vectors = [vector for vector in found if vector is not None]
    if len({len(vector) for vector in vectors}) > 1:
        raise _broken(name, "its space directions have different lengths")
    # Some writers give an axis without direction as a vector of NaN.
    return tuple(v if v is not None and np.all(np.isfinite(v)) else None for v in found)


def _vector(text: str, name: str) -> FloatArray:
    try:
        return np.array([float(part) for part in text.strip().strip("()").split(",")])
    except ValueError:
        raise _broken(name, "a vector holds something else than numbers") from None


def _numbers(text: str, name: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split())
    except ValueError:
        raise _broken(name, "a list holds something else than numbers") from None


def _count(fields: dict[str, str], field: str, name: str, *, least: int) -> int:
    try:
        value = int(fields.get(field, "0") or "0")
    except ValueError:
        value = least - 1
    if value < least:
        raise _broken(name, f"{fields[field][:20]!r} is no number that can stand there")
    return value


def _needed(fields: dict[str, str], field: str, name: str) -> str:
    if not fields.get(field):
        raise _broken(name, f"it has no field {field!r}")
    return fields[field]


def _broken(name: str, why: str) -> ReadError:
    return ReadError(f"{name} has a damaged NRRD header: {why}.", hint=AGAIN)
