"""Tables as we write them: values between tabs, a row a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

__all__ = ["tab_separated"]


def tab_separated(rows: Iterable[Sequence[object]]) -> bytes:
    """The rows as UTF-8 text; a value that holds a tab, a quote or a line's end is quoted."""
    text = io.StringIO()
    csv.writer(text, dialect="excel-tab", lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
