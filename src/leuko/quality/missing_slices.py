"""Slices without a signal between slices that show the head."""

from __future__ import annotations

from collections.abc import Sequence

from leuko.findings import Finding, Severity

__all__ = ["missing_slices_checks"]


def missing_slices_checks(planes: Sequence[int], *, of: int) -> tuple[Finding, ...]:
    """A warning where `planes` of a scan `of` so many slices are empty."""
    if not planes:
        return ()
    return (
        Finding(
            "scan.missing_slices",
            Severity.WARNING,
            f"Empty slices amid slices that show the head: {len(planes)} of {of}.",
            "Nothing in them is counted. Look for these slices where the scan was exported.",
        ),
    )
