"""How the numbers of a report of change were made, and with what."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.report import rounding
from leuko.report.change_values import ChangeValues
from leuko.report.document import Entry, Method, Reference
from leuko.report.wording import Wording

__all__ = ["methods", "provenance", "references"]

CITED = (
    ("halfway", "10.1016/j.neuroimage.2012.02.084"),
    ("change", "10.1007/s12021-016-9301-1"),
)


def methods(values: ChangeValues, words: Wording) -> Iterator[Method]:
    """A paragraph for each thing that was done."""
    agreement = values.comparison.space.quality.agreement
    limits = values.comparison.repeatability
    definition = words(f"definition.{values.provenance.get('definition', 'vascular')}")
    texts = {
        "space": words(
            "methods.space",
            agreement=words("unknown") if agreement is None else f"{agreement:.0%}",
        ),
        "lesions": words("methods.lesions", definition=definition),
        "change": words("methods.change"),
        "limits": words(
            "methods.limits",
            resolution=limits.resolution.value,
            percent=f"{limits.percent:g}",
            limit=rounding.millilitres(values.smallest_change_ml),
            lesion_mm3=f"{limits.lesion_mm3:g}",
            lesion_percent=f"{100 * limits.lesion_share:g}",
        ),
    }
    for name, text in texts.items():
        yield Method(words(f"methods.{name}.title"), text)


def references(words: Wording) -> Iterator[Reference]:
    """What was published about it, in the order of the numbers in the text."""
    for number, (name, doi) in enumerate(CITED, start=1):
        yield Reference(number, words(f"reference.{name}"), doi)


def provenance(values: ChangeValues, words: Wording) -> Iterator[Entry]:
    """Program, weights, the visits and how they lie to each other."""
    made = values.provenance
    space = values.comparison.space
    agreement = space.quality.agreement
    for name, value in (
        ("version", f"leuko {made.get('version', '')}"),
        ("weights", made.get("weights_name", "")),
        ("definition", words(f"definition.{made.get('definition', 'vascular')}")),
        ("time", made.get("time", "")),
        ("baseline", values.visits[0].name),
        ("followup", values.visits[-1].name),
        (
            "registration",
            words(
                "provenance.registration.value",
                angle=f"{space.transform.angle_degrees:.1f}",
                agreement=words("unknown") if agreement is None else f"{agreement:.0%}",
            ),
        ),
    ):
        if value:
            yield Entry(words(f"provenance.{name}"), value)
