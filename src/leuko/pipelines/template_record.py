"""What stats.json says of lobes, of atlases and of the place on the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

from leuko.quantify.atlas import AtlasNumbers
from leuko.quantify.lobes import LobeNumbers, LobeShare
from leuko.quantify.template import TemplateNumbers

__all__ = [
    "TEMPLATE_DEFINITIONS",
    "AtlasRecord",
    "LobeRecord",
    "TemplateRecord",
    "atlas_records",
    "lobe_records",
    "template_record",
]


class LobeShareRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Lesions of a lobe on one side."""

    volume_ml: float
    lesion_count: int
    white_matter_percent: float | None


class LobeRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Lesions of a lobe."""

    left: LobeShareRecord
    right: LobeShareRecord


class AtlasRegionRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Lesions of a region of an atlas."""

    value: int
    name: str
    region_ml: float
    volume_ml: float
    lesion_count: int
    percent: float | None


class AtlasRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Lesions by region of an atlas, and the volume in none of them."""

    sha256: str
    regions: list[AtlasRegionRecord]
    outside_ml: float


class TemplateRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """How well the head fits the template (Dice), its size, and the mask in a head of that size."""

    space: str
    brain_overlap: float
    white_matter_overlap: float
    ventricles_overlap: float
    head_scale: float
    volume_ml: float


TEMPLATE_DEFINITIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "template": (
            "Dice; ratio; ml",
            "place in MNI space: overlaps of the head with the template, volume of the head to "
            "that of the template, and the mask's volume in a head of the template's size",
        ),
        "lobes": (
            "ml; lesions; %",
            "lesions by lobe and side, by planes on the template (docs/atlas.md); a lesion counts "
            "where most of it lies; percent of the lobe's white matter, the mask counted in",
        ),
        "atlases": (
            "ml; lesions; %",
            "lesions by the regions of atlases that were given, by name of the file; a lesion "
            "counts in the region that holds most of it, percent is of the region's volume",
        ),
    }
)


def lobe_records(lobes: LobeNumbers | None) -> dict[str, LobeRecord] | None:
    """By the name of the lobe; None where they were not measured."""
    if lobes is None:
        return None

    def share(one: LobeShare) -> LobeShareRecord:
        return LobeShareRecord(one.volume_ml, one.lesion_count, one.white_matter_percent)

    return {
        str(lobe): LobeRecord(share(lobes.left[lobe]), share(lobes.right[lobe]))
        for lobe in lobes.left
    }


def atlas_records(atlases: Iterable[AtlasNumbers]) -> dict[str, AtlasRecord] | None:
    """By the name of the atlas; None without any."""
    found = {
        one.name: AtlasRecord(
            one.sha256,
            [
                AtlasRegionRecord(
                    region.value,
                    region.name,
                    region.region_ml,
                    region.volume_ml,
                    region.lesion_count,
                    region.percent,
                )
                for region in one.regions
            ],
            one.outside_ml,
        )
        for one in atlases
    }
    return found or None


def template_record(template: TemplateNumbers | None) -> TemplateRecord | None:
    """None where the head was not laid on the template, or did not land."""
    if template is None:
        return None
    return TemplateRecord(
        template.space,
        template.brain_overlap,
        template.white_matter_overlap,
        template.ventricles_overlap,
        template.head_scale,
        template.volume_ml,
    )
