"""`leuko preprocess`: images made ready for analysis or learning, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.cli.options import (
    FILE,
    debug_option,
    force_into_option,
    image_argument,
    out_option,
    quiet_option,
)
from leuko.cli.options_input import any_series_option

if TYPE_CHECKING:
    from leuko.pipelines.preprocess_files import Outcome
    from leuko.preparation.steps import Step

__all__ = ["preprocess"]

EXAMPLES = """\b
Examples:
  leuko preprocess flair.nii.gz -o out --brain --n4 --normalise zscore
  leuko preprocess flair.nii.gz -o out --mask lesions.nii.gz --crop brain
  leuko preprocess ct_folder -o out --window lung --resample 1.5
  leuko preprocess t1.nii.gz -o out --normalise histogram --reference b.nii.gz
  leuko preprocess folder -o out --config steps.yaml

Steps are done in this order: reorient, brain, n4, resample, window, normalise, crop, shape;
with --config in the order of the file.

OUT holds preprocessed.nii.gz, preprocess.json (every parameter and effect) and, where there
are such, brain.nii.gz, bias_field.nii.gz and mask.nii.gz. Of a folder of images each gets a
folder in OUT.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this (no brain, for example);
5 grids differ; 6 cannot write; 7 out of memory or disk; 8 interrupted.
"""


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """One number, or three with commas between them."""

    name = "number or X,Y,Z"

    def __init__(self, kind: type[int] | type[float], *, one: bool) -> None:
        self.kind, self.one = kind, one

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A number, or a tuple of three."""
        try:
            found = tuple(self.kind(part) for part in str(value).split(","))
        except ValueError:
            found = ()
        if len(found) == 3:
            return found
        if len(found) == 1 and self.one:
            return found[0]
        wanted = "a number, or three such as 1,1,3" if self.one else "three numbers: 160,192,160"
        return self.fail(f"'{value}' is not {wanted}.", param, ctx)


def _orientation(_: click.Context, __: click.Parameter, code: str | None) -> str | None:
    """Three letters, one of each pair; said as `leuko convert --reorient` says it."""
    if code is None:
        return None
    from leuko.image.grid import Grid
    from leuko.image.reorient import reoriented_grid

    reoriented_grid(Grid.from_spacing((1, 1, 1), (1, 1, 1)), to=code)
    return code


REGIONS = click.Choice(["auto", "brain", "white-matter", "foreground", "nonzero", "all"])


@click.command(epilog=EXAMPLES)
@image_argument("image", metavar="IN")
@out_option("The folder for the results.")
@click.option(
    "--reorient",
    metavar="CODE",
    callback=_orientation,
    help="Permute and flip axes, to RAS or LPS for example; every voxel keeps its place.",
)
@click.option("--brain", is_flag=True, help="Find the brain and set all else to 0.")
@click.option(
    "--margin-mm", type=click.FloatRange(0, 100), default=0.0, help="Grow the brain by this much."
)
@click.option("--n4", is_flag=True, help="Correct the slow change of brightness (bias field).")
@click.option(
    "--resample", type=Numbers(float, one=True), help="Voxel size in mm: one number, or X,Y,Z."
)
@click.option(
    "--kernel",
    type=click.Choice(["linear", "cubic", "nearest"]),
    default="linear",
    show_default=True,
    help="How --resample makes values; masks keep whole labels.",
)
@click.option(
    "--window",
    metavar="NAME|LOW,HIGH",
    help="Limit values: a preset in HU (lung, bone, brain ...) or limits.",
)
@click.option(
    "--normalise",
    type=click.Choice(["zscore", "minmax", "percentile", "histogram"]),
    help="Bring values to a common scale.",
)
@click.option(
    "--region", type=REGIONS, default="auto", show_default=True, help="Where --normalise measures."
)
@click.option(
    "--reference",
    type=FILE,
    metavar="FILE",
    help="What --normalise histogram matches: an image, or a standard scale (.json).",
)
@click.option(
    "--crop", type=click.Choice(["brain", "foreground", "mask"]), help="Cut to the box around this."
)
@click.option("--shape", type=Numbers(int, one=False), help="Cut or pad to X,Y,Z voxels.")
@click.option(
    "--config",
    type=FILE,
    metavar="FILE",
    help="Steps from a YAML file instead, in its order.",
)
@click.option(
    "--mask",
    type=FILE,
    metavar="MASK",
    help="A mask (or a folder of masks) to carry along.",
)
@any_series_option
@force_into_option
@click.option("--json", "as_json", is_flag=True, help="Print preprocess.json, and nothing else.")
@quiet_option
@debug_option
def preprocess(
    image: str,
    out: Path,
    mask: Path | None,
    series: str,
    force: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Preprocess the image, study or folder IN into the folder OUT."""
    from leuko.cli.console import print_findings, steps_on_screen
    from leuko.findings import as_warnings
    from leuko.pipelines.preprocess_files import preprocess_files

    with steps_on_screen(quiet=quiet or as_json) as watch:
        outcomes = preprocess_files(
            Path(image),
            out=out,
            steps=_steps(**options),
            mask=mask,
            series=series,
            force=force,
            watch=watch,
            each=lambda outcome: _tell(outcome, quiet=quiet or as_json),
        )
    if as_json:
        _print_json(outcomes)
    elif not quiet:
        if len(outcomes) == 1 and outcomes[0].record is not None:
            _print_steps(outcomes[0])
            print_findings(as_warnings(outcomes[0].record.findings, hint=""))
        click.echo(f"Results: {out}")
    return next((outcome.error.exit_code for outcome in outcomes if outcome.error), 0)


def _steps(
    *,
    config: Path | None,
    reorient: str | None,
    brain: bool,
    margin_mm: float,
    n4: bool,
    resample: Any,
    kernel: Any,
    window: str | None,
    normalise: Any,
    region: Any,
    reference: Path | None,
    crop: Any,
    shape: Any,
) -> tuple[Step, ...]:
    """The steps that the options ask for, in the documented order."""
    from leuko.errors import ReadError, UsageError
    from leuko.preparation import steps as kinds

    asked: list[Step] = []
    if reorient is not None:
        asked.append(kinds.Reorient(to=reorient))
    if brain:
        asked.append(kinds.Brain(margin_mm=margin_mm))
    if n4:
        asked.append(kinds.N4())
    if resample is not None:
        asked.append(kinds.Resample(spacing=resample, kernel=kernel))
    if window is not None:
        asked.append(_window(window))
    if normalise is not None:
        told = None if reference is None else str(reference)
        asked.append(kinds.Normalise(method=normalise, region=region, reference=told))
    if crop is not None:
        asked.append(kinds.Crop(to=crop))
    if shape is not None:
        asked.append(kinds.Shape(voxels=shape))
    if config is None:
        if not asked:
            raise UsageError(
                "No step was asked for.", hint="leuko preprocess --help lists the steps."
            )
        return kinds.check_steps(tuple(asked))
    if asked:
        raise UsageError(
            "Steps come from --config or from options, not from both.",
            hint="Write all of them into the file.",
        )
    try:
        content = config.read_bytes()
    except OSError as error:
        raise ReadError(f"{config.name} cannot be read.", hint="Check the path.") from error
    return kinds.parse_steps(content, name=config.name)


def _window(text: str) -> Step:
    from leuko.errors import UsageError
    from leuko.preparation.steps import Window

    if "," not in text:
        return Window(preset=text)
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"'{text}' is no window.", hint="Give a preset, or two numbers: --window=-100,300."
        ) from error
    return Window(low=low, high=high)


def _tell(outcome: Outcome, *, quiet: bool) -> None:
    if outcome.error is not None:
        hint = f" {outcome.error.hint}" if outcome.error.hint else ""
        click.echo(f"{outcome.case.name}: {outcome.error.what}{hint}", err=True)
    elif not quiet:
        click.echo(f"{outcome.case.name}: done")


def _print_json(outcomes: tuple[Outcome, ...]) -> None:
    import msgspec

    records = [outcome.record for outcome in outcomes if outcome.record is not None]
    shown = records[0] if len(outcomes) == 1 and records else records
    click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=1))


def _print_steps(outcome: Outcome) -> None:
    assert outcome.record is not None
    record = outcome.record
    for before, title in ((record.input, "Read"), (record.output, "Written")):
        size = " x ".join(map(str, before.shape))
        spacing = " x ".join(f"{mm:.3g}" for mm in before.spacing_mm)
        click.echo(f"{title:<10} {size} voxels of {spacing} mm, {before.orientation or 'unknown'}")
    for step in record.steps:
        effects = [
            f"{name} {_short(value)}" for name, value in step.effects.items() if _telling(name)
        ]
        click.echo(f"{step.step:<10} {', '.join(effects)}")


def _telling(name: str) -> bool:
    return name not in {"weights_sha256", "own", "target", "percentiles"}


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " x ".join(_short(part) for part in value)
    return str(value)
