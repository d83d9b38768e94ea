"""DICOM Segmentation (PS3.3 A.51): a mask as an object of its study, frame by frame on the source.

Binary segments, or one segment of probabilities. A mask is matched to the source planes by world
position: its axes may run any way, but it is never resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

from leuko.dicom import codes
from leuko.dicom.codes import Code, coded, items
from leuko.dicom.frame import Frame
from leuko.dicom.identity import Maker, begin, finish, require_one_study, tolerant, uid_of
from leuko.dicom.references import Plane, grid_of, planes_of, series_items
from leuko.dicom.seg_colour import cielab
from leuko.errors import UsageError
from leuko.image.image import Image
from leuko.image.place import placed

__all__ = ["SEGMENTATION_STORAGE", "Algorithm", "Segment", "segmentation"]

SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
MOST_FRACTION = 255
SERIES = 1  # the number of our segmentations behind the source's series number
FROM_FRACTION = 0.5 / MOST_FRACTION


@dataclass(frozen=True, slots=True)
class Segment:
    """What one value of a label map stands for. `colour` is sRGB; `side` is left, right or None.

    `tracking_id` names the thing for people, `tracking_uid` for programs: a report that measures
    the same thing gives both.
    """

    value: int
    label: str
    category: Code
    kind: Code
    colour: tuple[int, int, int]
    tracking_id: str
    tracking_uid: str
    side: Code | None = None
    site: Code | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What found the segments; `parameters` as text.

    `automatic` is False for a mask that was given: nobody knows how much of it a person drew.
    """

    name: str
    version: str
    parameters: str = ""
    automatic: bool = True


def segmentation(
    mask: Image,
    *,
    headers: Sequence[Dataset],
    segments: Sequence[Segment],
    algorithm: Algorithm,
    maker: Maker,
    when: datetime,
    frames: Sequence[Frame] | None = None,
    probability: bool = False,
    label: str = "WMH",
    description: str = "White matter hyperintensities",
) -> Dataset:
    """The SEG object of `mask`, a 3D label map with the values of `segments`.

    With `probability` the mask is 0..1 and has one segment, stored in steps of 1/255. A single
    segment gets a frame for every source plane, also where it is empty: so a mask without any
    lesion is a valid object, and says what was looked at. Of several segments only planes that
    show them are stored; a segment without a voxel is left out.

    `headers` (without pixels) are of the series that the mask was made on, `frames` the planes of
    it where one file holds many. Raises SafetyRefusal (exit 5) where the sources are of several
    patients or studies, or make no regular grid; GridMismatch (exit 5) where the mask has another.
    """
    require_one_study(headers)
    if not segments or (probability and len(segments) != 1):
        raise UsageError("A segmentation needs segments, one of probabilities exactly one.")
    planes = planes_of(headers, frames=frames)
    values = placed(mask, onto=grid_of(planes))
    with tolerant():
        new = begin(
            headers[0],
            sop_class=SEGMENTATION_STORAGE,
            modality="SEG",
            number=SERIES,
            description=description,
            maker=maker,
            when=when,
        )
        new.ContentLabel = label
        new.ContentDescription = description
        new.ContentCreatorName = maker.name
        _image(new, planes, headers, probability=probability)
        new.FrameOfReferenceUID = _frame_of_reference(headers[0])
        new.PositionReferenceIndicator = ""
        _references(new, headers)
        dimensions = uid_of("dimensions", new.FrameOfReferenceUID, str(headers[0].SOPInstanceUID))
        _dimensions(new, dimensions)
        new.SharedFunctionalGroupsSequence = items(_shared(planes))
        frames_told = _fill(new, values, planes, segments, algorithm, probability=probability)
        return finish(new, told={"PerFrameFunctionalGroupsSequence": frames_told})


def _image(
    new: Dataset, planes: Sequence[Plane], headers: Sequence[Dataset], *, probability: bool
) -> None:
    """Image pixel and segmentation image modules, but what depends on the frames."""
    new.ImageType = ["DERIVED", "PRIMARY"]
    new.SamplesPerPixel = 1
    new.PhotometricInterpretation = "MONOCHROME2"
    new.PixelRepresentation = 0
    new.Rows, new.Columns = planes[0].shape
    bits = 8 if probability else 1
    new.BitsAllocated, new.BitsStored, new.HighBit = bits, bits, bits - 1
    new.SegmentationType = "FRACTIONAL" if probability else "BINARY"
    if probability:
        new.SegmentationFractionalType = "PROBABILITY"
        new.MaximumFractionalValue = MOST_FRACTION
    lossy = [header for header in headers if header.get("LossyImageCompression") == "01"]
    new.LossyImageCompression = "01" if lossy else "00"
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if lossy and lossy[0].get(keyword):
            setattr(new, keyword, lossy[0].get(keyword))


def _frame_of_reference(header: Dataset) -> str:
    """The source's; where it has none, one made from its series: equal for all our objects."""
    return str(header.get("FrameOfReferenceUID") or "") or uid_of(
        "frame of reference", str(header.SeriesInstanceUID)
    )


def _references(new: Dataset, headers: Sequence[Dataset]) -> None:
    """Common instance reference module: every source image, by series."""
    listed = []
    for series_uid, entries in series_items(headers).items():
        series = Dataset()
        series.SeriesInstanceUID = series_uid
        series.ReferencedInstanceSequence = items(*(_instance(*entry) for entry in entries))
        listed.append(series)
    new.ReferencedSeriesSequence = items(*listed)


def _instance(class_uid: str, instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = class_uid
    item.ReferencedSOPInstanceUID = instance_uid
    return item


def _dimensions(new: Dataset, uid: str) -> None:
    """Frames are ordered by segment, then by place along the normal."""
    organization = Dataset()
    organization.DimensionOrganizationUID = uid
    new.DimensionOrganizationSequence = items(organization)
    listed = []
    for pointer, group, name in (
        (0x0062000B, 0x0062000A, "Segment Number"),
        (0x00200032, 0x00209113, "Image Position Patient"),
    ):
        index = Dataset()
        index.DimensionOrganizationUID = uid
        index.DimensionIndexPointer = pointer
        index.FunctionalGroupPointer = group
        index.DimensionDescriptionLabel = name
        listed.append(index)
    new.DimensionIndexSequence = items(*listed)


def _shared(planes: Sequence[Plane]) -> Dataset:
    """What all frames have in common: pixel measures and orientation."""
    first = planes[0]
    step = float(np.linalg.norm(planes[-1].corner - first.corner)) / max(1, len(planes) - 1)
    measures = Dataset()
    measures.PixelSpacing = [_decimal(value) for value in first.spacing]
    measures.SliceThickness = _decimal(first.thickness or step or 1.0)
    if len(planes) > 1:
        measures.SpacingBetweenSlices = _decimal(step)
    orientation = Dataset()
    orientation.ImageOrientationPatient = [
        _decimal(value) for value in (*first.across, *first.down)
    ]
    shared = Dataset()
    shared.PixelMeasuresSequence = items(measures)
    shared.PlaneOrientationSequence = items(orientation)
    return shared


def _fill(
    new: Dataset,
    values: npt.NDArray[Any],
    planes: Sequence[Plane],
    segments: Sequence[Segment],
    algorithm: Algorithm,
    *,
    probability: bool,
) -> str:
    """Segments, frames with their functional groups, and pixels; the frames in short."""
    alone = len(segments) == 1
    described: list[Dataset] = []
    shown_in: list[tuple[int, int]] = []  # segment and plane of each frame, from 1
    pixels: list[npt.NDArray[Any]] = []
    for segment in segments:
        if probability:
            shown = np.rint(np.clip(values, 0, 1) * MOST_FRACTION).astype(np.uint8)
        else:
            shown = values == segment.value
        if not alone and not shown.any():
            continue
        described.append(_segment(segment, len(described) + 1, algorithm))
        for index in range(len(planes)):
            picture = shown[:, :, index].T
            if alone or picture.any():
                shown_in.append((len(described), index + 1))
                pixels.append(picture)
    if not described:  # a label map of nothing: its first segment, empty, stands for all
        return _fill(new, values, planes, segments[:1], algorithm, probability=probability)
    if len(described) == 1:
        new.DimensionOrganizationType = "3D"  # parallel planes of one volume
    new.SegmentSequence = items(*described)
    new.NumberOfFrames = len(shown_in)
    new.PerFrameFunctionalGroupsSequence = items(
        *(_frame(number, index, planes[index - 1]) for number, index in shown_in)
    )
    content = _packed(pixels, probability=probability)
    new.add_new("PixelData", "OB" if probability else "OW", content)
    told = [f"{_place(plane)} {plane.references}" for plane in planes]
    return f"{told} {shown_in}"


def _packed(pixels: Sequence[npt.NDArray[Any]], *, probability: bool) -> bytes:
    """Frames one after the other; single bits without a gap, the first in the lowest bit."""
    joined = np.concatenate([picture.ravel() for picture in pixels])
    content = joined if probability else np.packbits(joined, bitorder="little")
    even: bytes = content.tobytes()
    return even + b"\0" * (len(even) % 2)


def _frame(number: int, index: int, plane: Plane) -> Dataset:
    """The functional groups of one frame: its segment, its place, its source images."""
    content = Dataset()
    content.DimensionIndexValues = [number, index]
    position = Dataset()
    position.ImagePositionPatient = _place(plane)
    identification = Dataset()
    identification.ReferencedSegmentNumber = number
    sources = []
    for reference in plane.references:
        source = _instance(reference.class_uid, reference.instance_uid)
        if reference.frame is not None:
            source.ReferencedFrameNumber = reference.frame
        source.PurposeOfReferenceCodeSequence = items(coded(codes.SOURCE_IMAGE))
        source.SpatialLocationsPreserved = "YES"
        sources.append(source)
    derivation = Dataset()
    derivation.SourceImageSequence = items(*sources)
    derivation.DerivationCodeSequence = items(coded(codes.SEGMENTATION))
    frame = Dataset()
    frame.DerivationImageSequence = items(derivation)
    frame.FrameContentSequence = items(content)
    frame.PlanePositionSequence = items(position)
    frame.SegmentIdentificationSequence = items(identification)
    return frame


def _segment(segment: Segment, number: int, algorithm: Algorithm) -> Dataset:
    item = Dataset()
    item.SegmentNumber = number
    item.SegmentLabel = segment.label
    if segment.description:
        item.SegmentDescription = segment.description
    item.SegmentAlgorithmType = "AUTOMATIC" if algorithm.automatic else "SEMIAUTOMATIC"
    item.SegmentAlgorithmName = algorithm.name
    identification = Dataset()
    identification.AlgorithmFamilyCodeSequence = items(coded(codes.ARTIFICIAL_INTELLIGENCE))
    identification.AlgorithmName = algorithm.name
    identification.AlgorithmVersion = algorithm.version
    if algorithm.parameters:
        identification.AlgorithmParameters = algorithm.parameters
    item.SegmentationAlgorithmIdentificationSequence = items(identification)
    item.SegmentedPropertyCategoryCodeSequence = items(coded(segment.category))
    kind = coded(segment.kind)
    if segment.side:
        kind.SegmentedPropertyTypeModifierCodeSequence = items(coded(segment.side))
    item.SegmentedPropertyTypeCodeSequence = items(kind)
    if segment.site:
        item.AnatomicRegionSequence = items(coded(segment.site))
    item.RecommendedDisplayCIELabValue = cielab(*segment.colour)
    item.TrackingID = segment.tracking_id
    item.TrackingUID = segment.tracking_uid
    return item


def _place(plane: Plane) -> list[str]:
    return [_decimal(value) for value in plane.corner]


def _decimal(value: float) -> str:
    """A number as a decimal string of at most 16 letters."""
    return format_number_as_ds(float(value) + 0.0)
