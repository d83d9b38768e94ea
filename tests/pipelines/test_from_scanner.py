"""From what a scanner exported to mask, report and DICOM objects: which scans, in which place."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from brightness_network import make_head

from classic_mr import FLAIR, T1, Series, Study, write_multi_frame, write_series
from dicom_oracles import assert_same_points, errors_of, points_by_highdicom, points_of
from leuko.cli import main
from leuko.dicom.seg_reader import read_seg, segment_names
from leuko.errors import GridMismatch, SafetyRefusal, UnusableInput, UsageError
from leuko.formats.read import read_mask
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.cases import find_cases, is_alone, opened
from leuko.pipelines.cohort import Status
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.measure import measure_file
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment_file
from leuko.pipelines.segment_cohort import segment_cohort
from leuko.pipelines.statistics import decode

OBJECTS = {"wmh.seg.dcm", "report.sr.dcm", "report.pdf.dcm"}
QUICK = SegmentConfig(report=False)
SECRETS = ("Test^Person", "Test Person", "P-001", "19500101", "20240229", "2024-02-29", "A-77")
TILT = np.deg2rad(8.0)
AFFINE = np.array([
    [-2.0, 0.0, 0.0, 60.0],
    [0.0, -2.0 * np.cos(TILT), -4.0 * np.sin(TILT), 75.0],
    [0.0, -2.0 * np.sin(TILT), 4.0 * np.cos(TILT), -80.0],
    [0.0, 0.0, 0.0, 1.0],
])  # fmt: skip


def head() -> np.ndarray:
    """The test's head as (column, row, slice): to the left, to the back, up, as AFFINE says."""
    return make_head()[::-1, ::-1]


def export(folder: Path, *, study: Study | None = None, extra: tuple[Series, ...] = (T1,)) -> Path:
    """A study as a scanner exports it: a FLAIR and other series, shuffled in one folder."""
    visit = study or Study()
    write_series(folder, head(), AFFINE, study=visit)
    for series in extra:
        data = head()
        write_series(folder, data.max() - data, AFFINE, series=series, study=visit)
    return folder


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


# ---------------------------------------------------------------- one study


def test_a_study_gives_what_a_nifti_gives_and_objects_of_its_study(
    tmp_path: Path, fake_model: Model
) -> None:
    study = export(tmp_path / "study")
    numbers = segment_file(study, out=tmp_path / "out", model=fake_model)
    nifti = tmp_path / "flair.nii.gz"
    write(Image(head().astype(np.int16), Grid(head().shape, AFFINE)), nifti)
    other = segment_file(nifti, out=tmp_path / "from_nifti", model=fake_model)
    assert names(tmp_path / "out") == names(tmp_path / "from_nifti") | OBJECTS
    mask = read_mask(tmp_path / "out" / "wmh.nii.gz")
    assert mask.data.any()
    assert_same_points(points_of(mask), points_of(read_mask(tmp_path / "from_nifti/wmh.nii.gz")))
    assert_same_points(points_of(mask), points_of(read_seg(tmp_path / "out" / "wmh.seg.dcm")))
    assert_same_points(points_of(mask), points_by_highdicom(tmp_path / "out" / "wmh.seg.dcm"))
    assert (numbers.volume_mm3, numbers.lesion_count) == (
        pytest.approx(other.volume_mm3, rel=1e-3),
        other.lesion_count,
    )


def test_the_objects_are_valid_and_belong_together(tmp_path: Path, fake_model: Model) -> None:
    config = SegmentConfig(anatomy_seg=True, fractional_seg=True)
    out = tmp_path / "out"
    segment_file(export(tmp_path / "study"), out=out, config=config, model=fake_model)
    made = {path.name: pydicom.dcmread(path) for path in out.glob("*.dcm")}
    assert set(made) == OBJECTS | {"anatomy.seg.dcm", "probability.seg.dcm"}
    assert "probability.nii.gz" not in names(out)
    for name, dataset in made.items():
        assert errors_of(out / name) == [], name
        assert dataset.StudyInstanceUID == Study().uid
        assert dataset.PatientID == "P-001"
    assert len({dataset.SeriesInstanceUID for dataset in made.values()}) == len(made)
    groups = made["report.sr.dcm"].ContentSequence[-2].ContentSequence
    tracked = {
        (item.TextValue, group.ContentSequence[1].UID)
        for group in groups
        for item in group.ContentSequence[:1]
    }
    segment = made["wmh.seg.dcm"].SegmentSequence[0]
    assert (segment.TrackingID, segment.TrackingUID) in tracked
    tissues = segment_names(out / "anatomy.seg.dcm").values()
    assert {"Left white matter", "Right white matter"} <= set(tissues)


def test_two_runs_make_the_same_segmentation(tmp_path: Path, fake_model: Model) -> None:
    study = export(tmp_path / "study")
    for out in ("one", "two"):
        segment_file(study, out=tmp_path / out, config=QUICK, model=fake_model)
    for name in ("wmh.seg.dcm", "report.sr.dcm"):
        one, two = (pydicom.dcmread(tmp_path / out / name) for out in ("one", "two"))
        assert one.SOPInstanceUID == two.SOPInstanceUID, name


def test_a_multi_frame_file_is_a_scan(tmp_path: Path, fake_model: Model) -> None:
    file = write_multi_frame(tmp_path / "flair.dcm", head(), AFFINE)
    segment_file(file, out=tmp_path / "out", config=QUICK, model=fake_model)
    segment_file(
        export(tmp_path / "study"), out=tmp_path / "classic", config=QUICK, model=fake_model
    )
    expected = points_of(read_mask(tmp_path / "classic" / "wmh.nii.gz"))
    assert len(expected) > 0
    assert_same_points(expected, points_of(read_mask(tmp_path / "out" / "wmh.nii.gz")))
    assert_same_points(expected, points_by_highdicom(tmp_path / "out" / "wmh.seg.dcm"))
    made = pydicom.dcmread(tmp_path / "out" / "wmh.seg.dcm")
    frames = [
        group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        for group in made.PerFrameFunctionalGroupsSequence
    ]
    assert frames == list(range(len(frames), 0, -1))


def test_an_archive_is_what_is_in_it(tmp_path: Path, fake_model: Model) -> None:
    study = export(tmp_path / "study")
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in study.iterdir():
            archive.write(path, f"disk/{path.name}")
    numbers = segment_file(packed, out=tmp_path / "out", config=QUICK, model=fake_model)
    segment_file(study, out=tmp_path / "plain", config=QUICK, model=fake_model)
    assert OBJECTS - {"report.pdf.dcm"} <= names(tmp_path / "out")
    plain = decode((tmp_path / "plain" / "stats.json").read_bytes())
    assert plain.provenance.input_sha256 == numbers.provenance.input_sha256
    assert plain.volume_voxels == numbers.volume_voxels


def test_an_archive_may_hold_a_nifti(tmp_path: Path, head_file: Path, fake_model: Model) -> None:
    packed = tmp_path / "scan.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(head_file, "head.nii.gz")
    segment_file(packed, out=tmp_path / "out", config=QUICK, model=fake_model)
    assert not names(tmp_path / "out") & OBJECTS


def test_the_choice_is_told_and_recorded(tmp_path: Path, fake_model: Model) -> None:
    numbers = segment_file(
        export(tmp_path / "study"), out=tmp_path / "out", config=QUICK, model=fake_model
    )
    (told,) = [f for f in numbers.findings if f.code == "scanner.series"]
    assert "t2_flair_tra" in told.what
    assert "t1_se_tra" in told.hint
    source = numbers.provenance.source
    assert source is not None
    assert (source["series"], source["t1_series"]) == ("3", "4")
    assert numbers.provenance.input_name == "DICOM series 3"


def test_what_only_dicom_can_have_is_not_left_out_silently(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    config = SegmentConfig(report=False, anatomy_seg=True, patient=True)
    found = segment_file(head_file, out=tmp_path / "out", config=config, model=fake_model).findings
    (note,) = (finding for finding in found if finding.code == "scanner.no_dicom")
    assert "--anatomy-seg, --patient" in note.what


def test_another_series_can_be_named(tmp_path: Path, fake_model: Model) -> None:
    second = replace(FLAIR, number=7, description="flair_again")
    study = export(tmp_path / "study", extra=(second,))
    numbers = segment_file(
        study, out=tmp_path / "out", config=SegmentConfig(report=False, policy="lenient"),
        series="flair_again", model=fake_model,
    )  # fmt: skip
    assert numbers.provenance.source is not None
    assert numbers.provenance.source["series"] == "7"
    with pytest.raises(UsageError, match="nonsense"):
        segment_file(study, out=tmp_path / "o", series="nonsense", model=fake_model)


def test_the_voxels_decide_where_headers_do_not(tmp_path: Path, fake_model: Model) -> None:
    """Two series without times and telling names: one is a FLAIR to look at, one its negative."""
    silent = Series(3, "head", 0.0, 0.0, None, ("RM",))
    write_series(tmp_path / "study", head(), AFFINE, series=silent)
    data = head()
    write_series(tmp_path / "study", data.max() - data, AFFINE, series=replace(silent, number=4))
    numbers = segment_file(tmp_path / "study", out=tmp_path / "out", config=QUICK, model=fake_model)
    assert numbers.provenance.source is not None
    assert numbers.provenance.source["series"] == "3"


def test_no_flair_no_result(tmp_path: Path, fake_model: Model) -> None:
    write_series(tmp_path / "study", head(), AFFINE, series=T1)
    with pytest.raises(UnusableInput, match="FLAIR"):
        segment_file(tmp_path / "study", out=tmp_path / "out", model=fake_model)
    assert names(tmp_path) == {"study"}


def test_two_patients_in_one_study_are_refused(tmp_path: Path, fake_model: Model) -> None:
    export(tmp_path / "study", extra=())
    other = replace(Study(), patient="Other^Person", patient_id="P-002")
    write_series(tmp_path / "study", head(), AFFINE, series=T1, study=other)
    with pytest.raises(SafetyRefusal, match="patients"):
        segment_file(tmp_path / "study", out=tmp_path / "out", model=fake_model)


def test_a_patient_written_in_two_ways_is_one_patient(tmp_path: Path, fake_model: Model) -> None:
    export(tmp_path / "study", extra=())
    same = replace(Study(), patient="TEST^PERSON^M")
    write_series(tmp_path / "study", head(), AFFINE, series=T1, study=same)
    numbers = segment_file(tmp_path / "study", out=tmp_path / "out", config=QUICK, model=fake_model)
    assert "scanner.patient_differs" in [finding.code for finding in numbers.findings]
    assert OBJECTS - {"report.pdf.dcm"} <= names(tmp_path / "out")


def test_without_a_study_there_is_a_result_and_a_word_about_the_objects(
    tmp_path: Path, fake_model: Model
) -> None:
    nameless = replace(FLAIR, extra={"StudyInstanceUID": ""})
    write_series(tmp_path / "study", head(), AFFINE, series=nameless)
    numbers = segment_file(tmp_path / "study", out=tmp_path / "out", config=QUICK, model=fake_model)
    assert not names(tmp_path / "out") & OBJECTS
    assert "scanner.no_objects" in [finding.code for finding in numbers.findings]


def test_objects_are_left_out_on_request(tmp_path: Path, fake_model: Model) -> None:
    config = SegmentConfig(report=False, dicom=False)
    segment_file(export(tmp_path / "study"), out=tmp_path / "out", config=config, model=fake_model)
    assert not names(tmp_path / "out") & OBJECTS


# ---------------------------------------------------------------- whose scan it is


def test_nobody_is_named_unless_asked(tmp_path: Path, fake_model: Model) -> None:
    study = export(tmp_path / "Test^Person" / "P-001")
    segment_file(study, out=tmp_path / "out", model=fake_model)
    for path in (tmp_path / "out").iterdir():
        if path.name not in OBJECTS:
            content = path.read_bytes()
            if path.name.endswith(".gz"):
                import gzip

                content = gzip.decompress(content)
            told = [secret for secret in SECRETS if secret.encode() in content]
            assert told == [], path.name


def test_the_patient_is_named_where_asked(tmp_path: Path, fake_model: Model) -> None:
    numbers = segment_file(
        export(tmp_path / "study"),
        out=tmp_path / "out",
        config=SegmentConfig(patient=True),
        model=fake_model,
    )
    patient = numbers.provenance.patient
    assert patient is not None
    assert (patient["patient_name"], patient["patient_id"]) == ("Test^Person", "P-001")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Test Person, P-001, study of 2024-02-29" in page
    assert pydicom.dcmread(tmp_path / "out" / "report.pdf.dcm").BurnedInAnnotation == "YES"


# ---------------------------------------------------------------- several studies


def test_several_studies_are_a_cohort_and_one_bad_one_does_not_stop_the_rest(
    tmp_path: Path, fake_model: Model, head_file: Path
) -> None:
    home = tmp_path / "disk"
    for number, name in ((1, "a"), (2, "b")):
        export(home / name, study=replace(Study(), number=number), extra=())
    write_series(home / "c", head(), AFFINE, series=T1, study=replace(Study(), number=3))
    shutil.copy(head_file, home / "d.nii.gz")
    cases = find_cases([home])
    assert [case.name for case in cases] == ["d", "a", "b", "c"]
    assert not is_alone([home], cases)
    outcomes = segment_cohort(cases, out=tmp_path / "out", config=QUICK, model=fake_model)
    assert [o.status for o in outcomes] == [Status.DONE] * 3 + [Status.FAILED]
    assert (tmp_path / "out" / "a" / "wmh.seg.dcm").is_file()
    assert outcomes[3].exit_code == 4
    again = segment_cohort(cases, out=tmp_path / "out", config=QUICK, model=fake_model)
    assert [o.status for o in again] == [Status.KEPT] * 3 + [Status.FAILED]


def test_studies_in_one_folder_are_numbered(tmp_path: Path) -> None:
    home = tmp_path / "flat"
    for number in (1, 2):
        folder = export(tmp_path / f"part{number}", study=Study(number=number), extra=())
        home.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.rename(home / f"{number}{path.name}")
    assert [case.name for case in find_cases([home])] == ["flat_1", "flat_2"]


def test_slices_one_by_one_are_no_scans(tmp_path: Path) -> None:
    study = export(tmp_path / "study", extra=())
    with pytest.raises(UsageError, match="one by one"):
        find_cases(sorted(study.iterdir()))


def test_one_study_in_a_folder_is_alone(tmp_path: Path) -> None:
    study = export(tmp_path / "study")
    with opened([study]) as inside:
        assert is_alone([study], find_cases(inside))


# ---------------------------------------------------------------- measuring


def test_a_segmentation_is_measured_on_its_study(tmp_path: Path, fake_model: Model) -> None:
    study = export(tmp_path / "study")
    made = segment_file(study, out=tmp_path / "out", config=QUICK, model=fake_model)
    for mask in ("wmh.seg.dcm", "wmh.nii.gz"):
        measured = measure_file(
            study, tmp_path / "out" / mask, out=tmp_path / f"measured_{mask}", config=QUICK,
            model=fake_model,
        )  # fmt: skip
        assert measured.volume_mm3 == made.volume_mm3
        assert measured.lesion_count == made.lesion_count
        seg = pydicom.dcmread(tmp_path / f"measured_{mask}" / "wmh.seg.dcm")
        assert seg.SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"


def test_a_segmentation_without_empty_planes_is_measured_where_it_lies(
    tmp_path: Path, fake_model: Model
) -> None:
    """Other software leaves out planes in which nothing is."""
    study = export(tmp_path / "study")
    made = segment_file(study, out=tmp_path / "out", config=QUICK, model=fake_model)
    whole = pydicom.dcmread(tmp_path / "out" / "wmh.seg.dcm")
    frames = whole.pixel_array
    kept = [index for index, frame in enumerate(frames) if frame.any()]
    assert 0 < len(kept) < len(frames)
    groups = whole.PerFrameFunctionalGroupsSequence
    whole.PerFrameFunctionalGroupsSequence = [groups[index] for index in reversed(kept)]
    whole.NumberOfFrames = len(kept)
    bits = np.packbits(frames[kept[::-1]].ravel(), bitorder="little").tobytes()
    whole.PixelData = bits + b"\0" * (len(bits) % 2)
    whole.save_as(tmp_path / "theirs.dcm")
    measured = measure_file(
        study, tmp_path / "theirs.dcm", out=tmp_path / "measured", config=QUICK, model=fake_model
    )
    assert measured.volume_voxels == made.volume_voxels


def test_a_segmentation_of_another_scan_is_refused(tmp_path: Path, fake_model: Model) -> None:
    study = export(tmp_path / "study")
    segment_file(study, out=tmp_path / "out", config=QUICK, model=fake_model)
    moved = AFFINE.copy()
    moved[:3, 3] += (7.0, 3.0, 1.0)
    write_series(tmp_path / "moved", head(), moved)
    with pytest.raises(GridMismatch):
        measure_file(
            tmp_path / "moved", tmp_path / "out" / "wmh.seg.dcm", out=tmp_path / "m",
            config=QUICK, model=fake_model,
        )  # fmt: skip


# ---------------------------------------------------------------- the command, and what it loads


def test_the_command_takes_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from brightness_network import write_weights

    weights = write_weights(tmp_path / "weights")
    study = export(tmp_path / "study")
    call = ["segment", str(study), "-o", str(tmp_path / "out"), "--weights", str(weights)]
    assert main([*call, "--no-report"]) == 0
    told = capsys.readouterr()
    assert "Series 3 (t2_flair_tra) was taken as the FLAIR" in told.err
    assert OBJECTS - {"report.pdf.dcm"} <= names(tmp_path / "out")
    assert main([*call, "--no-report", "--series", "none of these"]) == 2


def test_a_nifti_needs_no_dicom_library(tmp_path: Path, head_file: Path) -> None:
    from brightness_network import write_weights

    weights = write_weights(tmp_path / "weights")
    script = (
        "import sys\n"
        "from leuko.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "heavy = {'pydicom', 'highdicom', 'nibabel', 'SimpleITK'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    call = ["segment", head_file, "-o", tmp_path / "out", "--weights", weights, "--quiet"]
    subprocess.run([sys.executable, "-c", script, *call], check=True)


# ---------------------------------------------------------------- a real study


def test_a_real_study_is_segmented_as_its_nifti_is(shared_data: Path, tmp_path: Path) -> None:
    """Packed as it came: the FLAIR is found, and its mask is that of the converted NIfTI."""
    home = shared_data / "dicom" / "study" / "brain_tumor_progression_PGBM-003"
    numbers = segment_file(home / "in.zip", out=tmp_path / "out", config=QUICK)
    assert numbers.provenance.source is not None
    assert numbers.provenance.source["series_description"] == "FLAIR_reg"
    assert numbers.provenance.source["t1_series_description"] == "T1pre_reg"
    segment_file(home / "truth_flair.nii.gz", out=tmp_path / "nifti", config=QUICK)
    expected = points_of(read_mask(tmp_path / "nifti" / "wmh.nii.gz"))
    assert len(expected) > 0
    for found in (
        points_of(read_mask(tmp_path / "out" / "wmh.nii.gz")),
        points_of(read_seg(tmp_path / "out" / "wmh.seg.dcm")),
        points_by_highdicom(tmp_path / "out" / "wmh.seg.dcm"),
    ):
        assert_same_points(expected, found)
    for name in ("wmh.seg.dcm", "report.sr.dcm"):
        assert errors_of(tmp_path / "out" / name) == []
