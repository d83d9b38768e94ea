"""Options of how the mask is drawn, and of what is written with it."""

from __future__ import annotations

import click

from leuko.cli.options import together

__all__ = ["mask_options", "regions_option"]

FROM_CARD = "  [default: the model card's]"
SHARE = click.FloatRange(0, 1)
LENGTH = click.FloatRange(0, 1000)
VOLUME = click.FloatRange(0, 1e6)

regions_option = click.option(
    "--regions-map/--no-regions-map",
    default=False,
    show_default=True,
    help="Write the lesions by region, regions.nii.gz, and its names, regions.tsv.",
)

mask_options = together(
    click.option(
        "--definition",
        type=click.Choice(["vascular", "ms"]),
        default="vascular",
        show_default=True,
        help="What counts: lesions with periventricular caps and rims, or lesions alone.",
    ),
    click.option(
        "--threshold",
        type=SHARE,
        help="Probability from which a voxel belongs to the mask." + FROM_CARD,
    ),
    click.option(
        "--refine/--no-refine",
        default=True,
        show_default=True,
        help="Redraw the edges of lesions by brightness, on the native voxels.",
    ),
    click.option(
        "--refine-support",
        type=SHARE,
        help="Probability from which a voxel may hold a refined lesion." + FROM_CARD,
    ),
    click.option(
        "--refine-evidence",
        type=click.FloatRange(0, 20),
        help="What full brightness adds to a voxel's log-odds." + FROM_CARD,
    ),
    click.option(
        "--refine-level",
        type=SHARE,
        help="Where the edge lies between the brightness of brain (0) and lesion (1)." + FROM_CARD,
    ),
    click.option(
        "--refine-reach-mm",
        type=LENGTH,
        help="How far the refined edge may lie from the network's own lesion." + FROM_CARD,
    ),
    click.option(
        "--refine-summit",
        type=SHARE,
        help="Quantile of the lesions' brightness that counts as theirs." + FROM_CARD,
    ),
    click.option(
        "--refine-deviations",
        type=click.FloatRange(0, 20),
        help="Robust standard deviations of white matter that the edge lies above it at least."
        + FROM_CARD,
    ),
    click.option(
        "--confine/--no-confine",
        default=True,
        show_default=True,
        help="Keep the mask within white matter grown by a margin.",
    ),
    click.option(
        "--confine-margin-mm",
        type=LENGTH,
        help="That margin." + FROM_CARD,
    ),
    click.option(
        "--min-lesion-mm3",
        type=VOLUME,
        help="Remove lesions smaller than this." + FROM_CARD,
    ),
    click.option(
        "--min-lesion-peak",
        type=SHARE,
        help="Remove lesions that reach this probability nowhere." + FROM_CARD,
    ),
    click.option(
        "--fill-holes-mm3",
        type=VOLUME,
        default=10.0,
        show_default=True,
        help="Fill holes in a slice up to this size, unless darker than white matter; 0: none.",
    ),
    click.option(
        "--probability/--no-probability",
        default=False,
        show_default=True,
        help="Write the probability map, probability.nii.gz.",
    ),
    regions_option,
    click.option(
        "--surface/--no-surface",
        default=False,
        show_default=True,
        help="Write the lesions as surfaces, wmh.glb and wmh.stl.",
    ),
    click.option(
        "--fill/--no-fill",
        default=False,
        show_default=True,
        help="Write the scan with its lesions filled, flair_filled.nii.gz; with --t1 also "
        "t1_filled.nii.gz.",
    ),
)
