"""Pictures for the page of a cohort: a few cases, small, and where lesions lie in all of them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from leuko.errors import LeukoError
from leuko.pipelines.cohort_table import Outcome
from leuko.report.document import Picture
from leuko.report.wording import cohort_words

__all__ = ["MOST_PICTURES", "frequency", "thumbnail"]

MOST_PICTURES = 12
WIDTH = 560  # pixels
HEAD_SHARE = 0.122  # of the preview's width: its numbers, which the page says itself
QUALITY = 80
FEWEST_MAPPED = 5  # cases, below which a map of frequencies says little


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


def frequency(outcomes: Sequence[Outcome]) -> Picture | None:
    """How often each place of the template is affected, of the cases with a mask in MNI space.

    A scan that is there twice counts once. None for fewer than five cases (`--mni` makes them).
    """
    from leuko.pipelines.template_space import IN_MNI

    folders = {
        outcome.numbers.input_sha256: outcome.place.record.parent
        for outcome in outcomes
        if outcome.numbers and outcome.place and (outcome.place.record.parent / IN_MNI).is_file()
    }
    if len(folders) < FEWEST_MAPPED:
        return None
    import numpy as np
    from PIL import Image

    from leuko.pipelines.frequency import frequency_map
    from leuko.report.frequency_picture import frequency_picture

    try:
        found = frequency_map(tuple(folders.values()))
    except LeukoError:
        return None
    count = len(found.cases)
    drawn = frequency_picture(np.asarray(found.image.data, dtype=np.float32), cases=count)
    with Image.open(io.BytesIO(drawn)) as opened:
        size = opened.size
    words = cohort_words()
    said = words("frequency.note", count=f"{count:,}", highest=f"{100 * found.highest:.0f}")
    return Picture("frequency", said, words("frequency.title"), drawn, *size, mime="image/png")
