"""Scales that are rated region by region: ARWMC-like and Scheltens-like."""

from __future__ import annotations

from leuko.quantify.scales_grades import Grade

__all__ = [
    "ARWMC_RULE",
    "SCHELTENS_DEEP_RULE",
    "SCHELTENS_PERIVENTRICULAR_RULE",
    "arwmc",
    "scheltens_deep",
    "scheltens_periventricular",
]

NO_LOBES = "The lobes were not asked for (--lobes)."
ARWMC_RULE = "ARWMC-like: five regions on each side, 0 to 3 each; the sum, 0 to 30."
SCHELTENS_PERIVENTRICULAR_RULE = (
    "Scheltens-like, periventricular: frontal caps, occipital caps and bands, 0 to 2 each."
)
SCHELTENS_DEEP_RULE = "Scheltens-like, deep white matter: four lobes, 0 to 6 each; the sum."


def arwmc() -> Grade:
    """The sum of ten regions."""
    return Grade("arwmc", None, 30, ARWMC_RULE, why_not=NO_LOBES)


def scheltens_periventricular() -> Grade:
    """The sum of caps and bands."""
    return Grade(
        "scheltens_periventricular", None, 6, SCHELTENS_PERIVENTRICULAR_RULE, why_not=NO_LOBES
    )


def scheltens_deep() -> Grade:
    """The sum of four lobes."""
    return Grade("scheltens_deep", None, 24, SCHELTENS_DEEP_RULE, why_not=NO_LOBES)
