"""Reading MINC 1 and MINC 2: real values slice by slice, world coordinates of its own dimensions.

MINC's world is right, anterior, superior in mm, as ours. Source: the MINC reference manual.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.byte_source import ByteSource
from leuko.formats.components import luminance
from leuko.formats.geometry import grid_findings
from leuko.formats.minc_content import Dimension, MincContent, minc1_content, minc2_content
from leuko.formats.placement import placed
from leuko.formats.stored import AGAIN, require_possible
from leuko.formats.voxels import Voxels, real_values
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["read_minc1", "read_minc2"]

FloatArray = npt.NDArray[np.float64]
_WORLD = {"xspace": 0, "yspace": 1, "zspace": 2}
_TIME, _VECTOR = "time", "vector_dimension"
_MILLIMETRES = {"": 1.0, "mm": 1.0, "m": 1e3, "cm": 10.0, "um": 1e-3}
_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3}


def read_minc1(source: ByteSource) -> Image:
    """The image in `source`, recognised as netCDF; time stands last.

    Raises ReadError (exit 3) for what is broken, UnusableInput (exit 4) for what is no regular
    image of space.
    """
    return _image(source, minc1_content(source), "minc1")


def read_minc2(source: ByteSource) -> Image:
    """The image in `source`, recognised as HDF5; time stands last. Raises as `read_minc1`."""
    return _image(source, minc2_content(source), "minc2")


def _image(source: ByteSource, content: MincContent, format: str) -> Image:
    name = source.name
    order, space = _order(content.dimensions, name)
    grid, findings = _grid([content.dimensions[axis] for axis in space], name)
    values, more = _real(content, name)
    moved = values.transpose(order)
    extra = [content.dimensions[axis] for axis in order[len(space) :]]
    require_possible((*grid.shape, *(d.length for d in extra)), name=name)
    if any(dimension.name == _VECTOR for dimension in extra):
        colours = moved.reshape((*grid.shape, -1))
        if colours.shape[-1] != 3:
            raise _refused(name, f"{colours.shape[-1]} components for each voxel")
        data, more = luminance(colours, format="minc")
    else:
        volumes = math.prod(d.length for d in extra)
        data = moved.reshape(grid.shape if volumes == 1 else (*grid.shape, volumes))
    digest = source.digest.hexdigest()
    return Image(
        data,
        grid,
        Source(name, format, digest),
        (*findings, *grid_findings(grid), *more),
        _seconds(extra) if data.ndim == 4 else None,
    )


def _order(dimensions: tuple[Dimension, ...], name: str) -> tuple[tuple[int, ...], list[int]]:
    """The file's dimensions in our order: space, the fastest first, then the rest."""
    names = [dimension.name for dimension in dimensions]
    unknown = [n for n in names if n not in _WORLD and n not in (_TIME, _VECTOR)]
    if unknown or len(set(names)) != len(names):
        raise _refused(name, f"dimensions that are not those of a scan ({', '.join(names)[:60]})")
    space = [axis for axis in reversed(range(len(names))) if names[axis] in _WORLD]
    if len(space) != 3:
        raise _refused(name, f"{len(space)} axes of space, where three are needed")
    rest = [axis for axis in reversed(range(len(names))) if names[axis] not in _WORLD]
    if len(rest) > 1:
        raise _refused(name, f"{len(names)} dimensions")
    return (*space, *rest), space


@np.errstate(over="ignore", invalid="ignore")  # `placed` refuses what is not finite
def _grid(space: list[Dimension], name: str) -> tuple[Grid, list[Finding]]:
    """Origin is the sum of starts along the direction cosines; a step may be negative."""
    cosines, steps, starts = np.eye(3), np.ones(3), np.zeros(3)
    for axis, dimension in enumerate(space):
        if not dimension.regular:
            raise _refused(name, f"irregular spacing along {dimension.name}")
        scale = _MILLIMETRES.get(dimension.units, 1.0)
        direction = np.zeros(3)
        direction[_WORLD[dimension.name]] = 1.0
        if dimension.cosines is not None and len(dimension.cosines) == 3:
            direction = np.array(dimension.cosines)
            length = float(np.linalg.norm(direction))
            direction = direction / length if length > 0 else direction
        cosines[:, axis] = direction
        steps[axis] = scale * (1.0 if dimension.step is None else dimension.step)
        starts[axis] = scale * (0.0 if dimension.start is None else dimension.start)
    shape = (space[0].length, space[1].length, space[2].length)
    grid = placed(shape, columns=cosines * steps, origin=cosines @ starts, name=name)
    return grid, _missing(space)


def _missing(space: list[Dimension]) -> list[Finding]:
    findings = []
    if any(dimension.step is None for dimension in space):
        findings.append(
            Finding(
                "minc.step_missing",
                Severity.REFUSAL,
                "The file does not give the voxel size (step); 1 mm is assumed, as MINC does.",
                "Export the scan again, or set it with: minc_modify_header (MINC tools).",
            )
        )
    if any(dimension.start is None for dimension in space):
        findings.append(
            Finding(
                "minc.start_missing",
                Severity.WARNING,
                "The file does not say where the scan begins (start); 0 is assumed, as MINC does.",
            )
        )
    return findings


def _real(content: MincContent, name: str) -> tuple[Voxels, tuple[Finding, ...]]:
    """Real values: a slice has a range, of which its stored numbers are the places."""
    stored, low, high = content.stored, content.lowest, content.highest
    if stored.dtype.kind == "f":
        return real_values(stored)
    if stored.dtype.kind not in "iu":
        raise _refused(name, f"values of type {stored.dtype}")
    limits = np.iinfo(stored.dtype.str)
    bottom, top = content.valid or (float(limits.min), float(limits.max))
    if bottom < limits.min or top > limits.max or bottom >= top:
        raise ReadError(
            f"{name} is a damaged MINC file: its valid range, {bottom:.0f} to {top:.0f}, does not "
            "fit the type of its numbers.",
            hint="It was probably converted by nii2mnc with -short: convert it again with -float.",
        )
    if low is None or high is None:
        said = Finding(
            "minc.range_missing",
            Severity.WARNING,
            "The file does not say which values its stored numbers stand for; these are used.",
        )
        values, found = real_values(stored)
        return values, (said, *found)
    if low.shape != high.shape or not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        raise ReadError(
            f"{name} is a damaged MINC file: its slices have no range of values.", hint=AGAIN
        )
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is counted below
        slope = (high - low) / (top - bottom)
        inter = low - bottom * slope
    if np.all(slope == 1.0) and np.all(inter == 0.0):
        return real_values(stored)  # numbers that mean themselves, as labels do
    slope, inter = _spread(slope, content, name), _spread(inter, content, name)
    values = np.empty(stored.shape, dtype=np.float32)
    for index in range(len(stored)):
        here = np.clip(stored[index].astype(np.float64), bottom, top)
        with np.errstate(over="ignore", invalid="ignore"):
            values[index] = here * slope[index % len(slope)] + inter[index % len(inter)]
    data, found = real_values(values)
    return data, (
        Finding("minc.scaled", Severity.NOTE, "Values are scaled slice by slice."),
        *found,
    )


def _spread(values: FloatArray, content: MincContent, name: str) -> FloatArray:
    """An array over some of the image's dimensions as one that broadcasts over all of them."""
    names = [dimension.name for dimension in content.dimensions]
    used = [names.index(n) for n in content.ranged if n in names]
    sizes = [content.dimensions[axis].length for axis in used]
    if len(used) != len(content.ranged) or used != sorted(used) or list(values.shape) != sizes:
        raise ReadError(
            f"{name} is a damaged MINC file: the ranges of its slices do not fit its dimensions.",
            hint=AGAIN,
        )
    shape = [1] * len(names)
    for axis, size in zip(used, sizes, strict=True):
        shape[axis] = size
    return values.reshape(shape)


def _seconds(extra: list[Dimension]) -> float | None:
    if len(extra) != 1 or not extra[0].regular or not extra[0].step:
        return None
    scale = _SECONDS.get(extra[0].units)
    return abs(extra[0].step) * scale if scale else None


def _refused(name: str, why: str) -> UnusableInput:
    return UnusableInput(
        f"{name} has {why}.",
        hint="Convert it to a regular 3D image first, for example with mincresample.",
    )
