"""`leuko patches`: files in their place in the world, and the image again to the byte."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from leuko.cli import main
from leuko.datasets.layouts import DataSource, read_layout
from leuko.errors import GridMismatch, ReadError, UsageError, WriteError
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.image.reorient import reorient
from leuko.pipelines.patches import cut_patches, join_patches

AFFINE = np.array(
    [[-0.9, 0.1, 0.0, 40.0], [0.1, 0.9, 0.2, -7.0], [0.0, -0.2, 3.0, 9.0], [0, 0, 0, 1]]
)
SHAPE = (12, 10, 7)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """An oblique scan of which every voxel has a value of its own."""
    data = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    path = tmp_path / "sub-07_FLAIR.nii.gz"
    write(Image(data, Grid(SHAPE, AFFINE)), path, exact=True)
    return path


@pytest.fixture
def mask(scan: Path) -> Path:
    data = np.zeros(SHAPE, np.uint8)
    data[2:4, 3, 5] = 1
    path = scan.with_name("mask.nii.gz")
    write(Image(data, Grid(SHAPE, AFFINE)), path, labels=True)
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("kind", ["nifti", "npy"])
@pytest.mark.parametrize(("size", "stride"), [((5, 4, 3), (3, 4, 2)), ((8,), None), ((20,), (7,))])
def test_the_way_back_gives_values_type_and_header_again(
    scan: Path, kind: str, size: tuple[int, ...], stride: tuple[int, ...] | None
) -> None:
    pieces, whole = scan.with_name("pieces"), scan.with_name("whole.nii.gz")
    cut_patches(scan, pieces, size=size, stride=stride, format=kind)  # type: ignore[arg-type]
    join_patches(pieces, whole)
    before, after = read(scan), read(whole)
    assert after.grid == before.grid
    assert after.data.dtype == before.data.dtype == np.int16
    assert np.array_equal(before.data, after.data)


@pytest.mark.parametrize("name", ["wmh/tabriz/105465/flair", "wmh/unlabelled"])
def test_a_real_scan_comes_back_to_the_byte(shared_data: Path, tmp_path: Path, name: str) -> None:
    nibabel = pytest.importorskip("nibabel")
    place = shared_data / name
    path = next(iter(sorted(place.glob("*.nii*")))) if place.is_dir() else Path(f"{place}.nii.gz")
    cut_patches(path, tmp_path / "pieces", size=(64, 64, 16), stride=(48, 48, 16))
    join_patches(tmp_path / "pieces", tmp_path / "whole.nii.gz", weight="gaussian")
    before, after = nibabel.load(path), nibabel.load(tmp_path / "whole.nii.gz")
    assert np.array_equal(before.affine, after.affine)
    assert before.header["qform_code"] == after.header["qform_code"]
    assert np.array_equal(np.asanyarray(before.dataobj), np.asanyarray(after.dataobj))


def test_a_patch_keeps_its_place_in_the_world(scan: Path) -> None:
    pieces = scan.with_name("pieces")
    cut_patches(scan, pieces, size=(5, 4, 3), stride=(3, 4, 2))
    whole = read(scan)
    for row in rows(pieces):
        patch = read(pieces / row["image"])
        place = whole.grid.to_voxel(patch.grid.to_world((2, 1, 1))).round(3)
        assert patch.data[2, 1, 1] == whole.data[tuple(place.astype(int))]


def test_a_series_comes_back_with_all_its_volumes(scan: Path) -> None:
    data = np.random.default_rng(0).normal(size=(6, 5, 4, 3)).astype(np.float32)
    series = scan.with_name("bold.nii.gz")
    write(Image(data, Grid((6, 5, 4), AFFINE), seconds=2.5), series, exact=True)
    cut_patches(series, scan.with_name("p"), size=(4,), stride=(2,))
    back = join_patches(scan.with_name("p"), scan.with_name("w.nii.gz"), weight="gaussian")
    assert np.array_equal(back.data, data)
    assert read(scan.with_name("w.nii.gz")).seconds == 2.5


def test_two_numbers_cut_slices_by_anatomy(scan: Path) -> None:
    for code, shape in (("RAS", (4, 1, 4)), ("PIR", (1, 4, 4))):
        turned = scan.with_name(f"{code}.nii.gz")
        write(reorient(read(scan), to=code), turned)
        done = cut_patches(turned, scan.with_name(f"p{code}"), size=(4, 4), axis="coronal")
        assert done.size == shape


def test_pictures_are_cut_in_two_axes(tmp_path: Path) -> None:
    data = np.arange(12 * 9, dtype=np.uint8).reshape(12, 9, 1)
    grid = Grid((12, 9, 1), np.eye(4), oriented=False, sized=False)
    write(Image(data, grid), tmp_path / "a.png")
    assert cut_patches(tmp_path / "a.png", tmp_path / "p", size=(5,)).size == (5, 5, 1)
    join_patches(tmp_path / "p", tmp_path / "b.png")
    assert np.array_equal(read(tmp_path / "a.png").data, read(tmp_path / "b.png").data)


def test_the_index_is_a_list_to_train_from_and_counts_the_foreground(
    scan: Path, mask: Path
) -> None:
    pieces = scan.with_name("pieces")
    done = cut_patches(scan, pieces, size=(6, 5, 4), mask=mask)
    assert (done.patches, done.foreground) == (8, 1)
    assert [row["foreground"] for row in rows(pieces)] == ["0", "2", *["0"] * 6]
    items = read_layout(DataSource(layout="list", list=str(pieces / "index.tsv")))
    assert {item.subject for item in items} == {"sub-07"}
    assert all(item.label and item.label.is_file() for item in items)
    join_patches(pieces, scan.with_name("m.nii.gz"), masks=True)
    assert np.array_equal(read(mask).data, read(scan.with_name("m.nii.gz")).data)


def test_random_patches_lie_on_the_mask_as_often_as_asked(scan: Path, mask: Path) -> None:
    counts = []
    for seed in (1, 1, 2):
        folder = scan.with_name(f"p{len(counts)}")
        cut_patches(scan, folder, size=(3,), mask=mask, count=10, foreground=0.8, seed=seed)
        counts.append([(row["i"], row["j"], row["k"], row["foreground"]) for row in rows(folder)])
    assert sum(int(row[3]) > 0 for row in counts[0]) >= 8
    assert counts[0] == counts[1] != counts[2]


def test_patches_that_were_changed_are_averaged(scan: Path) -> None:
    pieces = scan.with_name("pieces")
    cut_patches(scan, pieces, size=(12, 10, 4), stride=(12, 10, 3))
    for number, row in enumerate(rows(pieces)):
        patch = read(pieces / row["image"])
        write(patch.with_data(np.full(patch.data.shape, number, np.float32)), pieces / row["image"])
    back = join_patches(pieces, scan.with_name("w.nii.gz"))
    assert back.data[0, 0].tolist() == [0, 0, 0, 0.5, 1, 1, 1]


# ---------------------------------------------------------------- refusals


def test_the_patches_hold_no_text_of_the_header(scan: Path, tmp_path: Path) -> None:
    raw = bytearray(__import__("gzip").decompress(scan.read_bytes()))
    raw[148:158] = b"JOHN^DOE42"  # descrip
    named = tmp_path / "named.nii"
    named.write_bytes(raw)
    cut_patches(named, tmp_path / "p", size=(6,), format="npy")
    import base64

    description = json.loads((tmp_path / "p" / "patches.json").read_text())
    assert b"JOHN" not in base64.b64decode(description["whole"]["header"])


def test_what_is_there_stays(scan: Path) -> None:
    pieces = scan.with_name("pieces")
    cut_patches(scan, pieces, size=(6,))
    with pytest.raises(WriteError, match="pieces is there already"):
        cut_patches(scan, pieces, size=(6,))
    with pytest.raises(WriteError, match="is there already"):
        join_patches(pieces, scan)


def test_a_mask_elsewhere_is_refused(scan: Path) -> None:
    other = scan.with_name("other.nii.gz")
    write(Image(np.ones(SHAPE, np.uint8), Grid(SHAPE, AFFINE + np.eye(4, k=3))), other)
    with pytest.raises(GridMismatch):
        cut_patches(scan, scan.with_name("p"), size=(6,), mask=other)
    assert not scan.with_name("p").exists()


def test_a_folder_that_is_not_whole_says_so(scan: Path, mask: Path) -> None:
    pieces, out = scan.with_name("pieces"), scan.with_name("w.nii.gz")
    with pytest.raises(ReadError, match="no folder of patches"):
        join_patches(scan.parent, out)
    cut_patches(scan, pieces, size=(6,))
    with pytest.raises(UsageError, match="no masks for all patches"):
        join_patches(pieces, out, masks=True)
    last = pieces / rows(pieces)[-1]["image"]
    write(Image(np.ones((2, 2, 2)), Grid((2, 2, 2), np.eye(4))), last)
    with pytest.raises(GridMismatch, match=r"has \(2, 2, 2\) voxels"):
        join_patches(pieces, out)
    last.unlink()
    with pytest.raises(ReadError):
        join_patches(pieces, out)


def test_random_patches_do_not_go_together(scan: Path) -> None:
    cut_patches(scan, scan.with_name("p"), size=(3,), count=4)
    with pytest.raises(UsageError, match="voxels uncovered"):
        join_patches(scan.with_name("p"), scan.with_name("w.nii.gz"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "p"],
        ["scan", "-o", "p"],
        ["scan", "-o", "p", "--size", "0"],
        ["scan", "-o", "p", "--size", "4x4x4x4"],
        ["scan", "-o", "p", "--size", "4", "--stride", "5"],
        ["scan", "-o", "p", "--size", "4", "--foreground", "0.5"],
        ["scan", "-o", "w.nii", "--reassemble", "p"],
        ["-o", "w.nii", "--reassemble", "p", "--size", "4"],
        ["-o", "w.doc", "--reassemble", "p"],
    ],
)
def test_calls_that_leave_open_what_is_meant_exit_with_2(
    scan: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(scan) if word == "scan" else word for word in arguments]
    assert main(["patches", *given]) == 2
    assert capsys.readouterr().err


def test_the_command_cuts_and_joins(scan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pieces, whole = str(scan.with_name("pieces")), str(scan.with_name("whole.nii.gz"))
    assert main(["patches", str(scan), "-o", pieces, "--size", "6x5x4"]) == 0
    assert capsys.readouterr().out == "pieces: 8 patches of 6 x 5 x 4 voxels\n"
    assert main(["patches", "--reassemble", pieces, "-o", whole, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"image": "whole.nii.gz", "shape": [12, 10, 7]}
