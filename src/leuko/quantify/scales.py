"""Visual rating scales, estimated by stated rules from the geometry of the lesions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from leuko.anatomy.periventricular import lateral_ventricles
from leuko.anatomy.regions import Region
from leuko.findings import Finding, Severity
from leuko.quantify.lesions import LesionTable
from leuko.quantify.scales_fazekas import (
    CSVD_RULE,
    DEEP_RULE,
    PERIVENTRICULAR_RULE,
    TOTAL_RULE,
    by_volume,
    csvd_point,
    fazekas_deep,
    fazekas_periventricular,
    fazekas_total,
)
from leuko.quantify.scales_geometry import lesion_geometry
from leuko.quantify.scales_grades import Grade, Measured, Scales
from leuko.quantify.scales_regional import (
    ARWMC_RULE,
    NO_LOBES,
    SCHELTENS_DEEP_RULE,
    SCHELTENS_PERIVENTRICULAR_RULE,
    Parts,
    arwmc,
    scheltens_deep,
    scheltens_periventricular,
)

__all__ = ["Grade", "Measured", "Parts", "Scales", "measure_scales", "scale_checks", "with_lobes"]

Triple = tuple[float, float, float]

NOT_VASCULAR = (
    "These scales are defined for white matter hyperintensities of presumed vascular origin, not "
    "for the lesions of multiple sclerosis."
)
NO_ANATOMY = "The ventricles were not found."


def measure_scales(
    labels: npt.NDArray[np.int32],
    *,
    table: LesionTable,
    ventricles: npt.NDArray[np.bool_] | None,
    spacing: Triple,
    across: int,
    volume_ml: float,
    vascular: bool = True,
    oriented: bool = True,
) -> Scales:
    """Fazekas, ARWMC-like and Scheltens-like grades and the small vessel disease point.

    Args:
        labels: lesions 1..n, 0 outside, canonical axes like all arrays here.
        table: what `measure_lesions` made of them; its infratentorial lesions count in no
            supratentorial grade.
        ventricles: as `anatomy.periventricular.lateral_ventricles` gives them; without any there is
            no grade.
        spacing: mm between voxels along each axis.
        across: canonical axis across slices: sizes are read in slices, as a reader does.
        volume_ml: volume of the mask.
        vascular: whether the mask shows hyperintensities of presumed vascular origin.
        oriented: whether the arrays' axes are those of the body.
    """
    if not vascular:
        return _none(NOT_VASCULAR)
    if ventricles is None or not ventricles.any():
        return _none(NO_ANATOMY)
    above = lesion_geometry(
        labels, ventricles=ventricles, spacing=spacing, across=across, left_out=_below(table)
    )
    periventricular, deep = fazekas_periventricular(above), fazekas_deep(above)
    return Scales(
        fazekas_periventricular=periventricular,
        fazekas_deep=deep,
        fazekas_total=fazekas_total(periventricular, deep),
        by_volume=by_volume(volume_ml),
        csvd_point=csvd_point(periventricular, deep),
        arwmc=Grade("arwmc", None, 30, ARWMC_RULE, why_not=NO_LOBES),
        scheltens_periventricular=scheltens_periventricular(
            above, ventricles=ventricles, oriented=oriented
        ),
        scheltens_deep=Grade("scheltens_deep", None, 24, SCHELTENS_DEEP_RULE, why_not=NO_LOBES),
    )


def with_lobes(
    scales: Scales,
    labels: npt.NDArray[np.int32],
    *,
    table: LesionTable,
    parts: Parts,
    spacing: Triple,
    across: int,
) -> Scales:
    """The scales with the grades that need lobes; arguments as of `measure_scales`."""
    if scales.why_not:
        return scales
    ventricles = lateral_ventricles(parts.anatomy, spacing=spacing)
    geometry = partial(
        lesion_geometry, labels, ventricles=ventricles, spacing=spacing, across=across
    )
    return replace(
        scales,
        arwmc=arwmc(geometry(), parts=parts),
        scheltens_deep=scheltens_deep(geometry(left_out=_below(table)), parts=parts),
    )


def _below(table: LesionTable) -> tuple[int, ...]:
    """The labels of infratentorial lesions."""
    return tuple(one.label for one in table if one.region == Region.INFRATENTORIAL)


def scale_checks(scales: Scales) -> tuple[Finding, ...]:
    """A note where the grades by shape and by volume lie two or more apart."""
    if not scales.disagree:
        return ()
    shape = f"{scales.fazekas_periventricular.grade} and {scales.fazekas_deep.grade}"
    return (
        Finding(
            "scales.disagree",
            Severity.NOTE,
            f"The Fazekas estimates by shape ({shape}) and by volume ({scales.by_volume.grade}) "
            "lie two grades or more apart.",
            "Look at the mask before quoting a grade.",
        ),
    )


def _none(why: str) -> Scales:
    """No grade at all, and why."""

    def missing(name: str, maximum: int, rule: str) -> Grade:
        return Grade(name, None, maximum, rule, why_not=why)

    return Scales(
        fazekas_periventricular=missing("fazekas_periventricular", 3, PERIVENTRICULAR_RULE),
        fazekas_deep=missing("fazekas_deep", 3, DEEP_RULE),
        fazekas_total=missing("fazekas_total", 6, TOTAL_RULE),
        by_volume=replace(by_volume(0.0), grade=None, measured=(), why_not=why),
        csvd_point=missing("csvd_point", 1, CSVD_RULE),
        arwmc=missing("arwmc", 30, ARWMC_RULE),
        scheltens_periventricular=missing(
            "scheltens_periventricular", 6, SCHELTENS_PERIVENTRICULAR_RULE
        ),
        scheltens_deep=missing("scheltens_deep", 24, SCHELTENS_DEEP_RULE),
        why_not=why,
    )
