"""Every parameter of the main job, in one frozen value."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

__all__ = ["SegmentConfig"]

Share = Annotated[float, Meta(ge=0, le=1)]
LogOdds = Annotated[float, Meta(ge=0, le=20)]
Millimetres = Annotated[float, Meta(ge=0, le=1000)]
Years = Annotated[float, Meta(ge=0, le=130)]
CubicMillimetres = Annotated[float, Meta(ge=0, le=1e6)]


class SegmentConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a scan is segmented. None stands for the value on the model's card.

    The card's values were chosen with the weights and differ between the two definitions;
    `leuko segment` writes the values that were used into stats.json.
    """

    definition: Literal["vascular", "ms"] = "vascular"
    """What counts: `vascular` = lesions and periventricular caps and rims, `ms` = lesions alone."""

    threshold: Share | None = None
    """Probability from which a voxel belongs to the mask."""

    refine: bool = True
    """Redraw the edges of lesions at half of their brightness, on the native voxels."""

    refine_support: Share | None = None
    """Probability from which a voxel may seed or hold a refined lesion."""

    refine_evidence: LogOdds | None = None
    """What the step from the brightness of brain to that of lesions adds to a voxel's log-odds."""

    refine_level: Share | None = None
    """Where the edge lies between the brightness of brain (0) and of the lesions (1)."""

    refine_summit: Share | None = None
    """Which quantile of the lesions' brightness is theirs: .5 the median, .9 the bright core."""

    refine_deviations: LogOdds | None = None
    """How many robust standard deviations of white matter the edge lies above it at least."""

    refine_reach_mm: Millimetres | None = None
    """How far in mm the refined edge may lie from the network's own lesion."""

    confine: bool = True
    """Keep the mask within white matter grown by `confine_margin_mm`."""

    confine_margin_mm: Millimetres | None = None
    """The margin in mm by which white matter is grown for `confine`."""

    min_lesion_mm3: CubicMillimetres | None = None
    """Lesions smaller than this are removed."""

    min_lesion_peak: Share | None = None
    """Lesions that reach this probability nowhere are removed."""

    fill_holes_mm3: CubicMillimetres = 10.0
    """Holes in a slice up to this size are filled, unless darker than white matter; 0: none."""

    engine: str = "auto"
    """What runs the network: `auto`, `openvino` or `torch`."""

    precision: Literal["auto", "f32", "bf16"] = "auto"
    """`f32` everywhere, `bf16` where the processor computes it fast; `auto` chooses."""

    policy: Literal["strict", "default", "lenient"] = "default"
    """Which findings stop the run: any warning, refusals only, or none."""

    report: bool = True
    """Write report.html, report.pdf and preview.png."""

    language: Literal["en", "de"] = "en"
    """The language of the report."""

    viewer: bool = True
    """Put the scan with its mask into report.html, to look through."""

    patient_page: bool = False
    """Write a page in plain words for the patient, for_patient.html."""

    probability: bool = False
    """Write the probability map, probability.nii.gz."""

    regions_map: bool = False
    """Write the lesions by region, regions.nii.gz."""

    surface: bool = False
    """Write the lesions as surfaces, wmh.glb and wmh.stl."""

    fill: bool = False
    """Write the scan with its lesions filled, flair_filled.nii.gz, and a given T1 likewise."""

    t1_space: bool = False
    """Write the mask on the grid of the T1, wmh_in_t1.nii.gz, after a rigid registration."""

    lobes: bool = False
    """Lay the head on the MNI template and give volume and count by lobe; so do the next three."""

    mni: bool = False
    """Write the mask in MNI space, and the transform."""

    atlases: tuple[str, ...] = ()
    """Files of atlases in MNI space: volume, count and affected share of each of their regions."""

    atlas_labels: tuple[str, ...] = ()
    """Tables with the names of their regions, in the same order."""

    atlas_maps: bool = False
    """Write each atlas on the scan's grid."""

    age: Years | Literal["dicom"] | None = None
    """Give the place of the volume among people of this age; `dicom`: as the DICOM header says."""

    sex: Literal["male", "female"] | None = None
    """For that place; None: the range that holds for both."""

    norms: str | None = None
    """A file of published norms to take it from."""

    dicom: bool = True
    """Of a scan that came as DICOM: write DICOM objects of its study, too."""

    anatomy_seg: bool = False
    """Among them the anatomy, as a segmentation with a segment for each tissue and side."""

    fractional_seg: bool = False
    """Among them the probabilities, as a fractional segmentation."""

    patient: bool = False
    """Say in stats.json and in the report of whom a DICOM scan is, and of which study."""
