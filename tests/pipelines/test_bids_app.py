"""The BIDS-App: names, choice of scans, derivatives that the official validator accepts."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from brightness_network import make_head, write_weights

from leuko import cli
from leuko.cli.bids import _spread
from leuko.errors import ReadError, SafetyRefusal, UsageError, WriteError
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.sample import sample_path
from leuko.pipelines.bids import bids_participants, root_of
from leuko.pipelines.bids_files import asked_files
from leuko.pipelines.bids_filter import filtered, read_filters
from leuko.pipelines.bids_group import bids_group
from leuko.pipelines.bids_names import parsed
from leuko.pipelines.cases import find_cases, named
from leuko.pipelines.cases_bids import cases_of_bids
from leuko.pipelines.cohort_table import Status
from leuko.registration.transform_files import load_transform


def study(root: Path, *names: str) -> Path:
    """A BIDS data set with empty files of these names."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (root / "dataset_description.json").write_text('{"Name": "S", "BIDSVersion": "1.8.0"}')
    return root


def head(path: Path) -> None:
    data = make_head((40, 48, 30))
    write(Image(data, Grid.from_spacing(data.shape, (3.0, 3.0, 5.0))), path)


# ---------------------------------------------------------------- names and scans


def test_a_name_is_taken_apart_and_put_together_in_the_order_of_the_standard() -> None:
    name = parsed(Path("sub-01_ses-a_acq-3d_run-2_FLAIR.nii.gz"))
    assert name is not None
    assert (name.subject, name.session, name.suffix) == ("01", "a", "FLAIR")
    assert name.stem("mask", label="WMH", space="MNI") == (
        "sub-01_ses-a_acq-3d_run-2_space-MNI_label-WMH_mask"
    )
    assert name.folder() == Path("sub-01/ses-a/anat")
    for other in ("FLAIR.nii.gz", "sub-_FLAIR.nii", "sub-01_x_FLAIR.nii", "sub-01_foo-1_FLAIR.nii"):
        assert parsed(Path(other)) is None


def test_the_version_is_told_as_bids_apps_must(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bids", "--version"]) == 0
    assert capsys.readouterr().out.startswith("leuko 0.")


def test_of_a_data_set_the_flairs_of_its_subjects_count(tmp_path: Path) -> None:
    root = study(
        tmp_path,
        "sub-01/anat/sub-01_FLAIR.nii.gz",
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_run-1_FLAIR.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_run-2_FLAIR.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_ce-gd_T1w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_run-2_T1w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_run-1_T1w.nii.gz",
        "derivatives/x/sub-01/anat/sub-01_desc-x_FLAIR.nii.gz",
        "sourcedata/sub-09/anat/sub-09_FLAIR.nii.gz",
    )
    (root / "participants.tsv").write_text(
        "participant_id\tage\tsex\tgroup\nsub-01\t71\tM\tn/a\nsub-02\t89+\tF\tms\n"
    )
    (root / "sub-02" / "sub-02_sessions.tsv").write_text("session_id\tage\nses-1\t64.5\n")
    cases = find_cases([root])
    assert [case.name for case in cases] == ["sub-01", "sub-02_ses-1_run-1", "sub-02_ses-1_run-2"]
    assert [(case.age, case.sex, case.group) for case in cases] == [
        (71.0, "male", ""), (64.5, "female", "ms"), (64.5, "female", "ms")
    ]  # fmt: skip
    assert [case.t1.name for case in cases if case.t1] == [
        "sub-01_T1w.nii.gz", "sub-02_ses-1_run-1_T1w.nii.gz", "sub-02_ses-1_run-2_T1w.nii.gz"
    ]  # fmt: skip
    assert len(cases_of_bids(root, subjects=["02"])) == 2
    assert len(cases_of_bids(root, sessions=["1"])) == 2
    with pytest.raises(UsageError, match="sub-07"):
        cases_of_bids(root, subjects=["02", "07"])
    with pytest.raises(ReadError):
        cases_of_bids(root / "none")


def test_a_filter_chooses_by_entities(tmp_path: Path) -> None:
    root = study(
        tmp_path,
        "sub-01/anat/sub-01_acq-3d_FLAIR.nii.gz",
        "sub-01/anat/sub-01_acq-2d_FLAIR.nii.gz",
        "sub-01/anat/sub-01_FLAIR.nii.gz",
        "sub-01/anat/sub-01_acq-x_T1w.nii.gz",
    )
    file = tmp_path / "filter.json"

    def chosen(content: object) -> list[str]:
        file.write_text(json.dumps(content))
        found = filtered(cases_of_bids(root), read_filters(file))
        return [case.path.name.split("_", 1)[1] + ("+T1" if case.t1 else "") for case in found]

    assert chosen({"flair": {"acquisition": "3d"}}) == ["acq-3d_FLAIR.nii.gz+T1"]
    assert chosen({"flair": {"acq": ["2d", None], "suffix": "FLAIR"}}) == [
        "FLAIR.nii.gz+T1", "acq-2d_FLAIR.nii.gz+T1"
    ]  # fmt: skip
    assert chosen({"flair": {"acq": "3d"}, "t1w": {"acq": "y"}}) == ["acq-3d_FLAIR.nii.gz"]
    for wrong in ({"flair": {"acq": "4d"}}, {"bold": {}}, {"flair": {"colour": 1}}, [1]):
        with pytest.raises(UsageError):
            chosen(wrong)


def test_options_are_understood_as_other_apps_write_them() -> None:
    call = ["in", "out", "participant", "--participant_label", "01", "02", "--n_cpus", "2"]
    assert _spread(call) == [
        "in", "out", "participant", "--participant-label", "01", "--participant-label", "02",
        "--n-cpus", "2",
    ]  # fmt: skip
    assert _spread(["--participant-label", "01", "in", "out", "group", "-q"]) == [
        "--participant-label", "01", "in", "out", "group", "-q"
    ]  # fmt: skip
    assert _spread(["in", "out", "participant", "--session-label=1", "x"])[-2:] == [
        "--session-label=1", "x"
    ]  # fmt: skip


# ---------------------------------------------------------------- derivatives


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A data set of three scans, one of which is none, its derivatives, and the weights."""
    home = tmp_path_factory.mktemp("bids")
    root = study(home / "study", "sub-03/anat/sub-03_FLAIR.nii.gz")
    for name in ("sub-01/ses-1/anat/sub-01_ses-1_acq-3d", "sub-02/ses-1/anat/sub-02_ses-1"):
        path = root / f"{name}_FLAIR.nii.gz"
        path.parent.mkdir(parents=True)
        head(path)
    weights = write_weights(home / "weights")
    out = root / "derivatives" / "leuko"
    cases = named(cases_of_bids(root))
    outcomes = bids_participants(cases, root=root, out=out, weights=weights)
    assert [outcome.status.value for outcome in outcomes] == ["done", "done", "failed"]
    bids_group(cases, root=root, out=out)
    return root, out, weights


@pytest.fixture(scope="module")
def in_mni(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The packaged sample in a data set, and the folder of its derivatives with the mask in MNI."""
    root = study(tmp_path_factory.mktemp("mni"))
    scan = root / "sub-01" / "anat" / "sub-01_run-2_FLAIR.nii.gz"
    scan.parent.mkdir(parents=True)
    shutil.copy(sample_path(), scan)
    out = root / "derivatives" / "leuko"
    call = ["bids", str(root), str(out), "participant", "--mni", "--no-report", "--quiet"]
    assert cli.main(call) == 0
    return scan, out / "sub-01" / "anat"


def test_derivatives_have_the_names_and_sidecars_of_the_standard(
    made: tuple[Path, Path, Path],
) -> None:  # fmt: skip
    root, out, _ = made
    folder = out / "sub-01" / "ses-1" / "anat"
    stem = "sub-01_ses-1_acq-3d"
    mask = read(folder / f"{stem}_label-WMH_mask.nii.gz")
    assert mask.grid == read(root / "sub-01/ses-1/anat" / f"{stem}_FLAIR.nii.gz").grid
    about = json.loads((folder / f"{stem}_label-WMH_mask.json").read_text())
    assert about["Type"] == "Lesion"
    assert about["Sources"] == [f"bids:raw:sub-01/ses-1/anat/{stem}_FLAIR.nii.gz"]
    lesions = read(folder / f"{stem}_seg-lesions_dseg.nii.gz").data
    with (folder / f"{stem}_seg-lesions_dseg.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    assert [int(row["index"]) for row in rows] == list(range(1, int(lesions.max()) + 1))
    assert int(rows[0]["voxels"]) == np.count_nonzero(lesions == 1)
    described = json.loads((folder / f"{stem}_seg-lesions_dseg.json").read_text())
    assert described["volume_mm3"]["Units"] == "mm^3"
    probability = read(folder / f"{stem}_label-WMH_probseg.nii.gz").data
    assert 0.5 < probability.max() <= 1
    assert (folder / f"{stem}_desc-wmh_report.html").is_file()
    told = json.loads((out / "dataset_description.json").read_text())
    assert told["DatasetType"] == "derivative"
    assert told["GeneratedBy"][0]["Name"] == "leuko"
    assert (out / told["DatasetLinks"]["raw"]).samefile(root)
    assert not (out / ".leuko-work").exists()


def test_the_group_level_makes_a_table_and_a_page_with_what_failed(
    made: tuple[Path, Path, Path],
) -> None:  # fmt: skip
    _, out, _ = made
    with (out / "phenotype" / "wmh.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    assert [(row["participant_id"], row["session_id"]) for row in rows] == [
        ("sub-01", "ses-1"), ("sub-02", "ses-1")
    ]  # fmt: skip
    described = json.loads((out / "phenotype" / "wmh.json").read_text())
    assert set(rows[0]) <= set(described)
    assert described["volume_ml"]["Units"] == "ml"
    for name, told in described.items():
        if name not in ("Description", "MeasurementToolMetadata"):
            assert told["Description"].endswith("."), name
            assert " " in told["Description"] or name in ("participant_id", "session_id"), name
        if name.endswith(("_ml", "_mm3", "_count", "_percent", "_voxels")):
            assert told["Units"], name
    page = (out / "cohort.html").read_text(encoding="utf-8")
    assert "sub-03" in page
    assert 'href="sub-01/ses-1/anat/sub-01_ses-1_acq-3d_desc-wmh_report.html"' in page


def test_finished_scans_are_kept_and_failed_ones_tried_again(
    made: tuple[Path, Path, Path], tmp_path: Path
) -> None:  # fmt: skip
    root, out, weights = made
    copy = tmp_path / "study"
    shutil.copytree(root, copy)
    out = copy / "derivatives" / "leuko"
    head(copy / "sub-03/anat/sub-03_FLAIR.nii.gz")
    cases = named(cases_of_bids(copy))
    outcomes = bids_participants(cases, root=copy, out=out, weights=weights)
    assert [o.status for o in outcomes] == [Status.KEPT, Status.KEPT, Status.DONE]
    assert not list(out.rglob("*_failure.json"))


def test_a_single_scan_named_by_bids_becomes_derivatives_too(
    made: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    root, _, weights = made
    scan = root / "sub-01/ses-1/anat/sub-01_ses-1_acq-3d_FLAIR.nii.gz"
    call = ["segment", str(scan), "-o", str(tmp_path / "out"), "--bids", "--no-report", "-q"]
    assert cli.main([*call, "--weights", str(weights)]) == 0
    folder = tmp_path / "out" / "sub-01" / "ses-1" / "anat"
    about = json.loads((folder / "sub-01_ses-1_acq-3d_label-WMH_mask.json").read_text())
    assert about["Sources"] == [f"bids:raw:{scan.relative_to(root).as_posix()}"]
    other = tmp_path / "scan.nii.gz"
    other.write_bytes(scan.read_bytes())
    with pytest.raises(UsageError, match="not named by BIDS"):
        root_of(find_cases([other]))


def test_scans_are_never_among_the_results(made: tuple[Path, Path, Path], tmp_path: Path) -> None:
    root, _, weights = made
    cases = named(cases_of_bids(root))
    with pytest.raises(SafetyRefusal):
        bids_participants(cases, root=root, out=root, weights=weights)
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(WriteError):
        bids_participants(cases, root=root, out=tmp_path, weights=weights)
    with pytest.raises(ReadError, match="no derivative"):
        bids_group(cases, root=root, out=tmp_path / "new")


def test_a_mask_in_mni_space_and_the_way_there_have_their_names(
    in_mni: tuple[Path, Path],
) -> None:
    scan, folder = in_mni
    stem = "sub-01_run-2"
    there = read(folder / f"{stem}_space-MNI152NLin2009aSym_label-WMH_mask.nii.gz")
    assert there.grid.shape == (197, 233, 189)
    about = json.loads(
        (folder / f"{stem}_space-MNI152NLin2009aSym_label-WMH_mask.json").read_text()
    )
    assert (about["Type"], about["SpatialReference"]) == ("Lesion", "MNI152NLin2009aSym")
    assert about["Sources"] == [f"bids:raw:sub-01/anat/{scan.name}"]
    # To bring an image from FLAIR to MNI, each point of MNI is asked where it lies in the FLAIR.
    way = load_transform(folder / f"{stem}_from-FLAIR_to-MNI152NLin2009aSym_mode-image_xfm.h5")
    here = read(folder / f"{stem}_label-WMH_mask.nii.gz")
    places = way.apply_to_points(there.grid.to_world(np.argwhere(there.data > 0)))
    voxels = np.rint(here.grid.to_voxel(places)).astype(int)
    assert np.mean(here.data[tuple(voxels.T)] > 0) > 0.99
    assert not list(folder.glob("*mni_to_scan*"))
    numbers = json.loads((folder / f"{stem}_desc-wmh_stats.json").read_text())
    assert numbers["lobes"]["frontal"]["left"]["volume_ml"] > 0


def test_what_is_no_longer_asked_for_goes_and_what_is_the_users_stays(tmp_path: Path) -> None:
    name = parsed(Path("sub-01_FLAIR.nii.gz"))
    assert name is not None
    for tail in (
        "desc-wmh_report.pdf", "desc-wmh_failure.json", "label-WMH_mask.nii.gz", "T1w.nii.gz",
        "space-MNI152NLin2009aSym_label-WMH_mask.json", "space-MNI152NLin6Asym_desc-own_T1w.nii.gz",
        "from-FLAIR_to-MNI152NLin2009aSym_mode-image_xfm.h5", "run-2_desc-wmh_report.pdf",
    ):  # fmt: skip
        (tmp_path / f"sub-01_{tail}").write_bytes(b"")
    assert asked_files(tmp_path, name=name) == {
        "sub-01_desc-wmh_report.pdf",
        "sub-01_space-MNI152NLin2009aSym_label-WMH_mask.json",
        "sub-01_from-FLAIR_to-MNI152NLin2009aSym_mode-image_xfm.h5",
    }


@pytest.mark.parametrize("which", ["made", "in_mni"])
def test_the_official_validator_finds_no_error(which: str, request: pytest.FixtureRequest) -> None:
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    made = request.getfixturevalue(which)[1]
    out = next(home for home in (made, *made.parents) if (home / "README.md").is_file())
    done = subprocess.run(
        [validator, "--json", out], capture_output=True, text=True, check=False, timeout=300
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert {issue["code"] for issue in issues} <= {"TOO_FEW_AUTHORS"}
