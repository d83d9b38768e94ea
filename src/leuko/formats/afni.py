"""Reading AFNI: attributes as text in .HEAD, sub-bricks in .BRIK, positions as DICOM has them.

Source: README.attributes of AFNI.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.byte_source import ByteSource
from leuko.formats.companions import sibling
from leuko.formats.components import luminance, magnitude
from leuko.formats.geometry import grid_findings
from leuko.formats.placement import LPS_TO_RAS, placed
from leuko.formats.stored import AGAIN, read_stored, require_possible
from leuko.formats.voxels import Voxels, real_values
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["read_afni"]

MAX_HEADER = 1 << 24
_TYPES: dict[int, tuple[str, int]] = {
    0: ("u1", 1), 1: ("i2", 1), 2: ("i4", 1), 3: ("f4", 1), 4: ("f8", 1), 5: ("f4", 2),
    6: ("u1", 3),
}  # fmt: skip
_COMPLEX, _RGB = 5, 6
_ATTRIBUTE = re.compile(
    r"^\s*type\s*=\s*(\S+)-attribute\s*\n\s*name\s*=\s*(\S+)\s*\n\s*count\s*=\s*(\d+)[^\n]*\n",
    re.MULTILINE,
)
_MILLISECONDS, _SECONDS = 77001, 77002
_SCALES: dict[float, float] = {_MILLISECONDS: 1e-3, _SECONDS: 1.0}


def read_afni(source: ByteSource) -> Image:
    """The image whose header is `source`, recognised as AFNI's; sub-bricks stand last.

    Raises ReadError (exit 3) for what is broken or missing, UnusableInput (exit 4) for values
    that are no grey values.
    """
    name = source.name
    attributes = _attributes(source)
    sizes = _listed(attributes, "DATASET_DIMENSIONS", name, least=3)
    shape = (int(sizes[0]), int(sizes[1]), int(sizes[2]))
    bricks = int(_listed(attributes, "DATASET_RANK", name, least=2)[1])
    require_possible((*shape, bricks), name=name)
    kind = _kind(attributes, name)
    grid = _grid(attributes, shape, name)
    stored = _stored(source, attributes, math.prod(shape) * bricks, kind)
    data, findings = _values(stored, shape, bricks, kind, _factors(attributes, bricks, name))
    if _numbers(attributes, "SCENE_DATA")[:1] in ([1.0], [2.0]):
        findings = (*findings, _standard())
    return Image(
        data,
        grid,
        Source(name, "afni", source.digest.hexdigest()),
        (*grid_findings(grid), *findings),
        _time_step(attributes) if bricks > 1 else None,
    )


def _attributes(source: ByteSource) -> dict[str, Any]:
    """Every attribute by name: a list of numbers, or a text."""
    text = source.take(MAX_HEADER).decode("latin-1").replace("\r\n", "\n")
    found: dict[str, Any] = {}
    place = 0
    while match := _ATTRIBUTE.search(text, place):
        kind, key, count = match[1], match[2], int(match[3])
        place = match.end()
        if kind == "string":
            start = text.find("'", place)
            found[key] = text[start + 1 : start + 1 + count].rstrip("~")
            place = max(place, start + 1 + count if start >= 0 else place)
            continue
        following = text.find("type", place)
        words = text[place : following if following >= 0 else len(text)].split()[:count]
        try:
            found[key] = [float(word) for word in words]
        except ValueError:
            raise _broken(source.name, f"{key[:30]} holds something else than numbers") from None
    return found


def _listed(attributes: dict[str, Any], key: str, name: str, *, least: int) -> list[float]:
    value = _numbers(attributes, key)
    if len(value) < least or not all(abs(number) < 2.0**40 for number in value):
        raise _broken(name, f"{key} is missing")
    return value


def _numbers(attributes: dict[str, Any], key: str) -> list[float]:
    """An attribute that is a list of numbers; empty where there is none, or a text."""
    value = attributes.get(key)
    return value if isinstance(value, list) else []


def _kind(attributes: dict[str, Any], name: str) -> int:
    kinds = set(_numbers(attributes, "BRICK_TYPES") or [1.0])
    if len(kinds) > 1:
        raise UnusableInput(
            f"{name} stores its sub-bricks in different types.",
            hint="Convert it first: 3dcalc -a IN -expr a -datum float -prefix OUT (AFNI).",
        )
    kind = kinds.pop()
    if kind not in _TYPES:
        raise _broken(name, f"its type {kind:g} is none of AFNI's")
    return int(kind)


def _factors(attributes: dict[str, Any], bricks: int, name: str) -> list[float]:
    """A factor for each sub-brick; 0 means that nothing is scaled."""
    found = _numbers(attributes, "BRICK_FLOAT_FACS") or [0.0] * bricks
    if len(found) < bricks:
        raise _broken(name, "BRICK_FLOAT_FACS has too few factors")
    return [float(f) if math.isfinite(f) and f != 0 else 1.0 for f in found[:bricks]]


@np.errstate(over="ignore", invalid="ignore")  # `placed` refuses what is not finite
def _grid(attributes: dict[str, Any], shape: tuple[int, int, int], name: str) -> Grid:
    """From the real matrix (it may be oblique), else from orientation, origin and delta."""
    for key in ("IJK_TO_DICOM_REAL", "IJK_TO_DICOM"):
        if len(_numbers(attributes, key)) >= 12:
            rows = np.array(_numbers(attributes, key)[:12]).reshape(3, 4)
            break
    else:
        rows = np.zeros((3, 4))
        orient = _listed(attributes, "ORIENT_SPECIFIC", name, least=3)
        origin = _listed(attributes, "ORIGIN", name, least=3)
        delta = _listed(attributes, "DELTA", name, least=3)
        for axis in range(3):
            world = int(orient[axis]) // 2
            if not 0 <= world < 3:
                raise _broken(name, "ORIENT_SPECIFIC is none of AFNI's")
            rows[world, axis] = delta[axis]
            rows[world, 3] = origin[axis]
    return placed(
        shape, columns=LPS_TO_RAS @ rows[:, :3], origin=LPS_TO_RAS @ rows[:, 3], name=name
    )


def _stored(source: ByteSource, attributes: dict[str, Any], count: int, kind: int) -> Voxels:
    order = str(attributes.get("BYTEORDER_STRING", "LSB_FIRST")).upper()
    name, parts = _TYPES[kind]
    dtype = np.dtype(name).newbyteorder(">" if order.startswith("MSB") else "<")
    source.finish()
    with ByteSource(_brick(source.path), digest=source.digest) as voxels:
        values = read_stored(voxels, count=count * parts, dtype=dtype)
        voxels.finish()
    return values


def _brick(path: Path) -> Path:
    """The .BRIK file of a header; raises ReadError (exit 3) where there is none."""
    ends = ".HEAD.gz" if path.name.lower().endswith(".head.gz") else ".HEAD"
    found = sibling(path, ends=ends, others=(".BRIK", ".BRIK.gz", ".brik", ".brik.gz"))
    if found is None:
        stem = path.name[: -len(ends)] if path.name.lower().endswith(ends.lower()) else path.name
        raise ReadError(
            f"{path.name} is an AFNI header; its voxels, {stem}.BRIK, are missing.",
            hint=f"Put {stem}.BRIK (or {stem}.BRIK.gz) into the same folder.",
        )
    return found


def _values(
    stored: Voxels, shape: tuple[int, int, int], bricks: int, kind: int, factors: list[float]
) -> tuple[Voxels, tuple[Finding, ...]]:
    volumes = (*shape, bricks) if bricks > 1 else shape
    if kind in (_COMPLEX, _RGB):
        parts = _TYPES[kind][1]
        spread = np.moveaxis(stored.reshape((parts, *volumes), order="F"), 0, -1)
        if kind == _RGB:
            return luminance(spread, format="afni")
        with np.errstate(over="ignore", invalid="ignore"):
            return magnitude(np.hypot(spread[..., 0], spread[..., 1]), format="afni")
    if all(factor == 1.0 for factor in factors):
        data, findings = real_values(stored)
        return data.reshape(volumes, order="F"), findings
    said = Finding("afni.scaled", Severity.NOTE, "The stored values are scaled by the header.")
    scaled = np.empty(volumes, dtype=np.float32, order="F")
    flat = scaled.reshape((*shape, bricks), order="F")
    raw = stored.reshape((*shape, bricks), order="F")
    with np.errstate(over="ignore", invalid="ignore"):
        for number, factor in enumerate(factors):
            flat[..., number] = raw[..., number].astype(np.float64) * factor
    data, findings = real_values(scaled)
    return data, (said, *findings)


def _time_step(attributes: dict[str, Any]) -> float | None:
    numbers, reals = _numbers(attributes, "TAXIS_NUMS"), _numbers(attributes, "TAXIS_FLOATS")
    if len(numbers) < 3 or len(reals) < 2:
        return None
    scale = _SCALES.get(numbers[2])
    step = float(reals[1])
    return step * scale if scale and math.isfinite(step) and step > 0 else None


def _standard() -> Finding:
    return Finding(
        "afni.standard_space",
        Severity.NOTE,
        "The image was brought into a standard space (+acpc or +tlrc): it was resampled.",
    )


def _broken(name: str, why: str) -> ReadError:
    return ReadError(f"{name} has a damaged AFNI header: {why}.", hint=AGAIN)
