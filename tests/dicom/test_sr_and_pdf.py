"""Reports and documents: valid, of the source's study, linked to the segments they measure."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from wmh_objects import (
    ALGORITHM,
    MAKER,
    ORIENTATIONS,
    WHEN,
    affine_of,
    saved,
    speckled,
    wmh_object,
    wmh_segment,
)

from classic_mr import slice_headers
from dicom_oracles import dcmqi, errors_of
from leuko.dicom import codes
from leuko.dicom.encapsulated_pdf import encapsulated_pdf, pdf_of
from leuko.dicom.identity import uid_of
from leuko.dicom.sr import Group, Measured, measurement_report
from leuko.errors import SafetyRefusal, UsageError
from leuko.image.grid import Grid

SHAPE = (9, 7, 5)
AFFINE = affine_of(ORIENTATIONS["oblique"], (0.9, 0.9, 5.5))
REMARK = "Research use only. Not a medical device."
GROUPS = (
    Group(
        "WMH",
        wmh_segment().tracking_uid,
        codes.WMH,
        (
            Measured(codes.VOLUME, 7.3512345, codes.MILLILITRE),
            Measured(codes.LESION_COUNT, 123, codes.LESIONS),
            Measured(codes.WHITE_MATTER_SHARE, 1.5, codes.PERCENT),
        ),
        segment=1,
        site=codes.WHITE_MATTER,
    ),
    Group(
        "WMH, left",
        uid_of("left"),
        codes.WMH,
        (Measured(codes.VOLUME, 3.9, codes.MILLILITRE),),
        site=codes.BRAIN,
        side=codes.LEFT,
    ),
    Group(
        "WMH, small",
        uid_of("small"),
        codes.WMH,
        (Measured(codes.LESION_COUNT, 50, codes.LESIONS),),
        modifiers=((codes.SIZE_CLASS, codes.SMALL),),
    ),
)


@pytest.fixture
def headers() -> list[Dataset]:
    return slice_headers(AFFINE, SHAPE)


def report(headers: list[Dataset], segmentation: Dataset | None, *, days: int = 0) -> Dataset:
    return measurement_report(
        GROUPS,
        headers=headers,
        segmentation=segmentation,
        algorithm=ALGORITHM,
        maker=MAKER,
        when=WHEN + timedelta(days=days),
        remark=REMARK,
    )


def document(headers: list[Dataset], content: bytes = b"%PDF-1.4 some pages") -> Dataset:
    return encapsulated_pdf(content, headers=headers, maker=MAKER, when=WHEN, title="Report")


def test_a_report_is_valid(headers: list[Dataset], tmp_path: Path) -> None:
    segmentation = wmh_object(speckled(Grid(SHAPE, AFFINE)), headers)
    assert errors_of(saved(report(headers, segmentation), tmp_path / "sr.dcm")) == []
    assert errors_of(saved(report(headers, None), tmp_path / "alone.dcm")) == []


def test_highdicom_finds_numbers_and_the_segment_behind_them(
    headers: list[Dataset], tmp_path: Path
) -> None:
    import highdicom

    segmentation = wmh_object(speckled(Grid(SHAPE, AFFINE)), headers)
    path = saved(report(headers, segmentation), tmp_path / "sr.dcm")
    content = highdicom.sr.srread(path).content
    (whole,) = content.get_volumetric_roi_measurement_groups()
    assert whole.tracking_uid == segmentation.SegmentSequence[0].TrackingUID
    assert whole.tracking_identifier == segmentation.SegmentSequence[0].TrackingID
    volume, count, share = whole.get_measurements()
    assert (volume.value, volume.unit.value) == (7.3512345, "mL")
    assert (count.value, share.unit.value) == (123, "%")
    assert len(content.get_image_measurement_groups()) == 2


def test_dcmqi_finds_the_numbers(headers: list[Dataset], tmp_path: Path) -> None:
    segmentation = wmh_object(speckled(Grid(SHAPE, AFFINE)), headers)
    path = saved(report(headers, segmentation), tmp_path / "sr.dcm")
    out = tmp_path / "sr.json"
    subprocess.run(
        [dcmqi("tid1500reader"), "--inputDICOM", path, "--outputMetadata", out],
        check=True,
        capture_output=True,
    )
    groups = json.loads(out.read_text())["Measurements"]
    assert [group["TrackingIdentifier"] for group in groups] == [g.tracking_id for g in GROUPS]
    first = groups[0]["measurementItems"][0]
    assert (first["value"], first["units"]["CodeValue"]) == ("7.35123", "mL")
    assert groups[0]["segmentationSOPInstanceUID"] == segmentation.SOPInstanceUID
    assert groups[1]["Laterality"]["CodeMeaning"] == "Left"


def test_a_report_names_every_object_it_is_about(headers: list[Dataset]) -> None:
    segmentation = wmh_object(speckled(Grid(SHAPE, AFFINE)), headers)
    made = report(headers, segmentation)
    (study,) = made.CurrentRequestedProcedureEvidenceSequence
    named = {
        item.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert named == {h.SOPInstanceUID for h in headers} | {segmentation.SOPInstanceUID}
    assert study.StudyInstanceUID == made.StudyInstanceUID == headers[0].StudyInstanceUID
    assert made.ContentSequence[-1].TextValue == REMARK


def test_two_runs_make_the_same_report(headers: list[Dataset]) -> None:
    first, later = report(headers, None), report(headers, None, days=2)
    assert first.SOPInstanceUID == later.SOPInstanceUID
    assert first.SOPInstanceUID != report(headers[:-1], None).SOPInstanceUID


@pytest.mark.parametrize("content", [b"%PDF-1.4 even!", b"%PDF-1.4 odd"])
def test_a_document_is_valid_and_gives_its_pdf_back(
    content: bytes, headers: list[Dataset], tmp_path: Path
) -> None:
    path = saved(document(headers, content), tmp_path / "pdf.dcm")
    assert errors_of(path) == []
    found = pydicom.dcmread(path)
    assert pdf_of(found) == content
    assert found.BurnedInAnnotation == "NO"
    assert found.StudyInstanceUID == headers[0].StudyInstanceUID
    assert len(found.SourceInstanceSequence) == len(headers)


def test_what_is_no_pdf_is_refused(headers: list[Dataset]) -> None:
    with pytest.raises(UsageError):
        document(headers, b"<html>")


def test_images_of_two_patients_have_no_report(headers: list[Dataset]) -> None:
    headers[1].PatientID = "P-002"
    with pytest.raises(SafetyRefusal):
        document(headers)
    with pytest.raises(SafetyRefusal):
        report(headers, None)
