"""Options that several commands share; each parameter of the main job is one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = [
    "any_series_option",
    "cohort_options",
    "debug_option",
    "force_into_option",
    "fractional_option",
    "image_argument",
    "job_options",
    "mask_options",
    "masks_compared_options",
    "norm_options",
    "out_options",
    "page_options",
    "quiet_option",
    "regions_option",
    "scanner_options",
    "series_option",
    "t1_options",
    "t1_series_option",
    "template_options",
]

Command = TypeVar("Command", bound=Callable[..., Any])
FROM_CARD = "  [default: the model card's]"
SHARE = click.FloatRange(0, 1)
LENGTH = click.FloatRange(0, 1000)
VOLUME = click.FloatRange(0, 1e6)


class Age(click.ParamType):  # type: ignore[type-arg]
    """Years, or the word dicom."""

    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        """A number from 0 to 130, or dicom."""
        if value == "dicom":
            return "dicom"
        return click.FloatRange(0, 130).convert(value, param, ctx)


def _together(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """One decorator from several, listed in the help in the order given."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


regions_option = click.option(
    "--regions-map/--no-regions-map",
    default=False,
    show_default=True,
    help="Write the lesions by region, regions.nii.gz, and its names, regions.tsv.",
)

mask_options = _together(
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

template_options = _together(
    click.option(
        "--lobes/--no-lobes",
        default=False,
        show_default=True,
        help="Lay the head on the MNI template: volume and count by lobe. --mni and --atlas do so, "
        "too.",
    ),
    click.option(
        "--mni/--no-mni",
        default=False,
        show_default=True,
        help="Write the mask in MNI space, and the transform.",
    ),
    click.option(
        "--atlas",
        "atlases",
        multiple=True,
        type=click.Path(readable=False, path_type=str),
        metavar="FILE",
        help="An atlas in MNI space: volume, count and affected share of each region. Again for "
        "more.",
    ),
    click.option(
        "--atlas-labels",
        "atlas_labels",
        multiple=True,
        type=click.Path(readable=False, path_type=str),
        metavar="FILE",
        help="The names of its regions (XML of FSL, tsv, csv, json, txt); of several atlases in "
        "the same order.",
    ),
    click.option(
        "--atlas-map/--no-atlas-map",
        "atlas_maps",
        default=False,
        show_default=True,
        help="Write each atlas on the scan's grid, too.",
    ),
)

norm_options = _together(
    click.option(
        "--age",
        type=Age(),
        metavar="YEARS|dicom",
        help="Give the place of the volume among people of this age, as far as it is published; "
        "dicom: take age and sex from the DICOM header.",
    ),
    click.option(
        "--sex",
        type=click.Choice(["male", "female"]),
        help="For that place.  [default: the range that holds for both]",
    ),
    click.option(
        "--norms",
        type=click.Path(readable=False, path_type=str),
        metavar="TABLE",
        help="Published percentiles by age to take it from (docs/scales.md).  [default: the "
        "medians of de Kort 2025]",
    ),
)

job_options = _together(
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

page_options = _together(
    click.option(
        "--language",
        type=click.Choice(["en", "de"]),
        default="en",
        show_default=True,
        help="The language of the report.",
    ),
    click.option(
        "--viewer/--no-viewer",
        default=True,
        show_default=True,
        help="Put the scan with its mask into report.html, to look through.",
    ),
    click.option(
        "--patient-page/--no-patient-page",
        default=False,
        show_default=True,
        help="Write a page in plain words for the patient, for_patient.html.",
    ),
)

scanner_options = _together(
    click.option(
        "--dicom/--no-dicom",
        default=True,
        show_default=True,
        help="Of a DICOM scan: write wmh.seg.dcm, report.sr.dcm and report.pdf.dcm.",
    ),
    click.option(
        "--anatomy-seg/--no-anatomy-seg",
        default=False,
        show_default=True,
        help="Of a DICOM scan: write the anatomy as a segmentation, anatomy.seg.dcm.",
    ),
    click.option(
        "--patient/--no-patient",
        default=False,
        show_default=True,
        help="Of a DICOM scan: name patient and study in stats.json and in the report.",
    ),
)

cohort_options = _together(
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

fractional_option = click.option(
    "--fractional-seg/--no-fractional-seg",
    default=False,
    show_default=True,
    help="Of a DICOM scan: write the probabilities as a segmentation, probability.seg.dcm.",
)

series_option = click.option(
    "--series",
    default="",
    metavar="KEY",
    help="The FLAIR among the series of a DICOM study: its key (leuko dicom list), its number, "
    "or a part of its description.  [default: it is found]",
)

t1_options = _together(
    click.option(
        "--t1",
        type=click.Path(readable=False, path_type=Path),
        metavar="T1",
        help="The T1 of the same head, in any grid: the network looks at it, too, and the mask is "
        "written in its space as well.",
    ),
    click.option(
        "--t1-space/--no-t1-space",
        default=None,
        help="Write the mask on the T1's grid, wmh_in_t1.nii.gz.  [default: where --t1 is given]",
    ),
)

t1_series_option = click.option(
    "--t1-series",
    default="",
    metavar="KEY",
    help="The T1 among them.  [default: it is found]",
)

any_series_option = click.option(
    "--series",
    default="",
    metavar="KEY",
    help="The series of a DICOM study: its key (leuko dicom list), its number, or a part of its "
    "description.",
)

force_into_option = click.option(
    "--force",
    is_flag=True,
    help="Write into OUT even if it holds something else; nothing else there is touched.",
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")

debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    help="Show our own traceback when something goes wrong.",
)

out_options = _together(
    click.option(
        "-o",
        "--out",
        type=click.Path(readable=False, path_type=str),
        required=True,
        metavar="OUT",
        help="The folder for the results.",
    ),
    force_into_option,
    click.option("--json", "as_json", is_flag=True, help="Print stats.json, and nothing else."),
    quiet_option,
    debug_option,
)


def image_argument(name: str, **settings: Any) -> Callable[[Command], Command]:
    """A positional file; whether it can be read is judged when it is read (exit 3)."""
    return click.argument(name, type=click.Path(readable=False, path_type=str), **settings)


def masks_compared_options(metric_names: Sequence[str], *, worst: int) -> Callable[[Any], Any]:
    """Options of the commands that score masks: which labels, whose images, what the page shows."""
    return _together(
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
            type=click.Path(readable=False, path_type=Path),
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
