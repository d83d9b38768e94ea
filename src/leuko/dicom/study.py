"""What a folder holds: stacks (each one image), what was passed over, what was noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from leuko.dicom.frame import Frame, Instance
from leuko.findings import Finding

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Layout", "Skipped", "Stack", "Study"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is no image of the study, and why; `name` is its name without folders."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How the frames of a stack make an array: slices, volumes, and the affine (RAS, mm).

    `affine` maps (column, row, slice) to mm; None where the files do not say. `sized` tells
    whether the size of a pixel is known, `oriented` whether its place in the body is.
    """

    slices: int
    volumes: int
    affine: npt.NDArray[np.float64] | None
    sized: bool = True
    oriented: bool = True
    seconds: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """One image of a study, 3D or 4D: frames of one series with one geometry and one content.

    `frames` are sorted volume by volume, within a volume along the normal of the slices.
    `usable` says why the stack cannot be an image, and is empty where it can; `hint` what to do.
    `kind` is what it shows (magnitude, phase, field map, derived, localizer,
    secondary capture, ...).
    """

    key: str
    frames: tuple[Frame, ...]
    layout: Layout
    kind: str
    usable: str = ""
    hint: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def first(self) -> Frame:
        """The frame that speaks for all where they agree."""
        return self.frames[0]

    @property
    def instance(self) -> Instance:
        """The file of the first frame."""
        return self.frames[0].instance

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The files of the stack, in the order of their first frames."""
        return tuple({id(frame.instance): frame.instance for frame in self.frames}.values())

    @property
    def series_uid(self) -> str:
        """Series Instance UID."""
        return self.instance.series_uid

    @property
    def series_number(self) -> int:
        """Series Number; 0 where there is none."""
        return self.instance.series_number

    @property
    def description(self) -> str:
        """Series Description, or the protocol's name where it is empty."""
        return self.instance.description or self.instance.protocol

    @property
    def modality(self) -> str:
        """Modality, such as MR."""
        return self.instance.modality

    @property
    def shape(self) -> tuple[int, ...]:
        """Columns, rows, slices, and volumes where there are several."""
        shape = (self.first.columns, self.first.rows, self.layout.slices)
        return (*shape, self.layout.volumes) if self.layout.volumes > 1 else shape

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """Distance of voxels in mm along columns, rows and slices."""
        if self.layout.affine is None or not self.layout.sized:
            return None
        across, down, through = np.linalg.norm(self.layout.affine[:3, :3], axis=0)
        return float(across), float(down), float(through)

    def headers(self) -> list[Dataset]:
        """The data sets without pixels, one per file, sorted by slice, then volume.

        Raises ReadError where a file cannot be read any more.
        """
        from leuko.dicom.headers import read_headers

        return read_headers(self.frames, slices=self.layout.slices)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All stacks below a path, ordered by series number, and the files that are none."""

    stacks: tuple[Stack, ...]
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()
    name: str = ""

    @property
    def usable(self) -> tuple[Stack, ...]:
        """The stacks that can be read as images."""
        return tuple(stack for stack in self.stacks if not stack.usable)
