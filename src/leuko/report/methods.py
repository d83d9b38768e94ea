"""The methods text and its references."""

from __future__ import annotations

from leuko.report.document import Method, Reference
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


def methods(
    definition: str | None, *, voxel_mm3: float, words: Wording, with_t1: bool = False
) -> tuple[Method, ...]:
    """What was measured, how the mask came about, how it is counted, how sure it is.

    `definition` is 'vascular' or 'ms'; None for a mask that was given. `with_t1` says that the
    network saw a T1, too.
    """
    what = f"methods.what.{definition or 'given'}"
    how = words("methods.how" if definition else "methods.how.given")
    if definition and with_t1:
        how = f"{how} {words('methods.how.t1')}"
    counting = (
        words("methods.count.volume", voxel=words.numerals.general(voxel_mm3, 4)),
        words("methods.count.lesion"),
        words("methods.count.sides"),
        words("methods.count.shares"),
        words("methods.count.index"),
    )
    return (
        Method(words("methods.what.title"), words(what)),
        Method(words("methods.how.title"), how),
        Method(words("methods.count.title"), " ".join(counting)),
        Method(words("methods.sure.title"), words("methods.sure")),
    )


def references(definition: str | None, *, words: Wording) -> tuple[Reference, ...]:
    """The references that the methods text cites, under the numbers it uses."""
    cited = REFERENCES if definition else REFERENCES[:3]
    return tuple(
        Reference(number, words(f"reference.{name}"), doi)
        for number, (name, doi) in enumerate(cited, start=1)
    )
