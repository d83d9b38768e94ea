"""How the numbers of a report of change were made, what they mean, and with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leuko.report.change_values import ChangeValues
from leuko.report.document import Entry, Method, Reference
from leuko.report.provenance import file_name, geometry, recorded, time_of
from leuko.report.sections import Definition
from leuko.report.wording import Wording

__all__ = ["meanings", "methods", "provenance", "references"]

# The numbers in brackets of the methods text follow this order.
CITED = (
    ("halfway", "10.1016/j.neuroimage.2012.02.084"),
    ("change", "10.1007/s12021-016-9301-1"),
)
MEANT = (
    "lesion", "volume", "growth", "regression", "change", "net", "year", "limit", "classes",
    "unseen", "repeatability", "columns",
)  # fmt: skip


def methods(values: ChangeValues, words: Wording) -> Iterator[Method]:
    """A paragraph for each thing that was done."""
    fields = {
        "space": {"agreement": _agreement(values, words)},
        "lesions": {"definition": words(f"definition.{values.definition}")},
        "change": {},
        "limits": _limits(values, words),
    }
    for name, filled in fields.items():
        yield Method(words(f"methods.{name}.title"), words(f"methods.{name}", **filled))


def meanings(values: ChangeValues, words: Wording) -> Iterator[Definition]:
    """Names and definitions of what the report shows, in its order."""
    for name in MEANT:
        if name != "year" or values.years is not None:
            text = words(f"means.{name}.text", **_limits(values, words))
            yield Definition(words(f"means.{name}"), text)


def references(words: Wording) -> Iterator[Reference]:
    """What was published about it, in the order of the numbers in the text."""
    for number, (name, doi) in enumerate(CITED, start=1):
        yield Reference(number, words(f"reference.{name}"), doi)


def provenance(values: ChangeValues, *, names: Sequence[str], words: Wording) -> Iterator[Entry]:
    """Program, the visits under their `names`, how they lie, weights, every parameter."""
    made = values.provenance
    yield Entry(words("provenance.version"), f"leuko {made.get('version', '')}".strip())
    yield Entry(words("provenance.time"), time_of(made.get("time", ""), words))
    yield Entry(words("provenance.definition"), words(f"definition.{values.definition}"))
    for visit, name in zip(values.visits, names, strict=True):
        value = words(
            "provenance.visit.value",
            file=file_name(visit.name),
            day=words("provenance.no_day") if visit.day is None else visit.day.isoformat(),
            voxels=geometry(visit.image.grid, words),
        )
        yield Entry(words("provenance.visit", visit=name), value)
        if visit.sha256:
            yield Entry(words("provenance.visit.sha256", visit=name), visit.sha256)
    turned = values.comparison.space.transform.angle_degrees
    yield Entry(
        words("provenance.registration"),
        words(
            "provenance.registration.value",
            angle=words.numerals.fixed(turned, 1),
            agreement=_agreement(values, words),
        ),
    )
    said = {words(f"provenance.{name}") for name in ("version", "time", "definition")}
    yield from recorded(made, words=words, said=said)


def _agreement(values: ChangeValues, words: Wording) -> str:
    agreement = values.comparison.space.quality.agreement
    return words("unknown") if agreement is None else f"{100 * agreement:.0f} %"


def _limits(values: ChangeValues, words: Wording) -> dict[str, str]:
    """What repeated scans differ by, as texts."""
    limits, numerals = values.comparison.repeatability, words.numerals
    return {
        "resolution": words(f"resolution.{limits.resolution}"),
        "percent": numerals.general(limits.percent, 3),
        "net_limit": numerals.millilitres(values.smallest_net_change_ml),
        "limit": numerals.millilitres(values.smallest_lesion_change_ml),
        "lesion_mm3": numerals.general(limits.lesion_mm3, 3),
        "lesion_percent": numerals.general(100 * limits.lesion_share, 3),
    }
