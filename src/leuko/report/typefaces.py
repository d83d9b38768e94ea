"""The typeface of PDF and charts: Bitstream Vera, which reportlab brings and allows to embed."""

from __future__ import annotations

from functools import cache, lru_cache

__all__ = ["BOLD", "REGULAR", "drawable", "register"]

REGULAR = "Vera"
BOLD = "VeraBd"
MOST_WORDS = 10_000  # whose width is remembered


@cache
def register() -> None:
    """Make both weights known to reportlab (its registry is global; doing it twice is harmless)."""
    from reportlab.lib.fonts import addMapping
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    class Remembered(TTFont):  # type: ignore[misc]  # reportlab has no types
        """It remembers how wide words are: laying them out asks several times for each."""

        @lru_cache(MOST_WORDS)  # noqa: B019  # a typeface lasts as long as the process
        def stringWidth(self, text: str, size: float, encoding: str = "utf8") -> float:  # noqa: N802
            return float(super().stringWidth(text, size, encoding))

    for name in (REGULAR, BOLD):
        registerFont(Remembered(name, f"{name}.ttf"))
    for italic in (0, 1):
        addMapping(REGULAR, 0, italic, REGULAR)
        addMapping(REGULAR, 1, italic, BOLD)


def drawable(text: str) -> str:
    """The text with letters that the typeface lacks written as backslash escapes."""
    from reportlab.pdfbase.pdfmetrics import getFont

    if text.isascii() and text.isprintable():
        return text
    register()
    held = getFont(REGULAR).face.charToGlyph
    return "".join(
        letter if ord(letter) in held else letter.encode("ascii", "backslashreplace").decode()
        for letter in text
    )
