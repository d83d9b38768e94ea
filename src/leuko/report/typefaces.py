"""The typeface of PDF and charts: Bitstream Vera, which reportlab brings and allows to embed."""

from __future__ import annotations

from functools import cache

__all__ = ["BOLD", "REGULAR", "drawable", "register"]

REGULAR = "Vera"
BOLD = "VeraBd"


@cache
def register() -> None:
    """Make both weights known to reportlab (its registry is global; doing it twice is harmless)."""
    from reportlab.lib.fonts import addMapping
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (REGULAR, BOLD):
        registerFont(TTFont(name, f"{name}.ttf"))
    for italic in (0, 1):
        addMapping(REGULAR, 0, italic, REGULAR)
        addMapping(REGULAR, 1, italic, BOLD)


def drawable(text: str) -> str:
    """The text with letters that the typeface lacks written as backslash escapes."""
    from reportlab.pdfbase.pdfmetrics import getFont

    register()
    held = getFont(REGULAR).face.charToGlyph
    return "".join(
        letter if ord(letter) in held else letter.encode("ascii", "backslashreplace").decode()
        for letter in text
    )
