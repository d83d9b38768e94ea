"""Tensors by world space, the round trip, and a torch data set over files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="tensors need torch")

from leuko.datasets import (  # noqa: E402
    FileDataset,
    Files,
    Item,
    PatchDataset,
    SliceDataset,
    examples_in,
    from_tensor,
    reassemble,
    to_tensor,
)
from leuko.errors import GridMismatch, ReadError, UsageError  # noqa: E402
from leuko.formats.write import write  # noqa: E402
from leuko.image.grid import Grid  # noqa: E402
from leuko.image.image import Image  # noqa: E402
from leuko.image.reorient import reorient  # noqa: E402
from leuko.preparation.case import CasePlan  # noqa: E402


def scan(shape: tuple[int, int, int] = (4, 5, 6)) -> Image:
    """Values that are 100 times the world's z plus 10 times y plus x, on a file of odd axes."""
    grid = Grid(shape, np.diag([1.0, 2.0, 3.0, 1.0]))
    i, j, k = np.indices(shape)
    image = Image((100 * 3 * k + 10 * 2 * j + i).astype(np.int16), grid)
    return reorient(image, to="ILP")


def test_the_axes_are_top_front_right_whatever_the_file_says() -> None:
    tensor, spacing = to_tensor(scan())
    assert tuple(tensor.shape) == (1, 6, 5, 4)
    assert spacing == (3.0, 2.0, 1.0)
    assert tensor.dtype == torch.float32
    k, j, i = torch.meshgrid(torch.arange(6), torch.arange(5), torch.arange(4), indexing="ij")
    assert torch.equal(tensor[0], (300 * k + 20 * j + i).float())


@pytest.mark.parametrize("volumes", [1, 3])
@given(code=st.sampled_from(["RAS", "LPS", "ILP", "PSR", "AIL"]))
@settings(max_examples=5, deadline=None)
def test_the_way_back_gives_the_file_again(code: str, volumes: int) -> None:
    image = reorient(scan(), to=code)
    if volumes > 1:
        data = np.stack([image.data + n for n in range(volumes)], axis=-1)
        image = Image(data, image.grid, seconds=2.0)
    back = from_tensor(to_tensor(image).tensor, like=image)
    assert back.grid == image.grid
    assert np.array_equal(image.data, back.data)
    assert back.seconds == image.seconds
    alone = from_tensor(torch.zeros(6, 5, 4, dtype=torch.uint8), like=image.grid)
    assert alone.data.dtype == np.uint8


def test_a_series_has_its_volumes_first() -> None:
    image = scan()
    series = Image(np.stack([image.data, image.data + 7], axis=-1), image.grid)
    tensor, _ = to_tensor(series)
    assert tuple(tensor.shape) == (2, 6, 5, 4)
    assert torch.equal(tensor[1], tensor[0] + 7)


def test_a_picture_has_rows_and_columns() -> None:
    grid = Grid((3, 2, 1), np.eye(4), oriented=False, sized=False)
    image = Image(np.arange(6, dtype=np.uint8).reshape(3, 2, 1), grid)
    tensor, spacing = to_tensor(image)
    assert tensor.tolist() == [[[0, 2, 4], [1, 3, 5]]]
    assert spacing == (1.0, 1.0)
    assert np.array_equal(image.data, from_tensor(tensor, like=image).data)


def test_values_are_normalised_where_asked() -> None:
    scored = to_tensor(scan(), normalise="zscore").tensor
    assert abs(float(scored.mean())) < 1e-5
    assert abs(float(scored.std(unbiased=False)) - 1) < 1e-4
    unit = to_tensor(scan(), normalise="unit").tensor
    assert (float(unit.min()), float(unit.max())) == (0.0, 1.0)
    flat: Any = Image(np.full((2, 2, 2), 5.0), Grid((2, 2, 2), np.eye(4)))
    for kind in ("zscore", "unit"):
        assert float(to_tensor(flat, normalise=kind).tensor.abs().max()) == 0.0  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no normalisation"):
        to_tensor(flat, normalise="loud")  # type: ignore[arg-type]


def test_the_tensor_does_not_share_the_images_memory() -> None:
    image = Image(np.zeros((2, 2, 2), dtype=np.float32, order="F"), Grid((2, 2, 2), np.eye(4)))
    to_tensor(image).tensor.fill_(9)
    assert image.data.max() == 0


def test_a_tensor_of_another_shape_is_refused() -> None:
    with pytest.raises(GridMismatch, match="voxels"):
        from_tensor(torch.zeros(1, 4, 5, 6), like=scan())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images" / "site").mkdir(parents=True)
    (tmp_path / "masks" / "site").mkdir(parents=True)
    for number, name in enumerate(("01", "02", "site/03")):
        image = scan((4, 5, 6 + number))
        write(image, tmp_path / "images" / f"{name}.nii.gz")
        mask = (image.data > 500).astype(np.uint8)
        write(image.with_data(mask), tmp_path / "masks" / f"{name}_lesions.nii.gz", labels=True)
    write(scan(), tmp_path / "images" / "01_seg.nii.gz")
    (tmp_path / "images" / "notes.txt").write_text("none of ours")
    return tmp_path


def test_files_are_paired_and_read_when_asked_for(folder: Path) -> None:
    examples = examples_in(folder / "images", masks=folder / "masks")
    assert [example.name for example in examples] == ["01", "02", "site_03"]

    def both(image: Image, mask: Image | None) -> tuple[Image, Image | None]:
        return image.with_data(image.data * 2), mask

    data = FileDataset(Files(examples, (both,)), normalise="none")
    assert len(data) == 3
    item = data[2]
    assert tuple(item["image"].shape) == (1, 8, 5, 4)
    assert item["mask"].dtype == torch.int64
    assert torch.equal(item["mask"] > 0, item["image"] > 1000)
    assert item["name"] == "site_03"
    assert item["spacing"].tolist() == [3.0, 2.0, 1.0]


def test_names_of_examples_are_unique(folder: Path) -> None:
    write(scan(), folder / "images" / "site_03.nrrd")
    names = [example.name for example in examples_in(folder / "images")]
    assert ["01", "02", "site_03", "site_03_2"] == sorted(names)


def test_a_loader_batches_the_files(folder: Path) -> None:
    files = Files(examples_in(folder / "images", masks=folder / "masks")[:1] * 2)
    batch = next(iter(torch.utils.data.DataLoader(FileDataset(files), batch_size=2)))
    assert tuple(batch["image"].shape) == (2, 1, 6, 5, 4)


def test_masks_are_optional_and_missing_ones_are_said(folder: Path) -> None:
    assert "mask" not in FileDataset(Files(examples_in(folder / "images")))[0]
    (folder / "masks" / "02_lesions.nii.gz").unlink()
    with pytest.raises(UsageError, match=r"02\.nii\.gz has 0 masks in masks"):
        examples_in(folder / "images", masks=folder / "masks")
    with pytest.raises(ReadError, match="no folder nowhere"):
        examples_in(folder / "nowhere")


def test_a_mask_of_another_place_is_refused(folder: Path) -> None:
    mask = scan((4, 5, 5))
    write(mask.with_data(mask.data * 0), folder / "masks" / "01_lesions.nii.gz", labels=True)
    files = Files(examples_in(folder / "images", masks=folder / "masks"))
    with pytest.raises(GridMismatch):
        files[0]


def test_without_torch_the_extra_is_named() -> None:
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import leuko.datasets as d; d.examples_in\n"
        "from leuko.errors import MissingExtra\n"
        "try: d.to_tensor\n"
        "except MissingExtra as e: print(e.what, e.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Making tensors needs torch" in done.stdout
    assert "leuko[train]" in done.stdout


def cases(tmp_path: Path, *, codes: tuple[str, ...] = ("RAS", "PIR")) -> list[Item]:
    """Scans of one body in files of several orders, with the rightmost voxels as label."""
    items = []
    for code in codes:
        image = reorient(scan((4, 5, 6)), to="RAS")
        right = np.zeros((4, 5, 6), np.uint8)
        right[3] = 1
        paths = tmp_path / f"{code}.nii.gz", tmp_path / f"{code}_mask.nii.gz"
        write(reorient(image, to=code), paths[0])
        write(reorient(Image(right, image.grid), to=code), paths[1])
        items.append(Item(code, code, paths[:1], paths[1]))
    return items


def test_slices_of_volumes_are_a_data_set_by_anatomy(tmp_path: Path) -> None:
    plan = CasePlan(axis="sagittal", intensity="none", size=(6, 5))
    slices = SliceDataset(cases(tmp_path), plan=plan, folder=tmp_path / "kept")
    assert len(slices) == 2 * 4
    ras, pir = slices[3], slices[4 + 3]
    assert (ras["name"], pir["name"], ras["index"]) == ("RAS", "PIR", 3)
    assert tuple(ras["image"].shape) == (1, 6, 5)
    assert torch.equal(ras["image"], pir["image"])
    assert ras["mask"].dtype == torch.int64
    assert ras["mask"].all()
    assert not slices[2]["mask"].any()


def test_neighbouring_slices_are_channels(tmp_path: Path) -> None:
    plan = CasePlan(axis="axial", intensity="none", neighbours=1, size=(5, 4))
    slices = SliceDataset(cases(tmp_path), plan=plan)
    assert tuple(slices[2]["image"].shape) == (3, 5, 4)
    assert slices[2]["image"][:, 0, 0].tolist() == [300, 600, 900]
    assert slices[0]["image"][:, 0, 0].tolist() == [0, 0, 300]


def test_patches_of_a_data_set_go_back_to_the_prepared_case(tmp_path: Path) -> None:
    plan = CasePlan(dims=3, intensity="none", size=(4, 4, 4))
    patches = PatchDataset(cases(tmp_path, codes=("RAS",)), plan=plan, stride=(2, 2, 2))
    found = [patches[n] for n in range(len(patches))]
    assert {tuple(one["image"].shape) for one in found} == {(1, 4, 4, 4)}
    whole = reassemble(
        (one["image"].numpy() for one in found),
        (tuple(one["start"].tolist()) for one in found),
        shape=(6, 5, 4),
    )
    assert np.array_equal(whole[0], to_tensor(scan()).tensor[0].numpy())
    assert all(one["mask"][..., 3].all() and not one["mask"][..., :3].any() for one in found)
    with pytest.raises(UsageError, match="dims: 3"):
        PatchDataset([], plan=CasePlan())


def test_both_data_sets_feed_a_loader(tmp_path: Path) -> None:
    plan = CasePlan(axis="coronal", size=(6, 4))
    loader = torch.utils.data.DataLoader(SliceDataset(cases(tmp_path), plan=plan), batch_size=5)
    assert [tuple(batch["image"].shape) for batch in loader] == [(5, 1, 6, 4)] * 2
