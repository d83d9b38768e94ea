"""The methods text and its references."""

from __future__ import annotations

from leuko.quantify.uncertainty import VolumeInterval
from leuko.report.document import Method, Reference
from leuko.report.readings import Readings
from leuko.report.wording import Wording

__all__ = ["methods", "references"]

# The numbers in brackets of the methods text follow this order.
REFERENCES = (
    ("strive", "10.1016/S1474-4422(13)70124-8"),
    ("strive2", "10.1016/S1474-4422(23)00131-X"),
    ("challenge", "10.1109/TMI.2019.2905770"),
    ("unet", "10.1007/978-3-319-24574-4_28"),
    ("synthseg", "10.1016/j.media.2023.102789"),
)

FURTHER = {
    "regions": (
        ("griffanti", "10.1016/j.neuroimage.2017.03.024"),
        ("decarli", "10.1161/01.STR.0000150668.58689.f2"),
        ("thompson", "10.1016/S1474-4422(17)30470-2"),
    ),
    "scales": (
        ("fazekas", "10.2214/ajr.149.2.351"),
        ("scheltens", "10.1016/0022-510X(93)90041-V"),
        ("wahlund", "10.1161/01.STR.32.6.1318"),
        ("staals", "10.1212/WNL.0000000000000837"),
        ("joo", "10.1371/journal.pone.0274562"),
    ),
    "lobes": (("fonov", "10.1016/j.neuroimage.2010.07.033"),),
    "norm": (("norm", ""),),
}


def methods(
    definition: str | None,
    *,
    voxel_mm3: float,
    words: Wording,
    with_t1: bool = False,
    refined: bool = False,
    interval: VolumeInterval | None = None,
    known: Readings | None = None,
) -> tuple[Method, ...]:
    """What was measured, how the mask came about, how it is counted, how sure it is.

    `definition` is 'vascular' or 'ms'; None for a mask that was given. `with_t1` says that the
    network saw a T1, too, `refined` that edges were drawn anew; `known` is what was measured beyond
    the burden and its `interval`.
    """
    what = f"methods.what.{definition or 'given'}"
    how = words("methods.how" if definition else "methods.how.given")
    if definition and with_t1:
        how = f"{how} {words('methods.how.t1')}"
    if definition and refined:
        how = f"{how} {words('methods.how.edge')}"
    sure = words("methods.sure")
    if interval is not None:
        where = words("section.definitions")
        sure = f"{sure} {words('methods.sure.interval', where=where)}"
    counting = (
        words("methods.count.volume", voxel=words.numerals.general(voxel_mm3, 4)),
        words("methods.count.lesion"),
        words("methods.count.sides"),
        words("methods.count.shares"),
        words("methods.count.index"),
    )
    numbers = {name: number for number, (name, _) in enumerate(_cited(definition, known), start=1)}
    more = (
        Method(words(f"methods.{part}.title"), words(f"methods.{part}", **numbers))
        for part in _parts(known)
    )
    return (
        Method(words("methods.what.title"), words(what)),
        Method(words("methods.how.title"), how),
        Method(words("methods.count.title"), " ".join(counting)),
        *more,
        Method(words("methods.sure.title"), sure),
    )


def references(
    definition: str | None, *, words: Wording, known: Readings | None = None
) -> tuple[Reference, ...]:
    """The references that the methods text cites, under the numbers it uses."""
    source = known.norm.table.source if known and known.norm else ""
    return tuple(
        Reference(number, words.known(f"reference.{name}", source), doi)
        for number, (name, doi) in enumerate(_cited(definition, known), start=1)
    )


def _parts(known: Readings | None) -> tuple[str, ...]:
    """Which paragraphs follow from what was measured."""
    if known is None:
        return ()
    graded = known.scales is not None and not known.scales.why_not
    asked = (
        ("regions", known.regions),
        ("scales", graded),
        ("norm", known.norm),
        ("lobes", known.lobes),
    )
    return tuple(name for name, there in asked if there)


def _cited(definition: str | None, known: Readings | None) -> list[tuple[str, str]]:
    base = REFERENCES if definition else REFERENCES[:3]
    return [*base, *(pair for part in _parts(known) for pair in FURTHER[part])]
