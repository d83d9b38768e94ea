"""Options of the commands that score masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from leuko.cli.options import FILE, together

__all__ = ["masks_compared_options"]


def masks_compared_options(metric_names: Sequence[str], *, worst: int) -> Callable[[Any], Any]:
    """Options of the commands that score masks: which labels, whose images, what the page shows."""
    return together(
        click.option(
            "--labels",
            is_flag=True,
            help="Label maps: score every label for itself, instead of 1 = lesion, 2 = other "
            "pathology.",
        ),
        click.option(
            "--names",
            metavar="1=NAME,2=NAME|TABLE",
            help="The labels that count and what they are called, or a table (JSON, BIDS, "
            "FreeSurfer, ITK-SNAP).  [default: all, by the reference's own names]",
        ),
        click.option(
            "--subject",
            metavar="REGEX",
            help="Count the images (slices) of a subject together, as one case: what REGEX finds "
            "in a name is the subject, or its first group, such as '(.+)_[0-9]+'.",
        ),
        click.option(
            "--images",
            type=FILE,
            metavar="FOLDER",
            help="The scans, paired by name: the page shows the errors on them.",
        ),
        click.option(
            "--worst",
            type=click.IntRange(0, 60),
            default=worst,
            show_default=True,
            help="How many cases the page shows, the worst first, or those first on which "
            "methods differ most.",
        ),
        click.option(
            "--metric",
            "metrics",
            multiple=True,
            type=click.Choice(list(metric_names)),
            metavar="NAME",
            help="Use this metric only; can be given several times.  [default: all; to rank: the "
            "challenge's five]",
        ),
    )
