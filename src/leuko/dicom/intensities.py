"""From stored numbers to values: each slice by its own slope and intercept (PS3.3 C.7.6.16.2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leuko.dicom.elements import PIXELS
from leuko.dicom.frame import Frame
from leuko.dicom.pixels import Array, stored_type
from leuko.dicom.study import Stack
from leuko.errors import UsageError
from leuko.findings import Finding, Severity
from leuko.formats.voxels import real_values

__all__ = ["Scaling", "by_real_world", "finished", "place", "scaling_of"]


@dataclass(frozen=True, slots=True)
class Scaling:
    """The type of the values, and whether stored numbers are the values already."""

    kind: np.dtype[Any]
    plain: bool


def by_real_world(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """The frames with slope and intercept of their real-world value maps. Raises UsageError."""
    if any(frame.real_world is None for frame in frames):
        raise UsageError(
            "The series has no linear real-world value map.",
            hint="Read it with the standard's rescale slope and intercept.",
        )
    return tuple(
        frame._replace(slope=frame.real_world[0], inter=frame.real_world[1])
        for frame in frames
        if frame.real_world
    )


def scaling_of(frames: Sequence[Frame]) -> Scaling:
    """Integers where every slope is 1 and every intercept whole; else float32."""
    scales = {(frame.slope, frame.inter) for frame in frames}
    instances = {id(frame.instance): frame.instance for frame in frames}.values()
    kinds = {stored_type(instance) for instance in instances}
    kind = np.result_type(*kinds)
    if kind.kind == "f":
        return Scaling(np.dtype(np.float32), plain=scales == {(1.0, 0.0)})
    if scales == {(1.0, 0.0)}:
        return Scaling(kind, plain=True)
    if all(slope == 1.0 and inter == int(inter) for slope, inter in scales):
        ranges = [_range(frame) for frame in frames]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        for name in ("i2", "u2", "i4"):
            limits = np.iinfo(name)
            if limits.min <= low and high <= limits.max:
                return Scaling(np.dtype(name), plain=False)
    return Scaling(np.dtype(np.float32), plain=False)


def _range(frame: Frame) -> tuple[float, float]:
    bits = frame.instance.stored
    low, high = (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        if frame.instance.signed
        else (0, (1 << bits) - 1)
    )
    return low + frame.inter, high + frame.inter


def place(
    planes: Sequence[Array] | Array, places: Sequence[tuple[int, Frame]], target: Array
) -> None:
    """Write planes where they belong, rescaled each by its own slope and intercept."""
    scales = {(frame.slope, frame.inter) for _, frame in places}
    first, last = places[0][0], places[-1][0]
    whole = isinstance(planes, np.ndarray) and len(scales) == 1
    if whole and [where for where, _ in places] == list(range(first, last + 1)):
        _rescale(np.asarray(planes), scales.pop(), target[first : last + 1])
        return
    for plane, (where, frame) in zip(planes, places, strict=True):
        _rescale(plane, (frame.slope, frame.inter), target[where])


def _rescale(stored: Array, scale: tuple[float, float], out: Array) -> None:
    """Fill `out` with slope * stored + intercept, in the type that it has."""
    slope, inter = scale
    if slope == 1.0 and inter == 0.0:
        out[...] = stored
    elif out.dtype.kind in "iu":
        np.add(stored, int(inter), out=out, dtype=np.int64, casting="unsafe")
    elif stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
        np.multiply(stored, np.float32(slope), out=out, dtype=np.float32)
        if inter:
            out += np.float32(inter)
    else:
        out[...] = stored.astype(np.float64) * slope + inter


def finished(values: Array, stack: Stack) -> tuple[Array, tuple[Finding, ...]]:
    """Values after what concerns the image as a whole: padding, MONOCHROME1, what is no number."""
    findings: list[Finding] = []
    if values.dtype.kind == "f":
        values, found = real_values(values)
        findings += found
    if values.dtype == np.int32 and values.size:
        low, high = int(values.min()), int(values.max())
        if low >= -(1 << 15) and high < 1 << 15:
            values = values.astype(np.int16)
    _pad(values, stack, findings)
    if stack.instance.photometric == "MONOCHROME1":
        low, high = values.min(), values.max()
        values = np.subtract(np.add(low, high, dtype=np.float64), values).astype(values.dtype)
        findings.append(
            Finding(
                "dicom.inverted",
                Severity.WARNING,
                "The file shows large numbers dark (MONOCHROME1); values were turned over, so "
                "that bright is large.",
            )
        )
    return values, tuple(findings)


def _pad(values: Array, stack: Stack, findings: list[Finding]) -> None:
    """Padding (pixels without a measurement) brighter than the image becomes its minimum."""
    instance, frame = stack.instance, stack.first
    if not instance.padding or instance.pixels[0] in PIXELS[:2]:
        return
    low, high = min(instance.padding), max(instance.padding)
    scaled = sorted((low * frame.slope + frame.inter, high * frame.slope + frame.inter))
    if scaled[1] <= float(values.min()):
        return
    one_scale = len({(part.slope, part.inter) for part in stack.frames}) == 1
    inside = (values >= scaled[0]) & (values <= scaled[1])
    count = int(np.count_nonzero(inside))
    if not one_scale or not count or count == values.size:
        return
    least = values[~inside].min()
    if scaled[1] <= float(least):
        return
    values[inside] = least
    findings.append(
        Finding(
            "dicom.padding",
            Severity.NOTE,
            f"{count} pixels hold no measurement (padding); they were set to the least value.",
        )
    )
