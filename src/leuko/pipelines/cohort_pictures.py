"""Small pictures of a cohort's cases for its page: few, so that the page stays small."""

from __future__ import annotations

import io

from leuko.pipelines.cohort_table import Outcome
from leuko.report.document import Picture

__all__ = ["MOST_PICTURES", "thumbnail"]

MOST_PICTURES = 12
WIDTH = 560  # pixels
HEAD_SHARE = 0.122  # of the preview's width: its numbers, which the page says itself
QUALITY = 80


def thumbnail(outcome: Outcome) -> Picture | None:
    """The slices of a case's preview.png, small; None where it has none."""
    if outcome.place is None or not outcome.place.preview.is_file():
        return None
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(outcome.place.preview) as opened:
            whole = opened.convert("RGB")
    except (OSError, UnidentifiedImageError):
        return None
    below = whole.crop((0, round(HEAD_SHARE * whole.width), whole.width, whole.height))
    size = (WIDTH, max(1, round(below.height * WIDTH / below.width)))
    stream = io.BytesIO()
    below.resize(size, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=QUALITY)
    name = outcome.case.name
    return Picture(name, "", f"Preview of {name}", stream.getvalue(), *size)
