"""Values of several components: volumes stay, colours become brightness, complex numbers size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leuko.findings import Finding, Severity
from leuko.formats.voxels import Voxels, real_values

__all__ = ["Part", "combined", "luminance", "magnitude"]

_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
_SLAB = 1 << 22  # values turned at once: no copies as large as the image


@dataclass(frozen=True, slots=True)
class Part:
    """Stored values, their components along the last axis, and what these are.

    `meaning` is volumes, rgb, rgba, complex (real, imaginary) or vectors.
    """

    data: Voxels
    meaning: str


def combined(part: Part, *, format: str) -> tuple[Voxels, tuple[Finding, ...]]:
    """Real values with volumes along a fourth axis, none where there is one; and findings.

    `format` begins the findings' codes.
    """
    data, meaning = part.data, part.meaning
    if meaning in ("rgb", "rgba") and data.shape[-1] in (3, 4):
        return luminance(data, format=format)
    if meaning == "complex" and data.shape[-1] == 2:
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.hypot(data[..., 0].astype(np.float32), data[..., 1].astype(np.float32))
        return magnitude(size, format=format)
    findings: tuple[Finding, ...] = ()
    if meaning == "vectors":
        findings = (
            Finding(
                f"{format}.vectors",
                Severity.WARNING,
                f"The file holds vectors or matrices of {data.shape[-1]} components, "
                "which are read as volumes.",
                "Give the scan that it was made from.",
            ),
        )
    if data.shape[-1] == 1:
        data = data[..., 0]
    values, found = real_values(data)
    return values, (*findings, *found)


def luminance(colours: Voxels, *, format: str) -> tuple[Voxels, tuple[Finding, ...]]:
    """Brightness (ITU-R BT.601), float32, of red, green, blue (and alpha) along the last axis."""
    shape = colours.shape[:-1]
    flat = colours.reshape(-1, colours.shape[-1], order="F")
    values = np.empty(len(flat), dtype=np.float32)
    for start in range(0, len(flat), _SLAB):
        part = flat[start : start + _SLAB, :3].astype(np.float32)
        values[start : start + _SLAB] = part @ _WEIGHTS
    data, findings = real_values(values.reshape(shape, order="F"))
    colour = Finding(
        f"{format}.colour",
        Severity.REFUSAL,
        "The file holds colours, not the grey values of a scan; their brightness was taken.",
        "Give the scan itself, saved with 16-bit integers or 32-bit floats.",
    )
    return data, (colour, *findings)


def magnitude(size: Voxels, *, format: str) -> tuple[Voxels, tuple[Finding, ...]]:
    """Sizes of complex numbers as real values, with the finding that says so."""
    data, findings = real_values(size)
    said = Finding(
        f"{format}.complex",
        Severity.WARNING,
        "The file holds complex numbers; their magnitude was taken.",
        "For the phase, or the real or imaginary part, export it as an image of its own.",
    )
    return data, (said, *findings)
