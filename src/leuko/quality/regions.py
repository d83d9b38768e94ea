"""Can it be said where the lesions lie?"""

from __future__ import annotations

from leuko.findings import Finding, Severity
from leuko.quantify.regions import RegionNumbers

__all__ = ["region_checks"]


def region_checks(regions: RegionNumbers | None) -> tuple[Finding, ...]:
    """A note where lesions have no region for want of ventricles; none without any anatomy."""
    if regions is None or regions.distances is not None or not regions.supratentorial.total.lesions:
        return ()
    return (
        Finding(
            "result.no_ventricles",
            Severity.NOTE,
            "No lateral ventricles were found: what is periventricular or deep is not known.",
            "A scan of part of the head cannot show it; of a whole head, look at anatomy.nii.gz.",
        ),
    )
