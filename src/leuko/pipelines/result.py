"""What the main job gives back."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.findings import Finding
from leuko.image.image import Image
from leuko.pipelines.provenance import Provenance
from leuko.progress import Step
from leuko.quantify.atlas import AtlasNumbers
from leuko.quantify.burden import Burden
from leuko.quantify.lesions import LesionTable
from leuko.quantify.lobes import LobeNumbers
from leuko.quantify.norms import NormPlace
from leuko.quantify.regions import RegionNumbers
from leuko.quantify.scales import Scales
from leuko.quantify.template import TemplateNumbers
from leuko.quantify.uncertainty import VolumeInterval

__all__ = ["Result"]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A mask, its numbers and how they came about; images lie on the input's grid, file axes."""

    mask: Image  # uint8, 1 = white matter hyperintensity
    lesions: Image  # int32, a value for each 26-connected lesion, 1 = largest
    anatomy: Image | None  # uint8, tissues by side; None where the network gave none
    probability: Image | None  # float32 0..1; None for a given mask
    table: LesionTable
    burden: Burden
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    provenance: Provenance
    regions: RegionNumbers | None = None  # None without anatomy
    interval: VolumeInterval | None = None  # of the volume; None for a mask that was given
    scales: Scales | None = None
    norm: NormPlace | None = None  # only where an age was given
    lobes: LobeNumbers | None = None  # this and the next two only where they were asked for
    template: TemplateNumbers | None = None
    atlases: tuple[AtlasNumbers, ...] = ()
