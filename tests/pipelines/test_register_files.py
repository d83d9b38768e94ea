"""`leuko register`: files in, a folder of results out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image as Pictures
from scipy import ndimage

import leuko
from leuko.cli import main
from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.register_files import register_files
from leuko.registration.apply import apply_to_image, apply_to_mask
from leuko.registration.transform_files import load_transform
from leuko.registration.transforms import Affine

MOVE = Affine.rigid(degrees=(8, -6, 15), shift=(10, -7, 5))
SHAPE = (48, 56, 44)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fixed.nii.gz; moving.nii.gz, the same head moved; mask.nii.gz of moving; noise.nii.gz."""
    folder = tmp_path_factory.mktemp("scans")
    rng = np.random.default_rng(1)
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    radius = np.sqrt(sum((a / 0.72) ** 2 for a in axes))
    folds = np.sign(ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.8))
    values = np.where(radius < 0.9, 400 + 140 * folds, 0.0) + 500 * (np.abs(radius - 0.97) < 0.04)
    affine = np.diag([-3.5, 3.5, 3.5, 1.0])
    affine[:3, 3] = (82, -96, -75)
    grid = Grid(SHAPE, affine)
    fixed = Image(ndimage.gaussian_filter(values, 0.7).astype(np.float32), grid)
    lesion = (np.sqrt(sum((a - 0.2) ** 2 for a in axes)) < 0.2).astype(np.uint8) * 3
    write(fixed, folder / "fixed.nii.gz")
    away = apply_to_image(fixed, transform=MOVE.inverse(), onto=grid, kernel="cubic")
    write(away, folder / "moving.nii.gz")
    write(Image(lesion, grid), folder / "fixed_mask.nii.gz", labels=True)
    moved = apply_to_mask(Image(lesion, grid), transform=MOVE.inverse(), onto=grid)
    write(moved, folder / "mask.nii.gz", labels=True)
    noise = rng.uniform(0, 500, SHAPE).astype(np.float32)
    write(Image(noise, grid), folder / "noise.nii.gz")
    return folder


@pytest.fixture(scope="module")
def done(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "OUT"
    register_files(
        scans / "fixed.nii.gz", scans / "moving.nii.gz", out=out, mask=scans / "mask.nii.gz"
    )
    return out


def test_a_run_writes_images_transform_pictures_and_numbers(done: Path) -> None:
    assert sorted(path.name for path in done.iterdir()) == [
        "checkerboard.png",
        "curve.svg",
        "moved.nii.gz",
        "moved_mask.nii.gz",
        "register.json",
        "transform.json",
        "transform.tfm",
    ]
    with Pictures.open(done / "checkerboard.png") as picture:
        assert picture.width > 1000
    assert (done / "curve.svg").read_text().startswith('<svg xmlns="http://www.w3.org/2000/svg"')


def test_the_moved_scan_and_its_mask_lie_on_the_fixed_scan(scans: Path, done: Path) -> None:
    fixed, moved = read(scans / "fixed.nii.gz"), read(done / "moved.nii.gz")
    assert moved.grid.corner_distance(fixed.grid) < 1e-3
    assert np.corrcoef(moved.data.ravel(), fixed.data.ravel())[0, 1] > 0.95
    truth, mask = read(scans / "fixed_mask.nii.gz").data, read(done / "moved_mask.nii.gz").data
    assert set(np.unique(mask)) == {0, 3}
    overlap = 2 * np.sum((mask > 0) & (truth > 0)) / (np.sum(mask > 0) + np.sum(truth > 0))
    assert overlap > 0.85


def test_the_numbers_tell_quality_trace_and_provenance(done: Path) -> None:
    content = json.loads((done / "register.json").read_text())
    assert content["quality"]["agreement"] > 0.9
    assert content["transform"]["angle_degrees"] == pytest.approx(MOVE.angle_degrees, abs=0.3)
    assert [level["step_mm"] for level in content["trace"]] == [8.0, 4.0, 2.0]
    assert content["provenance"]["program"] == "leuko"
    assert content["provenance"]["moving_name"] == "moving.nii.gz"
    assert str(done.parent) not in json.dumps(content)


def test_itk_brings_the_moving_scan_to_the_same_place(scans: Path, done: Path) -> None:
    fixed = sitk.ReadImage(str(scans / "fixed.nii.gz"))
    moving = sitk.ReadImage(str(scans / "moving.nii.gz"))
    transform = sitk.ReadTransform(str(done / "transform.tfm"))
    theirs = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform)).T
    ours = read(done / "moved.nii.gz").data
    assert (np.abs(theirs - ours) > 0.5).mean() < 1e-4


def test_a_transform_is_applied_and_undone(scans: Path, done: Path, tmp_path: Path) -> None:
    again, back = tmp_path / "again", tmp_path / "back"
    register_files(
        scans / "fixed.nii.gz",
        scans / "moving.nii.gz",
        out=again,
        transform=done / "transform.json",
    )
    assert (again / "moved.nii.gz").read_bytes() == (done / "moved.nii.gz").read_bytes()
    assert json.loads((again / "register.json").read_text())["quality"] is None
    register_files(
        scans / "moving.nii.gz",
        scans / "fixed.nii.gz",
        out=back,
        transform=done / "transform.tfm",
        inverse=True,
    )
    one, two = read(scans / "moving.nii.gz"), read(back / "moved.nii.gz")
    assert np.corrcoef(one.data.ravel(), two.data.ravel())[0, 1] > 0.95


def test_a_bend_is_written_for_both_worlds_and_applied_again(scans: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "OUT", tmp_path / "again"
    pair = (scans / "fixed.nii.gz", scans / "moving.nii.gz")
    from leuko.registration.register import Settings

    register_files(*pair, out=out, settings=Settings("bspline"))
    ours, theirs = load_transform(out / "transform.json"), load_transform(out / "transform.h5")
    points = np.random.default_rng(0).uniform(-40, 40, (30, 3))
    assert np.abs(ours.apply_to_points(points) - theirs.apply_to_points(points)).max() < 1e-2
    register_files(*pair, out=again, transform=out / "transform.json")
    apart = np.abs(read(again / "moved.nii.gz").data - read(out / "moved.nii.gz").data)
    assert (apart > 1).mean() < 1e-3
    back = tmp_path / "back"
    register_files(*pair[::-1], out=back, transform=out / "transform.json", inverse=True)
    one, two = read(pair[1]).data, read(back / "moved.nii.gz").data
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.9


def test_a_second_run_replaces_the_first_and_spares_what_is_not_ours(
    scans: Path, done: Path
) -> None:
    (done / "notes.txt").write_text("mine")
    register_files(scans / "fixed.nii.gz", scans / "moving.nii.gz", out=done)
    assert (done / "notes.txt").read_text() == "mine"
    assert not (done / "moved_mask.nii.gz").exists()


def test_a_failed_registration_writes_its_files_and_ends_with_4(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["register", str(scans / "fixed.nii.gz"), str(scans / "noise.nii.gz"), "-o"]
    assert main([*call, str(tmp_path / "OUT")]) == 4
    assert (tmp_path / "OUT" / "checkerboard.png").exists()
    assert "registration failed" in capsys.readouterr().err
    assert main([*call, str(tmp_path / "OUT"), "--lenient", "-q"]) == 0


def test_the_command_prints_register_json_when_asked(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(scans / "fixed.nii.gz"), str(scans / "moving.nii.gz")]
    assert main(["register", *files, "-o", str(tmp_path / "OUT"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["quality"]["blocks"] > 12


def test_wrong_calls_are_refused(scans: Path, tmp_path: Path) -> None:
    pair = (scans / "fixed.nii.gz", scans / "moving.nii.gz")
    with pytest.raises(UsageError, match="--inverse"):
        register_files(*pair, out=tmp_path / "a", inverse=True)
    small = Image(np.zeros((4, 4, 4), np.uint8), Grid((4, 4, 4), np.eye(4)))
    write(small, tmp_path / "small.nii.gz", labels=True)
    with pytest.raises(GridMismatch, match="mask"):
        register_files(*pair, out=tmp_path / "b", mask=tmp_path / "small.nii.gz")
    with pytest.raises(UnusableInput, match="too little"):
        register_files(pair[0], tmp_path / "small.nii.gz", out=tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_pictures_are_registered_in_pixels(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = read(scans / "fixed.nii.gz").data[:, :, 22]
    grey = ndimage.zoom(np.clip(values / 4, 0, 255), 4, order=1).astype(np.uint8)
    Pictures.fromarray(grey).save(tmp_path / "one.png")
    Pictures.fromarray(grey).rotate(11, translate=(6, -9)).save(tmp_path / "two.png")
    files = [str(tmp_path / "one.png"), str(tmp_path / "two.png")]
    assert main(["register", *files, "-o", str(tmp_path / "OUT")]) == 0
    assert "Turned by 11.0 degrees" in (said := capsys.readouterr().out)
    assert "0.0 pixels" in said


def test_register_is_a_public_function(scans: Path) -> None:
    fixed, moving = leuko.read(scans / "fixed.nii.gz"), leuko.read(scans / "moving.nii.gz")
    result = leuko.register(fixed, moving, method="translation")
    assert isinstance(result, leuko.Registration)
    assert result.quality is not None
    assert result.moved.grid == fixed.grid
