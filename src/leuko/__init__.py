"""One FLAIR MRI in; a white matter hyperintensity mask, its numbers and a report out."""

from __future__ import annotations

__version__ = "0.1.0"
