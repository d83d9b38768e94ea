"""What every number of stats.json is, and its unit."""

from __future__ import annotations

from types import MappingProxyType

from msgspec import Struct

from leuko.pipelines.template_record import TEMPLATE_DEFINITIONS

__all__ = ["DEFINITIONS", "Definition"]


class Definition(Struct, frozen=True, forbid_unknown_fields=True):
    """The unit of a number and how it is defined."""

    unit: str
    definition: str


DEFINITIONS = MappingProxyType(
    {
        name: Definition(unit, text)
        for name, unit, text in (
            ("volume_ml", "ml", "voxels of the mask times the volume of a voxel"),
            ("volume_mm3", "mm3", "voxels of the mask times the volume of a voxel"),
            ("volume_voxels", "voxels", "voxels of the mask"),
            (
                "volume_interval",
                "ml",
                "range that holds the volume an expert would draw, in the share `level` of scans "
                "of other scanners; null for a mask that was given or made with other parameters, "
                "and for weights whose errors nobody measured",
            ),
            ("lesion_count", "lesions", "components of voxels that touch by face, edge or corner"),
            ("lesion_count_6_connected", "lesions", "components of voxels that touch by face"),
            (
                "size_classes",
                "lesions; share 0..1; ml",
                "small: below 10 mm3, medium: 10 to below 100 mm3, large: 100 mm3 and more; "
                "share is of the lesion count",
            ),
            (
                "left_ml",
                "ml",
                "volume left of the mid-sagittal plane of this brain, beyond 1.5 mm",
            ),
            (
                "right_ml",
                "ml",
                "volume right of the mid-sagittal plane of this brain, beyond 1.5 mm",
            ),
            ("midline_ml", "ml", "volume within 1.5 mm of the mid-sagittal plane of this brain"),
            (
                "white_matter_percent",
                "%",
                "volume in percent of cerebral white matter, the mask counted in",
            ),
            ("brain_percent", "%", "volume in percent of the brain"),
            ("icv_percent", "%", "volume in percent of the intracranial volume"),
            (
                "most_affected_slice",
                "index; mm; voxels; ml",
                "the slice with most voxels of the mask: index from 0 along slice_axis of the "
                "file, position of its centre in RAS mm",
            ),
            ("slice_axis", "array axis", "axis of the file, from 0, along which slices lie"),
            ("largest_lesion_mm3", "mm3", "volume of the largest lesion"),
            ("regions_ml", "ml", "volume of the lesions of each region; a lesion has one region"),
            (
                "regions",
                "ml; lesions; mm",
                "periventricular and deep, juxtacortical, infratentorial and the regions of the "
                "McDonald criteria, each by the rule beside it, and volume by distance to the "
                "lateral ventricles",
            ),
            ("white_matter_ml", "ml", "cerebral white matter, the mask counted in"),
            ("brain_ml", "ml", "grey and white matter, cerebellum and brainstem"),
            ("ventricles_ml", "ml", "ventricles with choroid plexus"),
            ("icv_ml", "ml", "brain and all cerebrospinal fluid"),
            (
                "scales",
                "grade",
                "visual rating scales, estimated by the rule that each one names",
            ),
            (
                "norm",
                "percentile",
                "range of percentiles of the volume among people of the given age, as far as the "
                "named source publishes it; null without an age",
            ),
            *((name, *told) for name, told in TEMPLATE_DEFINITIONS.items()),
            ("steps", "s", "time of each step, in order, with its parameters and effects"),
        )
    }
)
