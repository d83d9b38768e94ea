"""Which axes of an NRRD file are space, and where its voxels lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.nrrd_header import NrrdHeader
from leuko.formats.placement import placed, spaced
from leuko.formats.stored import AGAIN, require_possible
from leuko.image.grid import Grid

__all__ = ["Axes", "nrrd_axes", "nrrd_grid", "nrrd_seconds"]

# Signs that turn a space into right-anterior-superior. `-time` spaces have a fourth component.
_SPACES = {
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}  # fmt: skip
_TIMED = {"rast", "last", "lpst"}  # short for the same with time
_NOT_BODY = {"scanner-xyz": 3, "3d-right-handed": 3, "3d-left-handed": 3}
_SPACE_KINDS = {"domain", "space"}
_COLOURS = {"rgb-color": 3, "rgba-color": 4}
_MILLIMETRES = {
    "mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "m": 1e3, "meter": 1e3, "metre": 1e3,
    "cm": 10.0, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "microns": 1e-3,
    "micrometer": 1e-3, "nm": 1e-6,
}  # fmt: skip
_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3,
            "us": 1e-6, "": 1.0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Axes:
    """The order in which the file's axes become ours: three of space, then the others.

    `space` are the file's numbers of the former (fewer than three for a slice or line), `meaning`
    says what the values along the latter are: volumes, rgb, rgba, complex or vectors.
    """

    space: tuple[int, ...]
    others: tuple[int, ...]
    meaning: str

    @property
    def order(self) -> tuple[int, ...]:
        """All axes of the file in our order."""
        return (*self.space, *self.others)


def nrrd_axes(header: NrrdHeader, *, name: str) -> Axes:
    """Tell space from the rest: by direction, else by kind, else by order.

    Raises UnusableInput (exit 4) where more than three axes claim to be space.
    """
    count = len(header.shape)
    kinds = header.kinds if len(header.kinds) == count else ("",) * count
    if header.directions is not None:
        vectors = header.directions
        space = [a for a, v in enumerate(vectors) if v is not None and np.any(v[:3] != 0)]
    elif any(kind in _SPACE_KINDS for kind in kinds):
        space = [axis for axis, kind in enumerate(kinds) if kind in _SPACE_KINDS]
        if len(space) == 4:  # nothing tells the fourth from time
            space = space[:3]
    else:
        space = [axis for axis in range(count) if kinds[axis] in ("", "none", "???")][:3]
    others = [axis for axis in range(count) if axis not in space]
    if len(space) > 3 or not space:
        raise UnusableInput(
            f"{name} has {len(space)} axes of space, where three are needed.",
            hint="Export the scan again as a 3D image.",
        )
    found = Axes(tuple(space), tuple(others), _meaning([kinds[axis] for axis in others]))
    sizes = [header.shape[axis] for axis in space]
    rest = [header.shape[axis] for axis in others]
    require_possible([*sizes, *[1] * (3 - len(sizes)), *rest], name=name)
    return found


def _meaning(kinds: list[str]) -> str:
    for kind in kinds:
        if kind in _COLOURS:
            return kind.removesuffix("-color")
        if kind == "complex":
            return "complex"
        if kind not in ("", "list", "time", "none", "???", "domain", "space", "stub", "scalar"):
            return "vectors"
    return "volumes"


@np.errstate(over="ignore", invalid="ignore")  # `placed` refuses what is not finite
def nrrd_grid(header: NrrdHeader, axes: Axes, *, name: str) -> tuple[Grid, list[Finding]]:
    """The grid (RAS mm) of the axes of space, and what is to be said about it.

    Without directions or a space of the body, spacing is all that is known.
    """
    sizes = [header.shape[axis] for axis in axes.space]
    shape = (*sizes, 1, 1, 1)[:3]
    space, timed = header.space.removesuffix("-time"), header.space.endswith("-time")
    if space in _TIMED:
        space, timed = space[:3], True
    if header.directions is None:
        return spaced((shape[0], shape[1], shape[2]), _spacings(header, axes)), []
    vectors = [header.directions[axis] for axis in axes.space]
    columns = np.array([v for v in vectors if v is not None]).T
    wanted = header.space_dimension or (4 if timed else 3)
    if columns.shape[0] != wanted:
        raise ReadError(
            f"{name} has a damaged NRRD header: its space has {wanted} dimensions, "
            f"its directions have {columns.shape[0]}.",
            hint=AGAIN,
        )
    findings: list[Finding] = []
    scale = _millimetres(header, columns.shape[0], findings)
    columns = (columns * scale[:, None])[:3]
    if space in _SPACES and columns.shape == (3, 3):
        origin, known = np.zeros(3), header.origin is not None and len(header.origin) >= 3
        if known:
            origin = np.asarray(header.origin)[:3] * scale[:3]
        else:
            findings.append(
                Finding(
                    "nrrd.origin_missing",
                    Severity.WARNING,
                    "The header says how the scan is turned, but not where it lies (space "
                    "origin); its first voxel was put at 0.",
                    "Do not overlay it on other scans before you have compared the two.",
                )
            )
        signs = np.array(_SPACES[space], dtype=np.float64)
        grid = placed(
            (shape[0], shape[1], shape[2]),
            columns=columns * signs[:, None],
            origin=origin * signs,
            name=name,
        )
        return grid, findings
    if space and space not in _SPACES and space not in _NOT_BODY:
        findings.append(
            Finding(
                "nrrd.space_unknown",
                Severity.WARNING,
                "The header names a space that NRRD does not define; only the voxel size is used.",
            )
        )
    lengths = [*np.linalg.norm(columns, axis=0), np.nan, np.nan][:3]
    return spaced((shape[0], shape[1], shape[2]), lengths), findings


def nrrd_seconds(header: NrrdHeader, axes: Axes) -> float | None:
    """The time between volumes, where the header tells it."""
    if len(axes.others) != 1 or axes.meaning != "volumes":
        return None
    axis = axes.others[0]
    step, unit = float("nan"), ""
    if header.directions is not None and header.directions[axis] is not None:
        vector = header.directions[axis]
        assert vector is not None
        step = float(vector[3]) if len(vector) == 4 else step
        unit = header.space_units[3] if len(header.space_units) == 4 else ""
    elif header.spacings is not None and len(header.spacings) == len(header.shape):
        kind = header.kinds[axis] if len(header.kinds) == len(header.shape) else ""
        unit = header.units[axis] if len(header.units) == len(header.shape) else ""
        step = header.spacings[axis] if unit or kind == "time" else step
    scale = _SECONDS.get(unit.lower())
    if scale is None or not (np.isfinite(step) and step > 0):
        return None
    return step * scale


def _spacings(header: NrrdHeader, axes: Axes) -> list[float]:
    """Lengths in mm along the axes of space, NaN where the header says none."""
    if header.spacings is None or len(header.spacings) != len(header.shape):
        return [np.nan] * 3
    lengths = []
    for axis in axes.space:
        unit = header.units[axis] if len(header.units) == len(header.shape) else ""
        lengths.append(header.spacings[axis] * _MILLIMETRES.get(unit.lower(), 1.0))
    return [*lengths, np.nan, np.nan][:3]


def _millimetres(
    header: NrrdHeader, dimensions: int, findings: list[Finding]
) -> npt.NDArray[np.float64]:
    """Millimetres in the units of each dimension of space."""
    scale = np.ones(dimensions)
    if len(header.space_units) != dimensions:
        return scale
    for place, unit in enumerate(header.space_units[:3]):
        word = unit.strip().lower()
        if word and word not in _MILLIMETRES:
            findings.append(
                Finding(
                    "nrrd.units_unknown",
                    Severity.WARNING,
                    "The header names a unit of length that leuko does not know; "
                    "millimetres are assumed.",
                    "Check the voxel size: every volume depends on it.",
                )
            )
        scale[place] = _MILLIMETRES.get(word, 1.0)
    if np.any(scale != 1.0):
        findings.append(
            Finding(
                "nrrd.units_converted",
                Severity.NOTE,
                "The header does not measure in millimetres; lengths are converted to mm.",
            )
        )
    return scale
