"""Visits in, a folder out: what it holds, what it says, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import pytest
from brightness_network import BrightnessEngine, make_head
from pydicom import Dataset

from leuko.change.classes import ChangeClass
from leuko.errors import LeukoError, SafetyRefusal, UnusableInput, UsageError
from leuko.findings import Policy
from leuko.formats.read import read_mask
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.dicom_outputs import Origin
from leuko.pipelines.from_scanner import Taken
from leuko.pipelines.longitudinal import longitudinal
from leuko.pipelines.longitudinal_files import dated, longitudinal_files, one_patient
from leuko.pipelines.longitudinal_result import Followed
from leuko.pipelines.longitudinal_statistics import ChangeStatistics, change_schema
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment, segment_file

GRID = Grid.from_spacing((60, 72, 44), (2.0, 2.0, 4.0))
QUICK = SegmentConfig(report=False, policy="lenient")
PLACE = (slice(20, 24), slice(30, 35), slice(24, 27))  # in white matter, away from the lesions
FILES = {
    "baseline", "baseline_to_followup.json", "baseline_to_followup.tfm", "change.nii.gz",
    "followup", "halfway_to_baseline.json", "halfway_to_baseline.tfm", "halfway_to_followup.json",
    "halfway_to_followup.tfm", "lesions.tsv", "stats.json",
}  # fmt: skip


def head(*, more: bool = False, gain: float = 1.0) -> Image:
    """The small head with its four lesions, and with one `more`."""
    values = np.array(make_head(), dtype=np.float32)
    if more:
        values[PLACE] = 1.9 * np.median(values[PLACE])
    rough = np.random.default_rng(3).normal(1, 0.004, values.shape)
    return Image((gain * values * rough).astype(np.float32), GRID)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for name, image in (("one", head()), ("two", head(more=True, gain=1.2))):
        paths.append(tmp_path / f"{name}.nii.gz")
        write(image, paths[-1])
    return paths


def test_a_new_lesion_is_the_only_change_and_backwards_one_that_is_gone(fake_model: Model) -> None:
    visits = head(), head(more=True, gain=1.2)
    done = longitudinal(*visits, config=QUICK, model=fake_model).change
    assert done.counts[ChangeClass.NEW] == 1
    assert done.counts[ChangeClass.STABLE] == len(done.lesions) - 1
    (new,) = [lesion for lesion in done.lesions if lesion.kind is ChangeClass.NEW]
    assert new.growth_mm3 == pytest.approx(4 * 5 * 3 * 16, rel=0.25)
    assert done.growth_ml == pytest.approx(new.growth_mm3 / 1000)
    assert done.regression_ml == 0
    assert done.net_change_ml == pytest.approx(done.followup_ml - done.baseline_ml)
    assert done.is_significant
    assert (done.map.data[PLACE] == 2).mean() > 0.85
    assert set(np.unique(done.map.data)) == {0, 1, 2}
    back = longitudinal(*visits[::-1], config=QUICK, model=fake_model).change
    assert back.counts[ChangeClass.DISAPPEARED] == 1
    assert (back.growth_ml, back.regression_ml) == (done.regression_ml, done.growth_ml)
    assert back.net_change_ml == -done.net_change_ml
    assert (back.map.data[PLACE] == 5).mean() > 0.85


def test_a_new_lesion_that_the_network_takes_for_grey_matter_is_told_by_the_difference(
    tmp_path: Path, fake_model: Model
) -> None:
    """As bright as cortex to the network, as bright as lesions beside those of this head."""
    normal = float(np.median(head().data[PLACE]))
    before = np.minimum(head().data, 1.64 * normal)
    after = np.array(before)
    after[PLACE] = 1.52 * normal
    paths = []
    for name, values in (("one", before), ("two", after)):
        paths.append(tmp_path / f"{name}.nii.gz")
        write(Image(values.astype(np.float32), GRID), paths[-1])
    done = longitudinal_files(paths, out=tmp_path / "out", config=QUICK, model=fake_model)
    assert done.counts.new == 1
    assert done.growth_ml == pytest.approx(4 * 5 * 3 * 16 / 1000, rel=0.35)
    assert done.followup_ml == pytest.approx(done.baseline_ml, rel=0.02)
    assert "change.overlooked" in [finding.code for finding in done.findings]
    assert (read_mask(tmp_path / "out/change.nii.gz").data[PLACE] == 2).mean() > 0.5
    rows = (tmp_path / "out/lesions.tsv").read_text().splitlines()
    (new,) = [row.split("\t") for row in rows if "\tnew\t" in row]
    assert new[2:4] == ["n/a", "n/a"]
    back = longitudinal_files(paths[::-1], out=tmp_path / "back", config=QUICK, model=fake_model)
    assert (back.counts.disappeared, back.regression_ml) == (1, done.growth_ml)
    assert (read_mask(tmp_path / "back/change.nii.gz").data[PLACE] == 5).mean() > 0.5


def test_out_holds_what_was_promised(tmp_path: Path, files: list[Path], fake_model: Model) -> None:
    days = [date(2020, 1, 1), date(2022, 1, 1)]
    numbers = longitudinal_files(
        files, out=tmp_path / "out", config=QUICK, days=days, model=fake_model
    )
    assert {entry.name for entry in (tmp_path / "out").iterdir()} == FILES
    assert read_mask(tmp_path / "out/change.nii.gz").grid.shape == GRID.shape
    assert numbers.counts.new == 1
    assert numbers.net_change_ml == numbers.followup_ml - numbers.baseline_ml
    assert numbers.years == pytest.approx(2.0, abs=0.01)
    assert numbers.net_change_ml_per_year == pytest.approx(numbers.net_change_ml / 2.0, rel=0.01)
    rows = (tmp_path / "out/lesions.tsv").read_text().splitlines()
    assert len(rows) - 1 == sum(msgspec.structs.astuple(numbers.counts))
    again = msgspec.json.decode((tmp_path / "out/stats.json").read_bytes(), type=ChangeStatistics)
    assert again == numbers
    alone = segment_file(files[0], out=tmp_path / "alone", config=QUICK, model=fake_model)
    assert numbers.baseline_ml == alone.volume_ml


def test_it_can_be_run_again_into_the_same_folder(
    tmp_path: Path, files: list[Path], fake_model: Model
) -> None:
    out = tmp_path / "out"
    longitudinal_files([*files, files[0]], out=out, config=QUICK, model=fake_model)
    assert (out / "between/visit2/stats.json").is_file()
    (out / "notes.txt").write_text("mine")
    longitudinal_files(files, out=out, config=QUICK, model=fake_model)
    assert {entry.name for entry in out.iterdir()} == FILES | {"notes.txt"}


def test_visits_that_were_segmented_before_are_used_again_whatever_their_place(
    tmp_path: Path, files: list[Path], fake_model: Model
) -> None:
    """A third visit comes: only that is segmented, and all numbers are those of a first run."""
    engine = fake_model.engine
    assert isinstance(engine, BrightnessEngine)
    config = SegmentConfig(report=False, policy="lenient", min_lesion_mm3=3.5)
    third = tmp_path / "three.nii.gz"
    write(head(more=True, gain=0.9), third)
    out = tmp_path / "out"
    longitudinal_files(files, out=out, config=config, model=fake_model)
    mask = (out / "followup/wmh.nii.gz").read_bytes()

    def calls(paths: list[Path], config: SegmentConfig) -> tuple[int, ChangeStatistics]:
        before = engine.calls
        done = longitudinal_files(paths, out=out, config=config, model=fake_model)
        return engine.calls - before, done

    own, _ = calls([*files, third], config)
    fresh = longitudinal_files(
        [*files, third], out=tmp_path / "fresh", config=config, model=fake_model
    )
    again, done = calls([*files, third], config)
    assert own > 0
    assert again == 0
    assert (out / "between/visit2/wmh.nii.gz").read_bytes() == mask
    assert msgspec.structs.replace(done, steps=[], provenance=fresh.provenance) == (
        msgspec.structs.replace(fresh, steps=[])
    )
    segmented = [step for step in done.steps if step.name == "segment"]
    assert [step.parameters.get("kept") for step in segmented] == [True] * 3
    other, _ = calls([*files, third], SegmentConfig(report=False, policy="lenient"))
    assert other == 3 * own


def test_more_visits_are_a_timeline(tmp_path: Path, files: list[Path], fake_model: Model) -> None:
    config = SegmentConfig(policy="lenient")
    out = tmp_path / "out"
    done = longitudinal_files([files[0], *files], out=out, config=config, model=fake_model)
    assert [visit.folder for visit in done.visits] == ["baseline", "visit2", "followup"]
    assert [step.counts.new for step in done.since_previous] == [0, 1]
    assert [step.counts.new for step in done.since_baseline] == [0, 1]
    assert done.counts.new == 1
    assert "change.same_scan" in [finding.code for finding in done.findings]
    assert (out / "between/visit2_to_followup/change.nii.gz").is_file()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "1 lesion is new" in page
    assert "Over time" in page
    assert "http" not in page.replace("http-equiv", "")
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "preview.png").read_bytes().startswith(b"\x89PNG")


def test_no_lesion_at_either_visit_is_zero(tmp_path: Path, fake_model: Model) -> None:
    plain = np.minimum(head().data, 1.35 * np.median(head().data[PLACE]))
    paths = []
    for name, gain in (("one", 1.0), ("two", 1.1)):
        paths.append(tmp_path / f"{name}.nii.gz")
        write(Image((gain * plain).astype(np.float32), GRID), paths[-1])
    done = longitudinal_files(
        paths, out=tmp_path / "out", config=SegmentConfig(policy="lenient"), model=fake_model
    )
    assert (done.baseline_ml, done.followup_ml, done.growth_ml) == (0, 0, 0)
    assert done.net_change_percent is None
    assert not done.change_is_significant
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "No lesion was found at either visit." in page


def test_the_packaged_schema_is_the_current_one() -> None:
    """After a change: write leuko.pipelines.longitudinal_statistics.change_schema() into it."""
    packaged = resources.files("leuko.pipelines").joinpath("longitudinal.schema.json")
    assert packaged.read_bytes() == change_schema()
    required = json.loads(change_schema())["$defs"]["ChangeStatistics"]["required"]
    assert {
        "baseline_ml", "followup_ml", "net_change_ml", "growth_ml", "regression_ml", "counts",
        "repeatability_percent", "change_is_significant", "findings", "provenance", "definitions",
    } <= set(required)  # fmt: skip


def test_what_is_no_flair_is_refused_by_the_name_of_its_visit(
    tmp_path: Path, files: list[Path], fake_model: Model
) -> None:
    flat = tmp_path / "flat.nii.gz"
    write(head().with_data(np.ones(GRID.shape, np.float32)), flat)
    with pytest.raises(UnusableInput, match=r"^Follow-up: "):
        longitudinal_files(
            [files[0], flat],
            out=tmp_path / "out",
            config=SegmentConfig(report=False),
            model=fake_model,
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("count", "days"),
    [(1, ()), (2, (date(2020, 1, 1),)), (2, (date(2022, 1, 1), date(2020, 1, 1)))],
)
def test_impossible_calls_are_refused(
    tmp_path: Path, files: list[Path], fake_model: Model, count: int, days: tuple[date, ...]
) -> None:
    with pytest.raises(UsageError):
        longitudinal_files(files[:count], out=tmp_path / "out", days=days, model=fake_model)


def test_two_people_are_refused_and_lenient_says_so(shared_data: Path, tmp_path: Path) -> None:
    scans = [shared_data / f"wmh/tabriz/{name}/flair.nii.gz" for name in ("105074", "105911")]
    quick = SegmentConfig(report=False)
    with pytest.raises(SafetyRefusal, match="laid over each other"):
        longitudinal_files(scans, out=tmp_path / "out", config=quick)
    assert not (tmp_path / "out").exists()


def test_errors_keep_their_kind_and_pickle(fake_model: Model) -> None:
    empty = replace(head(), data=np.zeros(GRID.shape, np.float32))
    with pytest.raises(LeukoError) as caught:
        longitudinal(head(), empty, model=fake_model, config=SegmentConfig())
    assert caught.value.exit_code == 4
    assert caught.value.what.startswith("Follow-up: ")


def of_patient(number: str, day: str = "20200101") -> Taken:
    header = Dataset()
    header.PatientID, header.StudyDate = number, day
    return Taken(head(), origin=Origin([header]))


def test_dicom_of_two_patients_is_refused_and_lenient_says_so() -> None:
    one, other = of_patient("17"), of_patient("18")
    assert one_patient([one, of_patient("17"), Taken(head())], policy=Policy.DEFAULT) == []
    with pytest.raises(SafetyRefusal, match="different patients"):
        one_patient([one, other], policy=Policy.DEFAULT)
    (found,) = one_patient([one, other], policy=Policy.LENIENT)
    assert found.code == "change.patients"
    assert "17" not in found.what


def test_study_dates_count_where_they_are_in_order(fake_model: Model) -> None:
    result = segment(head(), config=QUICK, model=fake_model)
    visits = [Followed(name, head(), result) for name in ("baseline", "followup")]
    early, late = of_patient("17"), of_patient("17", "20220301")
    known, about = dated(visits, [early, late], ())
    assert [visit.day for visit in known] == [date(2020, 1, 1), date(2022, 3, 1)]
    assert about == []
    unknown, about = dated(visits, [late, early], ())
    assert [visit.day for visit in unknown] == [None, None]
    assert [finding.code for finding in about] == ["change.order"]
