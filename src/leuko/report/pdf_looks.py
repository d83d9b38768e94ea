"""How the texts of the PDF look, and the style of a table without any padding."""

from __future__ import annotations

from reportlab.lib.enums import TA_RIGHT

from leuko.report.palette import INK, MUTED
from leuko.report.pdf_pieces import looks
from leuko.report.typefaces import REGULAR

__all__ = ["BODY", "LEAD", "MORE", "NOTE", "PAD_NONE", "RIGHT", "SMALL", "TITLE"]

LEAD = looks(11.5, INK, lead=1.4)
MORE = looks(8.6, MUTED, spaceBefore=3)
TITLE = looks(8, INK)
BODY = looks(7.6, INK, lead=1.45)
RIGHT = looks(7.6, INK, alignment=TA_RIGHT)
NOTE = looks(7, MUTED)
SMALL = looks(6.4, MUTED, lead=1.25)

PAD_NONE = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("FONTNAME", (0, 0), (-1, -1), REGULAR),  # even an empty cell sets its font
]
