"""`leuko preprocess` from Python and from the command line, on the packaged sample."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

import leuko
from leuko.cli import main
from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.image.reorient import reorient
from leuko.models.sample import sample_path, truth_path
from leuko.pipelines.brain_extraction import extract_brain
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.preprocess import preprocess_image
from leuko.pipelines.preprocess_files import preprocess_files
from leuko.pipelines.preprocess_state import Session
from leuko.preparation.histogram import Landmarks, parse_landmarks
from leuko.preparation.steps import (
    N4,
    Brain,
    Crop,
    Normalise,
    Reorient,
    Resample,
    Shape,
    Window,
)


@pytest.fixture(scope="module")
def network() -> Model:
    return load_model(SegmentConfig())


@pytest.fixture(scope="module")
def scan() -> Image:
    return read(sample_path())


@pytest.fixture(scope="module")
def truth() -> Image:
    return read(truth_path())


@pytest.fixture
def small() -> Image:
    """A smooth object on a grid of its own kind."""
    x, y, z = np.indices((16, 18, 12))
    data = 100 * np.exp(-(((x - 8) / 5) ** 2 + ((y - 9) / 6) ** 2 + ((z - 6) / 4) ** 2))
    affine = np.diag([-1.0, 1.0, 2.0, 1.0])
    return Image(data.astype(np.float32), Grid((16, 18, 12), affine))


def test_the_brain_of_the_sample_is_one_solid_piece(
    scan: Image, truth: Image, network: Model
) -> None:
    from scipy import ndimage

    found = extract_brain(scan, model=network)
    assert 700 < found.brain_ml < 1400
    assert ndimage.label(found.brain.data)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(found.brain.data), found.brain.data > 0)
    assert (truth.data[found.brain.data > 0] > 0).sum() > 0.98 * (truth.data > 0).sum()
    assert not (found.white_matter.data.astype(bool) & (found.brain.data == 0)).any()
    larger = extract_brain(scan, model=network, margin_mm=4, extent="intracranial")
    assert larger.brain_ml > found.brain_ml
    assert (larger.brain.data >= found.brain.data).all()


def test_a_flipped_scan_has_the_flipped_result(scan: Image, network: Model) -> None:
    steps = [Brain(), N4(iterations=(5,)), Normalise(), Crop(to="brain")]
    session = Session(model=network)
    one = preprocess_image(scan, steps, session=session)
    other = preprocess_image(reorient(scan, to="ASL"), steps, session=session)
    assert np.array_equal(reorient(one.image, to="ASL").data, other.image.data)
    assert other.brain is not None
    inside = other.image.data[other.brain.data > 0]
    assert abs(float(inside.mean())) < 0.01
    assert abs(float(inside.std()) - 1) < 0.01
    assert (other.image.data[other.brain.data == 0] == 0).all()


def test_no_brain_is_one_clear_refusal(network: Model) -> None:
    noise = np.random.default_rng(0).random((40, 40, 20), dtype=np.float32)
    image = Image(noise, Grid((40, 40, 20), np.diag([3.0, 3.0, 5.0, 1.0])))
    with pytest.raises(UnusableInput, match="No brain was found"):
        preprocess_image(image, [Brain()], session=Session(model=network))


def test_steps_are_done_in_the_order_given(small: Image) -> None:
    found = leuko.preprocess(
        small,
        [
            Reorient(to="RAS"),
            Resample(spacing=2.0, kernel="cubic"),
            Window(low=10, high=90, rescale=True),
            Shape(voxels=(10, 10, 10)),
        ],
    )
    assert found.grid.shape == (10, 10, 10)
    assert found.grid.orientation.code == "RAS"
    assert found.grid.spacing == (2.0, 2.0, 2.0)
    assert (found.data.min(), found.data.max()) == (0.0, 1.0)


def test_the_mask_goes_along_with_its_labels(small: Image) -> None:
    labels = (small.data > 30).astype(np.uint8) * 3
    done = preprocess_image(
        small,
        [Resample(spacing=(0.7, 1.3, None)), Crop(to="mask", margin_mm=1), Reorient(to="SPL")],
        mask=small.with_data(labels),
    )
    assert done.mask is not None
    assert done.mask.grid == done.image.grid
    assert {0, 3} == set(np.unique(done.mask.data).tolist())
    expected = np.count_nonzero(labels) * small.grid.voxel_mm3
    assert np.count_nonzero(done.mask.data) * done.mask.grid.voxel_mm3 == pytest.approx(
        expected, rel=0.05
    )


def test_a_probability_map_goes_along_as_one(small: Image) -> None:
    probability = small.with_data(small.data / 100)
    done = preprocess_image(small, [Resample(spacing=0.8)], mask=probability)
    assert done.mask is not None
    assert np.allclose(done.mask.data, done.image.data / 100, atol=1e-4)


def test_every_method_of_normalisation(small: Image, tmp_path: Path) -> None:
    unit = leuko.preprocess(small, [Normalise(method="minmax", region="all")])
    assert (unit.data.min(), unit.data.max()) == (0.0, 1.0)
    clipped = leuko.preprocess(small, [Normalise(method="percentile", region="nonzero", high=80)])
    assert (clipped.data == 1.0).mean() > 0.1
    reference = small.with_data(small.data * 3 + 50)
    write(reference, tmp_path / "ref.nii.gz")
    step = Normalise(method="histogram", region="all", reference=str(tmp_path / "ref.nii.gz"))
    matched = leuko.preprocess(small, [step])
    assert np.abs(matched.data - reference.data).max() < 3
    scale = Landmarks(percentiles=(5, 50, 95), values=(0, 50, 100), images=2)
    (tmp_path / "scale.json").write_bytes(msgspec.json.encode(scale))
    step = Normalise(method="histogram", region="all", reference=str(tmp_path / "scale.json"))
    scaled = leuko.preprocess(small, [step])
    assert np.percentile(scaled.data, 50) == pytest.approx(50, abs=1)
    with pytest.raises(UsageError, match="something to be matched to"):
        leuko.preprocess(small, [Normalise(method="histogram", region="all")])


def test_a_series_is_treated_as_one(small: Image) -> None:
    series = Image(np.stack([small.data, 2 * small.data], axis=-1), small.grid, seconds=2.0)
    found = leuko.preprocess(
        series,
        [
            N4(region="foreground", iterations=(3,)),
            Normalise(method="percentile"),
            Resample(spacing=2.0),
            Crop(),
        ],
    )
    assert found.volumes == 2
    assert found.seconds == 2.0


def test_masks_and_pictures_that_do_not_fit_are_refused(small: Image) -> None:
    other = Image(small.data, Grid(small.grid.shape, np.eye(4)))
    with pytest.raises(GridMismatch):
        leuko.preprocess(small, [Crop()], mask=other)
    with pytest.raises(UsageError, match="no mask to crop to"):
        leuko.preprocess(small, [Crop(to="mask")])
    with pytest.raises(UsageError, match="no step"):
        leuko.preprocess(small, [])
    with pytest.raises(UsageError, match="impossible value"):
        leuko.preprocess(small, [Brain(margin_mm=-3)])
    picture = Image(small.data, Grid(small.grid.shape, np.eye(4), oriented=False, sized=False))
    with pytest.raises(UnusableInput, match="no size in mm"):
        leuko.preprocess(picture, [Resample()])
    with pytest.raises(UnusableInput, match="does not say how it lies"):
        leuko.preprocess(picture, [Reorient()])


def test_the_command_writes_images_and_a_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "preprocess", str(sample_path()), "-o", str(tmp_path / "out"), "--mask", str(truth_path()),
        "--brain", "--n4", "--resample", "2,2,6",
        "--normalise", "zscore", "--crop", "brain", "--shape", "80,100,24",
    ]  # fmt: skip
    assert main([*arguments, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "preprocessed.nii.gz",
        "preprocess.json",
        "brain.nii.gz",
        "mask.nii.gz",
        "bias_field.nii.gz",
    }
    assert record == json.loads((tmp_path / "out" / "preprocess.json").read_bytes())
    assert [step["step"] for step in record["steps"]] == [
        "brain", "n4", "resample", "normalise", "crop", "shape",
    ]  # fmt: skip
    assert record["provenance"]["input_sha256"] == read(sample_path()).source.sha256  # type: ignore[union-attr]
    assert record["provenance"]["weights_sha256"]
    image = read(tmp_path / "out" / "preprocessed.nii.gz")
    assert image.grid.shape == (80, 100, 24)
    assert read(tmp_path / "out" / "mask.nii.gz").grid == image.grid
    assert str(tmp_path) not in json.dumps(record)

    # An OUT of ours is replaced as a whole: nothing stale stays.
    again = ["preprocess", str(sample_path()), "-o", str(tmp_path / "out"), "--resample", "2", "-q"]
    assert main(again) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"preprocessed.nii.gz", "preprocess.json"}


def test_a_folder_is_done_case_by_case_and_one_bad_case_is_told(
    tmp_path: Path, small: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    images, masks = tmp_path / "in", tmp_path / "masks"
    (images / "b").mkdir(parents=True)
    masks.mkdir()
    for name, factor in (("a", 1), ("b/t1", 3)):
        write(small.with_data(small.data * factor), images / f"{name}.nii.gz")
    (images / "broken.nii.gz").write_bytes(b"no image")
    code = main(["preprocess", str(images), "-o", str(tmp_path / "out"), "--crop", "foreground"])
    assert code == 3
    told = capsys.readouterr()
    assert "broken: " in told.err
    assert "a: done" in told.out
    table = (tmp_path / "out" / "preprocess.tsv").read_text().splitlines()
    assert [row.split("\t")[:2] for row in table[1:]] == [
        ["a", "done"], ["b_t1", "done"], ["broken", "failed"],
    ]  # fmt: skip
    assert not (tmp_path / "out" / "broken").exists()
    (images / "broken.nii.gz").unlink()

    for name in ("a_mask", "b_t1"):
        write(small.with_data(small.data > 50), masks / f"{name}.nii.gz", labels=True)
    outcomes = preprocess_files(
        images,
        out=tmp_path / "out",
        mask=masks,
        steps=[Normalise(method="histogram", region="nonzero")],
    )
    assert [outcome.error for outcome in outcomes] == [None, None]
    medians = [
        float(np.median(read(tmp_path / "out" / name / "preprocessed.nii.gz").data))
        for name in ("a", "b_t1")
    ]
    assert medians[0] == pytest.approx(medians[1], abs=0.5)
    scale = (tmp_path / "out" / "standard_scale.json").read_bytes()
    assert parse_landmarks(scale, name="standard_scale.json").images == 2
    assert (tmp_path / "out" / "a" / "mask.nii.gz").is_file()


def test_steps_come_from_a_file_or_from_options(
    tmp_path: Path, small: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    write(small, tmp_path / "t1.nii.gz")
    (tmp_path / "steps.yaml").write_text("- {step: shape, voxels: [8, 8, 8]}\n- step: reorient\n")
    base = ["preprocess", str(tmp_path / "t1.nii.gz"), "-o", str(tmp_path / "out")]
    config = ["--config", str(tmp_path / "steps.yaml")]
    assert main([*base, *config]) == 0
    assert "8 x 8 x 8" in capsys.readouterr().out
    assert main([*base, *config, "--n4"]) == 2
    assert main(base) == 2
    assert main([*base, "--window", "teeth"]) == 2
    assert main([*base, "--window=-3,a"]) == 2
    assert main([*base, "--resample", "1,2"]) == 2
    assert main([*base, "--config", str(tmp_path / "none.yaml")]) == 3
    assert main(["preprocess", str(tmp_path / "no.nii"), "-o", str(tmp_path / "x"), "--n4"]) == 3
    assert not (tmp_path / "x").exists()


def test_a_foreign_folder_is_not_written_into(tmp_path: Path, small: Image) -> None:
    write(small, tmp_path / "t1.nii.gz")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    arguments = ["preprocess", str(tmp_path / "t1.nii.gz"), "-o", str(tmp_path / "mine"), "--crop"]
    assert main([*arguments, "foreground"]) == 6
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_ct_is_windowed_in_hounsfield_units(shared_data: Path) -> None:
    ct = read(shared_data / "tasks" / "ct" / "torso_ct.nii.gz")
    found = leuko.preprocess(ct, [Window(preset="soft-tissue", rescale=True)])
    assert (float(found.data.min()), float(found.data.max())) == (0.0, 1.0)
    assert np.array_equal(found.data == 1.0, ct.data >= 240)


@pytest.mark.parametrize(
    ("image", "labels", "least"),
    [
        ("wmh/nichart/Subj9/flair.nii.gz", "wmh/nichart/Subj9/muse_auto.nii.gz", 0.92),
        ("wmh/ljubljana/26/flair.nii.gz", "", 0.96),
    ],
)
def test_brains_agree_with_those_of_others(
    shared_data: Path, network: Model, image: str, labels: str, least: float
) -> None:
    from leuko.image.resample import resample

    scan = read(shared_data / image)
    reference = read(shared_data / labels) if labels else scan
    other = resample(reference, onto=scan.grid, kernel="nearest").data > 0
    found = extract_brain(scan, model=network).brain.data > 0
    dice = 2 * np.count_nonzero(found & other) / (found.sum() + other.sum())
    assert dice > least
