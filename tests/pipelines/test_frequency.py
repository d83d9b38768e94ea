"""The frequency map of a group: counted by hand, double scans refused, the rest told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from leuko.anatomy.template import load_template, template_grid
from leuko.cli import main
from leuko.errors import UnusableInput, UsageError
from leuko.formats.read import read_mask, read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.frequency import case_folders, frequency_map
from leuko.pipelines.template_space import IN_MNI


def case(folder: Path, *, boxes: list[tuple[slice, slice, slice]], digest: str,
         mni: bool = True, spoiled: bool = False) -> None:  # fmt: skip
    """A finished result; boxes are in voxels of the template's 2 mm grid."""
    folder.mkdir(parents=True)
    template = load_template()
    mask = np.zeros(template.grid.shape, np.uint8)
    for box in boxes:
        mask[box] = 1
    if mni:
        fine = np.repeat(np.repeat(np.repeat(mask, 2, 0), 2, 1), 2, 2)[:197, :233, :189]
        write(Image(fine, template_grid()), folder / IN_MNI, labels=True)
    affine = template.grid.affine.copy()
    affine[:3, 3] += (11.0, -7.0, 30.0)  # elsewhere in the world
    grid = Grid(template.grid.shape, affine)
    tissues = template.tissues[:, :, ::-1] if spoiled else template.tissues
    write(Image(mask, grid), folder / "wmh.nii.gz", labels=True)
    write(Image(np.ascontiguousarray(tissues), grid), folder / "anatomy.nii.gz", labels=True)
    record = {"provenance": {"program": "leuko", "input_sha256": digest}}
    (folder / "stats.json").write_text(json.dumps(record))


ONE = (slice(30, 36), slice(60, 66), slice(50, 54))
TWO = (slice(60, 64), slice(60, 66), slice(50, 54))


def test_shares_by_hand(tmp_path: Path) -> None:
    case(tmp_path / "a", boxes=[ONE], digest="1" * 64)
    case(tmp_path / "b", boxes=[ONE, TWO], digest="2" * 64)
    found = frequency_map(case_folders([tmp_path]))
    assert found.cases == ("a", "b")
    assert found.highest == 1.0
    assert sorted(np.unique(found.image.data)) == [0.0, 0.5, 1.0]
    assert found.image.data[62, 124, 102] == 1.0
    assert found.image.data[122, 124, 102] == 0.5


def test_without_a_mask_in_mni_space_it_is_made(tmp_path: Path) -> None:
    case(tmp_path / "a", boxes=[ONE], digest="1" * 64, mni=False)
    found = frequency_map(case_folders([tmp_path]))
    places = np.argwhere(found.image.data > 0).mean(axis=0)
    expected = np.array([2 * (part.start + part.stop - 1) / 2 for part in ONE])
    assert np.abs(found.image.grid.to_world(places)
                  - template_grid().to_world(expected)).max() < 1.0  # fmt: skip


def test_a_scan_counts_once(tmp_path: Path) -> None:
    case(tmp_path / "a", boxes=[ONE], digest="1" * 64)
    case(tmp_path / "b", boxes=[ONE], digest="1" * 64)
    with pytest.raises(UsageError, match="a and b are results of the same scan"):
        frequency_map(case_folders([tmp_path]))


def test_a_case_that_does_not_land_is_left_out_and_named(tmp_path: Path) -> None:
    case(tmp_path / "a", boxes=[ONE], digest="1" * 64)
    case(tmp_path / "sub" / "b", boxes=[TWO], digest="2" * 64, mni=False, spoiled=True)
    found = frequency_map(case_folders([tmp_path]))
    assert found.cases == ("a",)
    (left,) = found.left_out
    assert left.case == "sub/b"
    assert "could not be laid on the template" in left.reason


def test_nothing_to_count_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no result"):
        case_folders([tmp_path])
    case(tmp_path / "a", boxes=[ONE], digest="1" * 64, mni=False, spoiled=True)
    with pytest.raises(UnusableInput, match="None of 1 cases"):
        frequency_map(case_folders([tmp_path]))


def test_the_command_writes_map_picture_and_table(tmp_path: Path) -> None:
    case(tmp_path / "cohort" / "a", boxes=[ONE], digest="1" * 64)
    case(tmp_path / "cohort" / "b", boxes=[TWO], digest="2" * 64)
    out = tmp_path / "map"
    assert main(["frequency", str(tmp_path / "cohort"), "-o", str(out), "--quiet"]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "cases.tsv", "frequency.json", "frequency.nii.gz", "frequency.png",
    ]  # fmt: skip
    assert read_scan(out / "frequency.nii.gz").data.max() == 0.5
    assert json.loads((out / "frequency.json").read_bytes())["cases"] == 2
    assert main(["frequency", str(tmp_path / "cohort"), "-o", str(out), "--quiet"]) == 0  # again
    assert read_mask(tmp_path / "cohort" / "a" / "wmh.nii.gz").data.any()  # untouched
