"""What a page calls a metric: title, unit (pixels where no size is known), definition."""

from __future__ import annotations

from leuko.evaluation.registry import title_of, unit_of
from leuko.report.wording import evaluation_words

__all__ = ["BRIEF", "definition", "title", "unit"]

BRIEF = {"lesion_recall": "Recall", "lesion_f1": "F1", "lesion_f1_strict": "Strict F1",
         "avd": "AVD", "h95": "H95", "hd95_surface": "H95 3D", "reference_ml": "Reference",
         "prediction_ml": "Predicted", "iou": "IoU", "dice": "Dice", "nsd": "NSD",
         "assd": "ASSD"}  # fmt: skip
_SIGNS = (("mm3", "mm³"), ("<=", "≤"), (">=", "≥"))


def title(name: str, *, sized: bool = True) -> str:
    """The metric's title, with its first letter large."""
    text = title_of(name, sized=sized)
    for plain, sign in _SIGNS:
        text = text.replace(plain, sign)
    return text[0].upper() + text[1:]


def unit(name: str, *, sized: bool = True) -> str:
    """The metric's unit; pictures have pixels for mm."""
    return unit_of(name, sized=sized)


def definition(name: str) -> str:
    """A sentence that says how the metric is computed; empty for a metric without one."""
    words, key = evaluation_words(), f"metric.{name}"
    return words(key) if key in words else ""
