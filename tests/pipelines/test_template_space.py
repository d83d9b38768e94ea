"""Lobes, atlases and the mask in MNI space of a real thick scan, and of one without a place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mni_atlases import NAMES, write_quarters

from leuko.anatomy.lobes import Lobe
from leuko.cli import main
from leuko.errors import ReadError
from leuko.formats.read import read_mask, read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.measure import measure
from leuko.pipelines.segment_cohort import segment_cohort
from leuko.pipelines.template_space import FROM_MNI, IN_MNI
from leuko.registration.transform_files import load_transform


@pytest.fixture(scope="module")
def case(shared_data: Path) -> Path:
    return shared_data / "wmh" / "tabriz" / "105465"


@pytest.fixture(scope="module")
def out(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of a run that asks for everything."""
    folder = tmp_path_factory.mktemp("mni")
    atlas = write_quarters(folder)
    (folder / "names.tsv").write_text(NAMES)
    code = main(
        ["segment", str(case / "flair.nii.gz"), "-o", str(folder / "out"), "--no-report",
         "--quiet", "--mni", "--atlas", str(atlas), "--atlas-labels", str(folder / "names.tsv"),
         "--atlas-map"]
    )  # fmt: skip
    assert code == 0
    return folder / "out"


@pytest.fixture(scope="module")
def numbers(out: Path) -> dict:
    return json.loads((out / "stats.json").read_bytes())


def test_lobes_add_up_to_the_volume(numbers: dict) -> None:
    sides = [side for lobe in numbers["lobes"].values() for side in lobe.values()]
    assert set(numbers["lobes"]) == {str(lobe) for lobe in Lobe}
    total = sum(side["volume_ml"] for side in sides)
    assert total == pytest.approx(numbers["volume_ml"], rel=1e-9)
    assert sum(side["lesion_count"] for side in sides) == numbers["lesion_count"]
    right = sum(lobe["right"]["volume_ml"] for lobe in numbers["lobes"].values())
    assert right == pytest.approx(numbers["right_ml"], abs=numbers["midline_ml"] + 1e-9)


def test_the_mask_in_mni_space_is_that_of_a_larger_head(out: Path, numbers: dict) -> None:
    mask = read_mask(out / IN_MNI)
    assert IN_MNI == "wmh_space-MNI152NLin2009aSym.nii.gz"
    assert mask.grid.shape == (197, 233, 189)
    assert mask.grid.to_world((98, 134, 72)).tolist() == [0.0, 0.0, 0.0]
    place = numbers["template"]
    assert place["volume_ml"] == pytest.approx(numbers["volume_ml"] / place["head_scale"])
    assert np.count_nonzero(mask.data) / 1000 == pytest.approx(place["volume_ml"], rel=0.25)
    assert place["brain_overlap"] > 0.85


@pytest.mark.parametrize("suffix", [".json", ".h5"])
def test_the_transform_leads_from_mni_to_the_scan(out: Path, suffix: str) -> None:
    """What is in the mask there is in the mask here."""
    there, here = read_mask(out / IN_MNI), read_mask(out / "wmh.nii.gz")
    moved = load_transform(out / f"{FROM_MNI}{suffix}").apply_to_points(
        there.grid.to_world(np.argwhere(there.data > 0))
    )
    voxels = np.rint(here.grid.to_voxel(moved)).astype(int)
    assert np.mean(here.data[tuple(voxels.T)] > 0) > 0.995


def test_the_atlas_table_adds_up_and_agrees_with_the_map(out: Path, numbers: dict) -> None:
    rows = [line.split("\t") for line in (out / "atlas_quarters.tsv").read_text().splitlines()]
    assert rows[0] == ["value", "region", "region_ml", "volume_ml", "lesion_count", "percent"]
    assert [row[1] for row in rows[1:]] == ["Front L", "Front R", "Back L", "Back R",
                                            "outside the atlas"]  # fmt: skip
    assert sum(float(row[3]) for row in rows[1:]) == pytest.approx(numbers["volume_ml"], abs=1e-3)
    here, mask = read_mask(out / "atlas_quarters.nii.gz"), read_mask(out / "wmh.nii.gz")
    assert here.grid == mask.grid
    front_left = np.count_nonzero((here.data == 1) & (mask.data > 0)) * mask.grid.voxel_mm3 / 1000
    assert float(rows[1][3]) == pytest.approx(front_left, abs=1e-4)
    record = numbers["atlases"]["quarters"]
    assert [region["name"] for region in record["regions"]] == [row[1] for row in rows[1:5]]
    assert "quarters sha256:" in numbers["provenance"]["parameters"]["atlases"]


def test_quarters_of_the_atlas_lie_where_the_head_has_them(out: Path) -> None:
    """Left of the atlas is left in the world; front is in front."""
    here = read_mask(out / "atlas_quarters.nii.gz")
    middle = {
        value: here.grid.to_world(np.argwhere(here.data == value)).mean(axis=0)
        for value in (1, 2, 3, 4)
    }
    assert middle[1][0] < middle[2][0] - 30
    assert middle[3][0] < middle[4][0] - 30
    assert middle[1][1] > middle[3][1] + 50


def test_a_repeated_run_takes_old_atlas_tables_away(out: Path, case: Path) -> None:
    """And keeps what the user put there, whatever it is called."""
    (out / "atlas_mine.tsv").write_text("kept")
    code = main(["segment", str(case / "flair.nii.gz"), "-o", str(out), "--no-report", "--quiet"])
    assert code == 0
    assert not (out / "atlas_quarters.tsv").exists()
    assert not (out / "atlas_quarters.nii.gz").exists()
    assert not (out / IN_MNI).exists()
    assert (out / "atlas_mine.tsv").read_text() == "kept"
    content = json.loads((out / "stats.json").read_bytes())
    assert content["lobes"] is None
    assert content["atlases"] is None
    assert content["template"] is None


def test_flipped_axes_give_the_same_lobes(case: Path) -> None:
    flair, mask = read_scan(case / "flair.nii.gz"), read_mask(case / "lesions.nii.gz")
    config = SegmentConfig(lobes=True)
    turned = np.diag([-1.0, -1.0, 1.0, 1.0])
    turned[0, 3], turned[1, 3] = (n - 1 for n in flair.grid.shape[:2])
    grid = Grid(flair.grid.shape, flair.grid.affine @ turned)

    def flipped(image: Image) -> Image:
        return Image(np.ascontiguousarray(image.data[::-1, ::-1]), grid)

    one = measure(flair, mask, config=config)
    other = measure(flipped(flair), flipped(mask), config=config)
    assert one.lobes is not None
    assert one.lobes == other.lobes


def test_without_an_orientation_there_are_no_lobes_but_a_finding(case: Path) -> None:
    flair, mask = read_scan(case / "flair.nii.gz"), read_mask(case / "lesions.nii.gz")
    grid = Grid(flair.grid.shape, np.diag([*flair.grid.spacing, 1.0]), oriented=False)
    found = measure(
        Image(flair.data, grid), Image(mask.data, grid), config=SegmentConfig(lobes=True)
    )
    assert found.lobes is None
    assert found.template is None
    assert "atlas.not_landed" in {finding.code for finding in found.findings}


def test_a_bad_atlas_stops_a_cohort_before_its_first_case(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"absent\.nii\.gz"):
        segment_cohort(
            [],
            out=tmp_path / "out",
            config=SegmentConfig(atlases=(str(tmp_path / "absent.nii.gz"),)),
        )
    assert not (tmp_path / "out").exists()


def test_a_bad_atlas_is_refused_before_anything_is_written(case: Path, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.nii.gz"
    aside = np.eye(4)
    aside[0, 3] = 300.0
    write(Image(np.ones((30, 30, 30), np.int16), Grid((30, 30, 30), aside)), path)
    out = tmp_path / "out"
    code = main(["segment", str(case / "flair.nii.gz"), "-o", str(out), "--atlas", str(path)])
    assert code == 4
    assert not out.exists()
