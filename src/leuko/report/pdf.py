"""The report as a PDF on A4: the same content as the page, laid out with reportlab."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from leuko.report import pdf_blocks as blocks
from leuko.report.document import Document
from leuko.report.palette import ACCENT, FAINT, LINE, MUTED
from leuko.report.typefaces import BOLD, REGULAR, drawable, register
from leuko.report.wording import Wording, wording

if TYPE_CHECKING:
    from leuko.report.change_document import ChangeDocument

__all__ = ["TEXT_WIDTH", "laid_out", "pdf"]

SIDE, TOP, BOTTOM = 15 * mm, 25 * mm, 16 * mm
RUN = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d) UTC")  # as provenance.time_of writes it
TEXT_WIDTH = A4[0] - 2 * SIDE  # points


def pdf(document: Document) -> bytes:
    """The report as a PDF file; equal documents give equal bytes.

    The typeface is embedded. Letters that it lacks are written as escapes.
    """
    register()
    words = wording(document.language)
    return laid_out(blocks.story(document, width=TEXT_WIDTH, words=words), document, words=words)


def laid_out(
    story: Sequence[Flowable], document: Document | ChangeDocument, *, words: Wording
) -> bytes:
    """Blocks of `TEXT_WIDTH` on pages with head and foot, which say what `document` is."""
    stream = io.BytesIO()
    width, height = A4
    template = BaseDocTemplate(
        stream,
        pagesize=A4,
        title=document.title,
        subject=document.subject,
        author="leuko",
        creator=f"leuko {document.version}".strip(),
        lang=document.language,
        initialFontName=REGULAR,
        invariant=1,
        pageCompression=1,
    )
    frame = Frame(SIDE, BOTTOM, width - 2 * SIDE, height - TOP - BOTTOM, 0, 0, 0, 0, showBoundary=0)
    template.addPageTemplates(PageTemplate(id="page", frames=[frame]))
    template.build(list(story), canvasmaker=_canvas_maker(document, words))
    return stream.getvalue()


def _canvas_maker(document: Document | ChangeDocument, words: Wording) -> type[Any]:
    """A canvas that writes head and foot on every page once their number is known."""

    class Pages(Canvas):  # type: ignore[misc]  # reportlab has no types
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            _date(self, document.created)
            self._finished: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  # reportlab's name
            self._finished.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._finished, start=1):
                self.__dict__.update(state)
                _frame_page(self, document, words, number=number, pages=len(self._finished))
                super().showPage()
            super().save()

    return Pages


def _date(canvas: Any, created: str) -> None:
    """Date the file by its run, unless SOURCE_DATE_EPOCH names another time.

    Without a time of the run it keeps reportlab's fixed one: equal documents are equal files.
    """
    found = RUN.fullmatch(created)
    if found and not os.environ.get("SOURCE_DATE_EPOCH"):
        canvas._doc._timeStamp.YMDhms = (*(int(part) for part in found.groups()), 0)


def _frame_page(
    canvas: Any,
    document: Document | ChangeDocument,
    words: Wording,
    *,
    number: int,
    pages: int,
) -> None:
    width, height = A4
    top, right = height - 13 * mm, width - SIDE
    _write(canvas, SIDE, top, document.title, font=BOLD, size=9, colour=ACCENT)
    subject = "   ".join(filter(None, (document.subject, document.created)))
    _write(canvas, SIDE, top - 11, _fitted(subject, 330), size=7.6, colour=MUTED)
    _write(canvas, right, top, document.research_use, size=7.2, colour=MUTED, end=True)
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(1.2)
    canvas.line(SIDE, top - 18, right, top - 18)
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.6)
    canvas.line(SIDE, 12.5 * mm, right, 12.5 * mm)
    name = f"{words('title.product')} {document.version}".strip()
    _write(canvas, SIDE, 9 * mm, name, size=7, colour=FAINT)
    text = words("page", page=number, pages=pages)
    _write(canvas, right, 9 * mm, text, size=7, colour=FAINT, end=True)


def _write(
    canvas: Any,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    colour: str,
    font: str = REGULAR,
    end: bool = False,
) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    (canvas.drawRightString if end else canvas.drawString)(x, y, drawable(text))


def _fitted(text: str, width: float) -> str:
    """The text, cut in its middle where it is too long for one line."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    text = drawable(text)
    if stringWidth(text, REGULAR, 7.6) <= width:
        return text
    half = len(text) // 2
    while half > 8 and stringWidth(f"{text[:half]}…{text[-half:]}", REGULAR, 7.6) > width:
        half -= 2
    return f"{text[:half]}…{text[-half:]}"
