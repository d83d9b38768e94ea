"""The page for a patient: one sheet of plain words with one picture, and no judgement."""

from __future__ import annotations

from markupsafe import Markup

from leuko.quantify.burden import Burden
from leuko.report.document import Document
from leuko.report.html import QUIET, asset, environment
from leuko.report.wording import wording

__all__ = ["patient_page"]

KINDS = ("vascular", "ms")
PICTURES = ("scan.", "result.", "t1.")  # findings about the pictures and what was seen in them


def patient_page(document: Document, *, burden: Burden, definition: str | None) -> str:
    """The page in the document's language, whole and without a script.

    It says what was looked for, what was seen, what that does not say, and whom to ask; it gives
    no grade and compares with nobody. `definition` as in `compose.document`.
    """
    words = wording(document.language)
    picture = next((one for one in document.pictures if one.name == "key"), None)
    kind = definition if definition in KINDS else "given"
    seen = [words("patient.seen.none")] if burden.lesion_count == 0 else []
    if burden.lesion_count:
        key = "one" if burden.lesion_count == 1 else "many"
        count = words.numerals.count(burden.lesion_count)
        seen.append(words(f"patient.seen.{key}", count=count))
        volume = words.numerals.short_millilitres(burden.volume_ml)
        share = ""
        if burden.white_matter_percent is not None:
            percent = words.numerals.percent(burden.white_matter_percent)
            share = words("patient.seen.share", percent=percent)
        seen.append(words("patient.seen.volume", volume=volume, share=share))
    if any(one.severity != "note" and one.code.startswith(PICTURES) for one in document.notices):
        seen.append(words("patient.seen.care"))
    name = "none" if burden.lesion_count == 0 else "some"
    return (
        environment()
        .get_template("patient.html")
        .render(
            d=document,
            t=words,
            style=Markup(asset("assets", "patient.css")),
            policy=Markup(QUIET),
            picture=picture,
            caption=words(f"patient.picture.{name}"),
            looked=words(f"patient.looked.{kind}"),
            seen=" ".join(seen),
            limits=[words(f"patient.limits.{number}") for number in range(1, 5)],
            questions=[words(f"patient.questions.{number}") for number in range(1, 5)],
        )
    )
