"""Generated text of a page: between two comments that say which command makes it."""

from __future__ import annotations

__all__ = ["filled"]


def filled(page: str, text: str, *, begin: str, end: str) -> str:
    """The page with `text` between its two markers; ValueError where it lacks one."""
    before, first, rest = page.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"the page lacks the markers {begin} and {end}")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"
