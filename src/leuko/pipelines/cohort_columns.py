"""The columns of cohort.tsv: what the table says of a finished scan, in words and units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from types import MappingProxyType

from leuko.pipelines.statistics import Statistics
from leuko.pipelines.statistics_definitions import DEFINITIONS

__all__ = ["COLUMNS", "CohortColumn", "Value"]

Value = float | int | str | None
RULES = {
    "continuity": "whole lesions that share a face with the lateral ventricles",
    "voxel_10mm": "voxels within 10 mm of the lateral ventricles",
    "cluster_2mm": "whole lesions within 2 mm of the lateral ventricles",
    "touching": "whole lesions that meet them after one voxel of dilation",
}
CORTEX = {
    "cortex_3mm": ("juxtacortical_ml", "come within 3 mm of the cortex"),
    "touching": ("juxtacortical_touching_ml", "meet the cortex after one voxel of dilation"),
}
GRADES = {
    "fazekas_periventricular": "Fazekas, periventricular",
    "fazekas_deep": "Fazekas, deep",
    "fazekas_total": "Fazekas, sum of both",
    "by_volume": "Fazekas by volume, a check",
    "csvd_point": "small vessel disease score, point for white matter",
    "arwmc": "ARWMC-like",
    "scheltens_periventricular": "Scheltens-like, periventricular",
    "scheltens_deep": "Scheltens-like, deep",
}
LOBES = (
    "frontal", "parietal", "temporal", "occipital", "insular", "basal_ganglia", "infratentorial",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CohortColumn:
    """A column: how its value is taken from a stats.json, its unit (may be empty), what it is."""

    value: Callable[[Statistics], Value]
    unit: str
    definition: str


def _stated(name: str) -> CohortColumn:
    """A number of stats.json under its own name and definition."""
    told = DEFINITIONS[name]
    return CohortColumn(lambda s: getattr(s, name), told.unit, _sentence(told.definition))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _interval() -> Iterator[tuple[str, CohortColumn]]:
    about = _sentence(DEFINITIONS["volume_interval"].definition)
    yield (
        "volume_low_ml",
        CohortColumn(
            lambda s: s.volume_interval.low_ml if s.volume_interval else None,
            "ml",
            f"Lower end of the interval of the volume. {about}",
        ),
    )
    yield (
        "volume_high_ml",
        CohortColumn(
            lambda s: s.volume_interval.high_ml if s.volume_interval else None,
            "ml",
            f"Upper end of the interval of the volume. {about}",
        ),
    )


def _sizes() -> Iterator[tuple[str, CohortColumn]]:
    for name, limits in (
        ("small", "below 10 mm3"),
        ("medium", "from 10 to below 100 mm3"),
        ("large", "of 100 mm3 and more"),
    ):
        yield (
            f"{name}_count",
            CohortColumn(
                lambda s, name=name: getattr(s.size_classes, name).count,  # type: ignore[misc]
                "lesions",
                f"Number of lesions {limits}.",
            ),
        )


def _regions() -> Iterator[tuple[str, CohortColumn]]:
    for name, where in (
        ("periventricular", "within 2 mm of the lateral ventricles"),
        ("deep", "elsewhere above the tentorium"),
        ("infratentorial", "mostly in or within 3 mm of brainstem or cerebellum"),
    ):
        yield (
            f"{name}_ml",
            CohortColumn(
                lambda s, name=name: s.regions_ml.get(name),  # type: ignore[misc]
                "ml",
                f"Volume of {name} lesions, {where}; a lesion has one region as a whole.",
            ),
        )


def _rules() -> Iterator[tuple[str, CohortColumn]]:
    for rule, text in RULES.items():

        def around(found: Statistics, rule: str = rule) -> Value:
            record = found.regions.periventricular.get(rule) if found.regions else None
            known = record.periventricular if record else None
            return known.volume_ml if known else None

        about = f"Periventricular volume by the rule {rule}: {text}."
        yield f"periventricular_{rule}_ml", CohortColumn(around, "ml", about)
    for rule, (name, text) in CORTEX.items():

        def near(found: Statistics, rule: str = rule) -> Value:
            record = found.regions.juxtacortical.get(rule) if found.regions else None
            known = record.juxtacortical if record else None
            return known.volume_ml if known else None

        about = f"Volume of lesions that {text}, whole; they count in their other regions, too."
        yield name, CohortColumn(near, "ml", about)


def _grades() -> Iterator[tuple[str, CohortColumn]]:
    for name, text in GRADES.items():
        yield (
            "fazekas_by_volume" if name == "by_volume" else name,
            CohortColumn(
                lambda s, name=name: getattr(s.scales, name).grade if s.scales else None,  # type: ignore[misc]
                "grade",
                f"{text}: an estimate by the rule that stats.json states, not a reader's grade.",
            ),
        )


def _lobes() -> Iterator[tuple[str, CohortColumn]]:
    for lobe in LOBES:
        for side in ("left", "right"):

            def share(found: Statistics, lobe: str = lobe, side: str = side) -> Value:
                record = found.lobes.get(lobe) if found.lobes else None
                return getattr(record, side).volume_ml if record else None

            words = lobe.replace("_", " ")
            about = f"Volume in the lobe {words} on the {side}, by voxel; n/a without --lobes."
            yield f"lobe_{lobe}_{side}_ml", CohortColumn(share, "ml", about)


def _made_by() -> Iterator[tuple[str, CohortColumn]]:
    yield (
        "definition",
        CohortColumn(
            lambda s: _word(s.provenance.parameters.get("definition")),
            "",
            "What counts: vascular (with periventricular caps and rims) or ms (lesions alone).",
        ),
    )
    for column, name, text in (
        ("leuko_version", "version", "Version of leuko that made the result."),
        ("weights_name", "weights_name", "Name of the network's weights."),
        ("weights_version", "weights_version", "Version of the weights."),
        ("weights_sha256", "weights_sha256", "SHA-256 of the file of the weights."),
        ("engine", "engine", "What ran the network."),
        ("precision", "precision", "Number format of the network."),
        ("input_sha256", "input_sha256", "SHA-256 of the file of the scan."),
    ):
        yield (
            column,
            CohortColumn(
                lambda s, name=name: _word(getattr(s.provenance, name)),  # type: ignore[misc]
                "",
                text,
            ),
        )


def _word(value: object) -> str | None:
    """A text once in memory, however many scans share it."""
    return None if value is None else intern(str(value))


def _norm(end: str) -> CohortColumn:
    return CohortColumn(
        lambda s: getattr(s.norm, f"percentile_{end}") if s.norm else None,
        "percentile",
        f"{'Lower' if end == 'low' else 'Upper'} end of the range of percentiles of the volume "
        "among people of that age; n/a without an age.",
    )


MNI = CohortColumn(
    lambda s: s.template.volume_ml if s.template else None,
    "ml",
    "Volume for a head of the MNI template's size; n/a without --lobes, --mni or --atlas.",
)

COLUMNS: Mapping[str, CohortColumn] = MappingProxyType(
    {
        "volume_ml": _stated("volume_ml"),
        **dict(_interval()),
        "volume_mm3": _stated("volume_mm3"),
        "volume_voxels": _stated("volume_voxels"),
        "lesion_count": _stated("lesion_count"),
        **dict(_sizes()),
        "left_ml": _stated("left_ml"),
        "right_ml": _stated("right_ml"),
        "midline_ml": _stated("midline_ml"),
        "white_matter_percent": _stated("white_matter_percent"),
        "brain_percent": _stated("brain_percent"),
        "icv_percent": _stated("icv_percent"),
        "largest_lesion_mm3": _stated("largest_lesion_mm3"),
        **dict(_regions()),
        "white_matter_ml": _stated("white_matter_ml"),
        "brain_ml": _stated("brain_ml"),
        "ventricles_ml": _stated("ventricles_ml"),
        "icv_ml": _stated("icv_ml"),
        **dict(_rules()),
        **dict(_grades()),
        "norm_percentile_low": _norm("low"),
        "norm_percentile_high": _norm("high"),
        "mni_volume_ml": MNI,
        **dict(_lobes()),
        **dict(_made_by()),
    }
)
"""What the table says of a finished case, by name, in its order."""
