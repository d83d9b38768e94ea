"""Options of how a run goes: weights, engine, what is refused, how many scans at a time."""

from __future__ import annotations

import click

from leuko.cli.options import together

__all__ = ["cohort_options", "job_options"]

job_options = together(
    click.option(
        "--model",
        "--weights",
        "weights",
        metavar="NAME|FOLDER",
        help="default; accurate (slower); or a folder with a card.json, as leuko finetune writes "
        "it.  [default: default]",
    ),
    click.option(
        "--engine",
        type=click.Choice(["auto", "openvino", "torch"]),
        default="auto",
        show_default=True,
        help="What runs the network.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "f32", "bf16"]),
        default="auto",
        show_default=True,
        help="Number format of the network; auto: bf16 where the processor computes it fast.",
    ),
    click.option(
        "--strict",
        "policy",
        flag_value="strict",
        help="Refuse (exit 4) on any warning about the input.",
    ),
    click.option("--default", "policy", flag_value="default", default=True, hidden=True),
    click.option(
        "--lenient",
        "policy",
        flag_value="lenient",
        help="Refuse nothing that can be read.",
    ),
    click.option(
        "--report/--no-report",
        default=True,
        show_default=True,
        help="Write report.html, report.pdf and preview.png.",
    ),
)

cohort_options = together(
    click.option(
        "--jobs",
        type=click.IntRange(min=0),
        default=1,
        show_default=True,
        metavar="N",
        help="Of several scans: work on N at a time, each with about 1 GB of memory; 0: as many as "
        "processors and memory allow. The results are the same for any N.",
    ),
    click.option(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="Of several scans: share them among the workers of a Dask cluster, which see the same "
        "folders (tcp://host:8786). Needs the extra leuko[cluster].",
    ),
    click.option(
        "--bids",
        is_flag=True,
        help="Write BIDS derivatives into OUT, of scans that are named by BIDS. For a whole data "
        "set: leuko bids.",
    ),
)
