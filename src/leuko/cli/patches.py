"""`leuko patches`: an image in pieces of one size, and whole again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from leuko.cli.options import debug_option, image_argument, quiet_option
from leuko.errors import UsageError

__all__ = ["patches"]

EXAMPLES = """\b
Examples:
  leuko patches scan.nii.gz -o pieces --size 64 --stride 32
  leuko patches scan.nii.gz -o slices --size 128x128 --axis coronal
  leuko patches scan.nii.gz -o train --size 64x64x32 --mask lesions.nii.gz \\
      --count 200 --foreground 0.5
  leuko patches --reassemble pieces -o whole.nii.gz

OUT holds one NIfTI file a patch, in its place in the world, index.tsv (a list
that training can read) and patches.json (the way back).

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 5 image and mask do not lie on
one grid; 6 cannot write, or OUT is not empty; 7 out of memory or disk.
"""


def _numbers(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """One, two or three whole numbers: 64, 64x64, 64x64x32."""
    if value is None:
        return None
    parts = value.lower().split("x")
    if len(parts) > 3 or not all(part.isdigit() and int(part) for part in parts):
        raise click.BadParameter(
            f"'{value}' is no size: 64, 64x64 or 64x64x32.", ctx=context, param=parameter
        )
    return tuple(int(part) for part in parts)


@click.command(epilog=EXAMPLES)
@image_argument("image", metavar="[IMAGE]", required=False)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    type=click.Path(readable=False),
    help="The folder for the patches; with --reassemble the image.",
)
@click.option(
    "--size", callback=_numbers, metavar="N[xN[xN]]", help="Voxels of a patch, file axes."
)
@click.option(
    "--stride",
    callback=_numbers,
    metavar="N[xN[xN]]",
    help="From patch to patch.  [default: the size]",
)
@click.option(
    "--axis",
    type=click.Choice(["axial", "coronal", "sagittal"]),
    default="axial",
    show_default=True,
    help="Across which axis slices lie, where --size has two numbers.",
)
@click.option(
    "--mask",
    type=click.Path(readable=False),
    metavar="MASK",
    help="Cut this mask or label map as well.",
)
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="N random patches instead of all."
)
@click.option(
    "--foreground",
    type=click.FloatRange(0, 1),
    help="Share of the random patches that lies on the mask.  [default: 0.5]",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["nifti", "npy"]),
    default="nifti",
    show_default=True,
    help="Files of the patches.",
)
@click.option(
    "--reassemble", type=click.Path(readable=False), metavar="FOLDER", help="Put patches together."
)
@click.option(
    "--weight",
    type=click.Choice(["mean", "gaussian"]),
    default="mean",
    show_default=True,
    help="How overlapping patches are averaged when put together.",
)
@click.option("--masks", is_flag=True, help="Put the masks together, not the images.")
@click.option("--force", is_flag=True, help="Replace the image that is put together.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@quiet_option
@debug_option
def patches(
    image: str | None,
    out: str,
    size: tuple[int, ...] | None,
    stride: tuple[int, ...] | None,
    axis: str,
    mask: str | None,
    count: int | None,
    foreground: float | None,
    seed: int,
    kind: str,
    reassemble: str | None,
    weight: str,
    masks: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Cut IMAGE into patches of one size, or put them together again (--reassemble).

    Patches cover the image; where they overlap, putting them together averages.
    """
    from leuko.pipelines.patches import cut_patches, join_patches

    _require_sense(
        image=image, size=size, mask=mask, count=count, foreground=foreground, join=reassemble
    )
    if reassemble is not None:
        whole = join_patches(reassemble, out, weight=weight, masks=masks, force=force)  # type: ignore[arg-type]
        told: dict[str, object] = {"image": Path(out).name, "shape": list(whole.data.shape)}
        line = f"{Path(out).name}: {_times(whole.data.shape)} voxels"
    else:
        done = cut_patches(
            image or "",
            out,
            size=size or (),
            stride=stride,
            axis=axis,  # type: ignore[arg-type]
            mask=mask,
            count=count,
            foreground=0.5 if foreground is None else foreground,
            seed=seed,
            format=kind,  # type: ignore[arg-type]
        )
        told = {
            "patches": done.patches,
            "size": list(done.size),
            "with_foreground": done.foreground,
        }
        line = f"{done.folder.name}: {done.patches} patches of {_times(done.size)} voxels"
        if done.foreground is not None:
            line += f", {done.foreground} with foreground"
    if as_json:
        click.echo(json.dumps(told, indent=2))
    elif not quiet:
        click.echo(line)


def _require_sense(
    *,
    image: str | None,
    size: tuple[int, ...] | None,
    mask: str | None,
    count: int | None,
    foreground: float | None,
    join: str | None,
) -> None:
    """Refuse calls that leave open what is meant."""
    if (image is None) == (join is None):
        raise UsageError(
            "Give an image to cut, or --reassemble FOLDER.",
            hint="leuko patches IMAGE -o FOLDER --size 64, or leuko patches --reassemble FOLDER "
            "-o IMAGE.",
        )
    if join is None and size is None:
        raise UsageError("How large is a patch?", hint="Give --size, such as 64 or 64x64x32.")
    if join is not None and (size or mask or count):
        raise UsageError(
            "--reassemble takes no --size, --mask or --count.", hint="The folder knows its sizes."
        )
    if foreground is not None and (mask is None or count is None):
        raise UsageError(
            "--foreground is the share of random patches that lie on a mask.",
            hint="Give --mask MASK and --count N with it.",
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
