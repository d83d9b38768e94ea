"""`leuko demo`: the packaged sample, its mask, and how well it agrees with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leuko.cli.options import out_options
from leuko.cli.options_mask import mask_options
from leuko.cli.options_pages import page_options
from leuko.cli.options_run import job_options

__all__ = ["demo"]

EXAMPLES = """\b
Examples:
  leuko demo -o demo
  leuko demo -o demo --definition ms

OUT holds what `leuko segment` writes, and sample_flair.nii.gz, sample_truth.nii.gz
(1 = lesion, 2 = cap or rim) and agreement.json beside it.
"""


@click.command(epilog=EXAMPLES)
@out_options
@mask_options
@job_options
@page_options
def demo(
    out: str,
    force: bool,
    as_json: bool,
    quiet: bool,
    weights: str | None,
    **parameters: Any,
) -> None:
    """Segment the sample that comes with leuko and compare the mask with its known truth.

    The sample is synthetic: drawn by leuko's own generator, so every voxel's truth is known and no
    person is in it.
    """
    from leuko.cli.console import print_agreement, print_result, steps_on_screen
    from leuko.pipelines.config import SegmentConfig
    from leuko.pipelines.demo import demonstrate

    config = SegmentConfig(**parameters)
    with steps_on_screen(quiet=quiet or as_json) as watch:
        shown = demonstrate(out=Path(out), config=config, weights=weights, force=force, watch=watch)
    if not (as_json or quiet):
        print_agreement(shown.agreement, definition=config.definition)
    print_result(shown.statistics, out=Path(out), as_json=as_json, quiet=quiet)
