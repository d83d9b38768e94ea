"""The DICOM objects of a result: segmentations, a structured report, the report as a document.

They belong to the study that the scan came from, and carry its patient; see docs/scanner.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leuko.anatomy.tissues import LABEL_NAMES, LEFT_OFFSET, RIGHT_OFFSET
from leuko.dicom import codes
from leuko.dicom.codes import Code
from leuko.dicom.encapsulated_pdf import encapsulated_pdf
from leuko.dicom.identity import Maker, encode, uid_of
from leuko.dicom.seg import Algorithm, Segment, segmentation
from leuko.dicom.sr import Group, Measured, measurement_report
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.pipelines.label_names import anatomy_labels, wmh_labels
from leuko.pipelines.outputs import writing
from leuko.pipelines.provenance import Provenance
from leuko.pipelines.result import Result
from leuko.quantify.burden import Burden
from leuko.report.wording import english

if TYPE_CHECKING:
    from leuko.dicom.frame import Frame
    from leuko.dicom.identity import Header
    from leuko.pipelines.config import SegmentConfig

__all__ = ["Origin", "write_dicom"]

TITLE = "White matter hyperintensities"
# Property category and type of each tissue.
TISSUES: Mapping[Tissue, tuple[Code, Code]] = {
    Tissue.CSF: (codes.BODY_SUBSTANCE, codes.FLUID),
    Tissue.CORTEX: (codes.ANATOMICAL_STRUCTURE, codes.CORTEX),
    Tissue.DEEP_GREY: (codes.ANATOMICAL_STRUCTURE, codes.GREY_MATTER),
    Tissue.WHITE_MATTER: (codes.ANATOMICAL_STRUCTURE, codes.WHITE_MATTER),
    Tissue.VENTRICLES: (codes.ANATOMICAL_STRUCTURE, codes.VENTRICLES),
    Tissue.BRAINSTEM: (codes.ANATOMICAL_STRUCTURE, codes.BRAINSTEM),
    Tissue.CEREBELLUM: (codes.ANATOMICAL_STRUCTURE, codes.CEREBELLUM),
}
SIDES = {LEFT_OFFSET: codes.LEFT, RIGHT_OFFSET: codes.RIGHT}


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What the objects refer to: the headers of the scan's files, and the planes in them."""

    headers: Sequence[Header]
    frames: Sequence[Frame] | None = None

    @property
    def series_uid(self) -> str:
        """Series Instance UID of the scan."""
        return str(self.headers[0].SeriesInstanceUID)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One result on its way out: what every object needs."""

    result: Result
    origin: Origin
    algorithm: Algorithm
    maker: Maker
    when: datetime

    def segmentation(
        self,
        image: Image,
        segments: Sequence[Segment],
        *,
        label: str,
        description: str = TITLE,
        probability: bool = False,
    ) -> Header:
        """A SEG object of an image of the result."""
        return segmentation(
            image,
            headers=self.origin.headers,
            frames=self.origin.frames,
            segments=segments,
            algorithm=self.algorithm,
            maker=self.maker,
            when=self.when,
            probability=probability,
            label=label,
            description=description,
        )


def write_dicom(
    result: Result, *, origin: Origin, folder: Path, config: SegmentConfig
) -> tuple[str, ...]:
    """Write the objects of a result into `folder`, and say which files these are.

    wmh.seg.dcm and report.sr.dcm; report.pdf.dcm where `folder` holds report.pdf; anatomy.seg.dcm
    and probability.seg.dcm where the config asks for them and the result has them. Raises
    SafetyRefusal (exit 5) where the source is not of one study or no regular grid, WriteError
    (exit 6).
    """
    run = _run(result, origin)
    lesions = run.segmentation(result.mask, [_wmh(origin)], label="WMH")
    made: dict[str, Header] = {"wmh.seg.dcm": lesions}
    if config.fractional_seg and result.probability is not None:
        made["probability.seg.dcm"] = run.segmentation(
            result.probability, [_wmh(origin)], label="WMH_PROBABILITY", probability=True
        )
    if config.anatomy_seg and result.anatomy is not None:
        made["anatomy.seg.dcm"] = run.segmentation(
            result.anatomy, _tissues(origin), label="ANATOMY", description="Anatomy"
        )
    made["report.sr.dcm"] = measurement_report(
        list(_groups(result.burden, origin)),
        headers=origin.headers,
        segmentation=lesions,
        algorithm=run.algorithm,
        maker=run.maker,
        when=run.when,
        remark=english()("research_use"),
    )
    if (pages := folder / "report.pdf").is_file():
        made["report.pdf.dcm"] = encapsulated_pdf(
            pages.read_bytes(),
            headers=origin.headers,
            maker=run.maker,
            when=run.when,
            title=TITLE,
            identified=config.patient,
        )
    for name, dataset in made.items():
        with writing(name):
            (folder / name).write_bytes(encode(dataset))
    return tuple(made)


def _run(result: Result, origin: Origin) -> _Run:
    known = result.provenance
    given = known.mask_name is not None
    return _Run(
        result,
        origin,
        Algorithm(
            "mask given to leuko" if given else f"leuko {known.weights_name or ''}".strip(),
            known.version,
            _parameters(known),
            automatic=not given,
        ),
        Maker(version=known.version, serial=(known.weights_sha256 or "")[:16]),
        datetime.fromisoformat(known.time).astimezone(),  # local time, as scanners write
    )


def _parameters(known: Provenance) -> str:
    """What decided the mask, in one line."""
    silent = {"report", "probability", "dicom", "anatomy_seg", "fractional_seg", "patient"}
    return "; ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in known.parameters.items()
        if name not in silent and value is not None
    )


def _wmh(origin: Origin) -> Segment:
    return Segment(
        1,
        TITLE,
        codes.MORPHOLOGICALLY_ABNORMAL,
        codes.WMH,
        next(label.colour for label in wmh_labels()),
        "WMH",
        _tracking(origin, "WMH"),
        site=codes.WHITE_MATTER,
    )


def _tissues(origin: Origin) -> list[Segment]:
    """A segment for every value that the anatomy's label map may have."""
    found = []
    for label in anatomy_labels():
        offset = label.value // 10 * 10
        category, kind = TISSUES[Tissue(label.value - offset)]
        identifier = f"Anatomy, {LABEL_NAMES[label.value]}"
        found.append(
            Segment(
                label.value,
                label.name,
                category,
                kind,
                label.colour,
                identifier,
                _tracking(origin, identifier),
                side=SIDES.get(offset),
            )
        )
    return found


def _tracking(origin: Origin, identifier: str) -> str:
    """The same thing on the same scan has the same UID, whatever the run."""
    return uid_of("tracking", origin.series_uid, identifier)


# ---------------------------------------------------------------- the numbers of the report


def _groups(burden: Burden, origin: Origin) -> Iterator[Group]:
    """All of a burden as groups of measurements; what was not measured is left out."""

    def of_lesions(
        part: str,
        measured: Sequence[Measured],
        *,
        side: Code | None = None,
        modifiers: tuple[tuple[Code, Code], ...] = (),
    ) -> Group:
        name = f"WMH, {part}"
        return Group(
            name, _tracking(origin, name), codes.WMH, tuple(measured),
            site=codes.BRAIN, side=side, modifiers=modifiers,
        )  # fmt: skip

    yield Group(
        "WMH", _tracking(origin, "WMH"), codes.WMH, tuple(_totals(burden)),
        segment=1, site=codes.WHITE_MATTER,
    )  # fmt: skip
    for name, side_ml, side in (
        ("left", burden.left_ml, codes.LEFT),
        ("right", burden.right_ml, codes.RIGHT),
        ("midline", burden.midline_ml, None),
    ):
        if side_ml is not None:
            middle = () if side else ((codes.SIDE, codes.MIDLINE),)
            yield of_lesions(name, [_ml(side_ml)], side=side, modifiers=middle)
    for name, share, size in (
        ("small", burden.small, codes.SMALL),
        ("medium", burden.medium, codes.MEDIUM),
        ("large", burden.large, codes.LARGE),
    ):
        counted = Measured(codes.LESION_COUNT, share.count, codes.LESIONS)
        of_all = Measured(codes.SHARE_OF_COUNT, 100 * share.share, codes.PERCENT)
        yield of_lesions(
            name, [counted, of_all, _ml(share.volume_ml)], modifiers=((codes.SIZE_CLASS, size),)
        )
    for region, region_ml in burden.region_ml:
        where = Code(region[:16], codes.PRIVATE_SCHEME, region.capitalize())
        yield of_lesions(region, [_ml(region_ml)], modifiers=((codes.REGION, where),))
    for name, whole_ml, structure in (
        ("cerebral white matter", burden.white_matter_ml, codes.WHITE_MATTER),
        ("brain", burden.brain_ml, codes.BRAIN),
        ("ventricles", burden.ventricles_ml, codes.VENTRICLES),
        ("intracranial volume", burden.icv_ml, codes.CRANIAL_CAVITY),
    ):
        if whole_ml is not None:
            tracked = f"Anatomy, {name}"
            yield Group(tracked, _tracking(origin, tracked), structure, (_ml(whole_ml),))


def _totals(burden: Burden) -> Iterator[Measured]:
    yield _ml(burden.volume_ml)
    yield Measured(codes.LESION_COUNT, burden.lesion_count, codes.LESIONS)
    yield Measured(codes.LARGEST_LESION, burden.largest_lesion_mm3, codes.CUBIC_MILLIMETRE)
    for name, percent in (
        (codes.WHITE_MATTER_SHARE, burden.white_matter_percent),
        (codes.BRAIN_SHARE, burden.brain_percent),
        (codes.INTRACRANIAL_SHARE, burden.icv_percent),
    ):
        if percent is not None:
            yield Measured(name, percent, codes.PERCENT)


def _ml(value: float) -> Measured:
    return Measured(codes.VOLUME, value, codes.MILLILITRE)
