"""From values (image, masks, tables, findings, steps) to a `Document`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from leuko.findings import Finding
from leuko.image.image import Image
from leuko.progress import Step
from leuko.quantify.burden import Burden
from leuko.quantify.lesions import Lesion, LesionTable, Side, SizeClass
from leuko.quantify.regions import RegionNumbers
from leuko.quantify.uncertainty import VolumeInterval
from leuko.report.definitions import definitions
from leuko.report.document import (
    Document,
    LesionRow,
    Picture,
    Profile,
    StepRow,
)
from leuko.report.figures import figures
from leuko.report.largest import largest_lesions
from leuko.report.methods import methods, references
from leuko.report.notices import notices
from leuko.report.numbers import groups, headline, regions, sides, sizes
from leuko.report.places import places
from leuko.report.planes import Scan
from leuko.report.provenance import entries, file_name, text_of, time_of
from leuko.report.readings import Readings
from leuko.report.readings import readings as all_readings
from leuko.report.summary import care, place, summary, sureness
from leuko.report.wording import Wording, wording

__all__ = ["document"]

SHOWN = 20  # rows of the lesion table that are not folded
MOST_LESIONS = 200  # rows on page and paper: the file has every one
SIZE_VALUE = {SizeClass.SMALL: 1, SizeClass.MEDIUM: 2, SizeClass.LARGE: 3}
MASS = "scan.mass"  # what is marked there has another cause, and other errors


def document(
    image: Image,
    *,
    mask: Image,
    table: LesionTable,
    burden: Burden,
    labels: Image | None = None,
    anatomy: Image | None = None,
    findings: Sequence[Finding] = (),
    steps: Sequence[Step] = (),
    provenance: Mapping[str, object] | None = None,
    definition: str | None = None,
    table_file: str = "lesions.tsv",
    language: str = "en",
    interval: VolumeInterval | None = None,
    readings: Readings | None = None,
) -> Document:
    """Everything the report says about one scan, decided and rounded, pictures included.

    `image` is the FLAIR; `mask`, `labels` (values of `Lesion.label`) and `anatomy` (positive in
    the brain) lie on its grid. `definition` is 'vascular' or 'ms', None for a mask that was given.
    `provenance` maps names to values, nested at will (`version`, `weights_sha256`, `engine`,
    `created`, `parameters` ...); only file names of it are shown, never folders. `language` is one
    of `wording.LANGUAGES`. What `interval` and `readings` do not hold is not shown. Equal arguments
    give an equal document.
    """
    words = wording(language)
    known = provenance or {}
    measured = replace(readings or Readings(), definition=definition)
    if definition == "ms" and measured.regions is not None:
        table, burden = _by_criteria(table, burden, measured.regions)
    grid = image.grid
    axis = grid.orientation.axes.index(burden.slice_axis) if grid.oriented else burden.slice_axis
    sided = sides(burden, words=words)
    return Document(
        language=words("language"),
        title=words("title"),
        subject=file_name(image.source.name) if image.source else "",
        created=time_of(known.get("created", known.get("time", ""))),
        version=text_of(known.get("version", "")),
        summary=summary(table, burden=burden, words=words, interval=interval, known=measured),
        care=(
            *(words.translated(text) for text in care(findings)),
            *([words("summary.mass")] if any(one.code == MASS for one in findings) else []),
        ),
        headline=headline(
            burden,
            axis=axis,
            oriented=grid.oriented,
            words=words,
            interval=interval,
            scales=measured.scales,
        ),
        groups=groups(burden, grid=grid, axis=axis, words=words, interval=interval),
        sides=sided,
        sides_note=words(_sides_note(burden, oriented=grid.oriented)),
        regions=regions(burden, words=words),
        regions_note=words("regions.explained" if burden.region_ml else "regions.not_measured"),
        sizes=sizes(burden, words=words),
        profile=_profile(burden, axis=axis, image=image, words=words),
        lesions=tuple(
            _row(lesion, oriented=grid.oriented, words=words) for lesion in table[:MOST_LESIONS]
        ),
        lesions_shown=SHOWN,
        lesions_note=_lesions_note(table, table_file, words),
        notices=notices(findings, words),
        pictures=_pictures(image, mask, labels, anatomy, table, burden, axis, words),
        methods=methods(
            definition,
            voxel_mm3=grid.voxel_mm3,
            words=words,
            with_t1=bool(known.get("t1_used")),
            refined=_is_refined(known),
            interval=interval,
            known=measured,
        ),
        steps=tuple(_step(step, words) for step in steps),
        references=references(definition, words=words, known=measured),
        provenance=entries(known, image=image, definition=definition, words=words),
        research_use=words("research_use"),
        where=places(
            table,
            burden=burden,
            sides=sided,
            words=words,
            regions=measured.regions,
            definition=definition,
        ),
        readings=all_readings(table, known=measured, words=words),
        sureness="table.confidence"
        if any(lesion.confidence is not None for lesion in table)
        else "table.probability",
        definitions=definitions(interval=interval, known=measured, words=words),
    )


def _is_refined(provenance: Mapping[str, object]) -> bool:
    """Whether the parameters of the run say that edges were drawn anew."""
    told = provenance.get("parameters")
    return isinstance(told, Mapping) and told.get("refine") is True


def _by_criteria(
    table: LesionTable, burden: Burden, regions: RegionNumbers
) -> tuple[LesionTable, Burden]:
    """Both with the regions of the McDonald criteria as their regions."""
    names = {"deep_white": "deep"}
    totals = tuple(
        (names.get(one.region, one.region), one.amount.total.volume_ml)
        for one in regions.ms_regions
    )
    rows = tuple(
        replace(lesion, region=names.get(lesion.ms_region, lesion.ms_region)) for lesion in table
    )
    return rows, replace(burden, region_ml=totals)


def _pictures(
    image: Image,
    mask: Image,
    labels: Image | None,
    anatomy: Image | None,
    table: LesionTable,
    burden: Burden,
    axis: int,
    words: Wording,
) -> tuple[Picture, ...]:
    grid = image.grid
    if labels is None:
        outlined, classes = mask.data != 0, np.array([0, SIZE_VALUE[SizeClass.MEDIUM]])
    else:
        outlined = labels.data
        classes = np.zeros(max((lesion.label for lesion in table), default=0) + 1)
        classes[[lesion.label for lesion in table]] = [
            SIZE_VALUE[lesion.size_class] for lesion in table
        ]
    scan = Scan.of(
        image.data,
        labels=outlined.view(np.uint8) if outlined.dtype == np.bool_ else outlined,
        classes=classes.astype(np.uint8) if burden.lesion_count else np.zeros(2, np.uint8),
        brain=None if anatomy is None else anatomy.data,
        grid=grid,
    )
    most = burden.most_affected_slice
    peak = None
    if most is not None:
        flipped = grid.oriented and grid.orientation.flipped[axis]
        peak = grid.shape[burden.slice_axis] - 1 - most.index if flipped else most.index
    key, *others = figures(scan, grid=grid, slice_axis=axis, peak=peak, words=words)
    largest = None
    if labels is not None:
        largest = largest_lesions(scan, table=table, grid=grid, slice_axis=axis, words=words)
    return (key, *((largest,) if largest else ()), *others)


def _profile(burden: Burden, *, axis: int, image: Image, words: Wording) -> Profile:
    oriented = image.grid.oriented
    ends = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))[axis]
    low, high = (words(f"direction.{end}") for end in ends) if oriented else ("", "")
    points = [
        (item.position_mm if oriented else float(item.index), item.volume_ml)
        for item in burden.slices
    ]
    points.sort()
    most, peak, text = burden.most_affected_slice, None, words("profile.none")
    if most is not None:
        position = most.position_mm if oriented else float(most.index)
        peak = min(range(len(points)), key=lambda number: abs(points[number][0] - position))
        where = (
            place(axis, most.position_mm, words)
            if oriented
            else words("place.index", index=most.index)
        )
        volume = words.numerals.millilitres(most.volume_ml)
        text = words("profile.peak", volume=volume, place=where)
    return Profile(
        axis_label=words("profile.axis.mm", low=low, high=high)
        if oriented
        else words("profile.axis.index"),
        value_label=words("profile.value"),
        positions=tuple(position for position, _ in points),
        volumes_ml=tuple(ml for _, ml in points),
        low=low,
        high=high,
        peak=peak,
        peak_text=text,
        explained=words(
            "profile.explained",
            count=len(points),
            thickness=words.numerals.general(image.grid.spacing[burden.slice_axis], 3),
        ),
    )


def _sides_note(burden: Burden, *, oriented: bool) -> str:
    if burden.left_ml is not None:
        return "sides.explained"
    return "sides.not_measured" if oriented else "sides.not_measured.unoriented"


def _row(lesion: Lesion, *, oriented: bool, words: Wording) -> LesionRow:
    missing = words("side.unknown")
    region = f"region.{lesion.region}"
    side = "" if lesion.side is Side.UNKNOWN else words(f"side.{lesion.side}")

    def known(value: float | None, decimals: int) -> str:
        return missing if value is None else words.numerals.fixed(value, decimals)

    return LesionRow(
        label=str(lesion.label),
        size_name=lesion.size_class.value,
        volume=words.numerals.volume(lesion.volume_mm3),
        size=words(f"size.{lesion.size_class}"),
        side=side or missing,
        region=words(region) if region in words else lesion.region,
        centre=words("number.between").join(
            words.numerals.millimetres(value) for value in lesion.centre_mm
        )
        if oriented
        else missing,
        distance=known(lesion.distance_to_ventricles_mm, 1),
        z=known(lesion.mean_z, 1),
        confidence=known(sureness(lesion), 2),
    )


def _lesions_note(table: LesionTable, table_file: str, words: Wording) -> str:
    if not table:
        return words("table.none")
    number = words.numerals.count(len(table))
    if len(table) == 1:
        shown = words("table.shown.one")
    elif len(table) <= MOST_LESIONS:
        shown = words("table.shown.all", count=number)
    else:
        shown = words("table.shown", shown=MOST_LESIONS, count=number)
    return f"{shown} {words('table.file', file=table_file)}"


def _step(step: Step, words: Wording) -> StepRow:
    parts = (
        f"{words.translated(name.replace('_', ' ').replace('mm3', 'mm³'))} {text_of(value, words)}"
        for name, value in step.details.items()
    )
    seconds = words.numerals.fixed(step.seconds, 2)
    return StepRow(words.translated(step.name), seconds, "; ".join(parts))
