"""Surfaces of files: the label's name and colour, the world, one clear error."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from leuko.cli import main
from leuko.errors import UnusableInput, UsageError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.surfaces import surface_file, surfaces, write_surfaces


def labels() -> Image:
    data = np.zeros((20, 20, 10), dtype=np.uint8)
    data[2:6, 3:8, 2:5] = 1
    data[10:16, 10:16, 5:8] = 3
    affine = np.diag([-0.8, 0.8, 2.0, 1.0])
    affine[:3, 3] = [5.0, 6.0, 7.0]
    return Image(data, Grid((20, 20, 10), affine))


def test_each_label_has_its_surface_in_the_world() -> None:
    found = surfaces(labels(), names={3: "ventricle"})
    assert [1, 3] == [value for value, _ in found]
    assert found[1][1].name == "ventricle"
    for value, part in found:
        inside = labels().grid.to_world(np.argwhere(labels().data == value))
        assert np.allclose(part.mesh.vertices.mean(axis=0), inside.mean(axis=0), atol=0.3)
        expected = len(inside) * 0.8 * 0.8 * 2.0
        assert part.mesh.volume_mm3 == pytest.approx(expected, rel=1e-2)


def test_a_folder_gets_glb_and_stl(tmp_path: Path) -> None:
    written = write_surfaces(labels(), tmp_path, {1: "one"}, stem="wmh")
    assert ["wmh.glb", "wmh.stl"] == [item.file for item in written]
    assert {"wmh.glb", "wmh.stl"} == {path.name for path in tmp_path.iterdir()}


def test_the_command_writes_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(labels(), tmp_path / "mask.nii.gz", labels=True)
    arguments = [str(tmp_path / "mask.nii.gz"), "-o", str(tmp_path / "m.ply"), "--label", "3"]
    assert main(["surface", *arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == "m.ply"
    assert [3] == [item["label"] for item in told["surfaces"]]
    assert main(["surface", *arguments]) == 6  # it is there already
    assert main(["surface", *arguments, "--force"]) == 0
    assert "ml" in capsys.readouterr().out


def test_names_of_leukos_own_masks_are_known(tmp_path: Path) -> None:
    write(labels(), tmp_path / "wmh.nii.gz", labels=True)
    found = surface_file(tmp_path / "wmh.nii.gz", tmp_path / "s.glb", labels=[1])
    assert found.surfaces[0].name == "White matter hyperintensity"


def test_what_has_no_surface_is_refused(tmp_path: Path) -> None:
    image = labels()
    with pytest.raises(UnusableInput, match="empty"):
        surfaces(image.with_data(image.data * 0))
    with pytest.raises(UsageError, match="no label 2"):
        surfaces(image, labels=[2])
    with pytest.raises(UnusableInput, match="no labels"):
        surfaces(image.with_data(image.data.astype(np.int16) - 1))
    with pytest.raises(UnusableInput, match="volumes"):
        surfaces(Image(np.stack([image.data] * 2, axis=-1), image.grid))
    flat = Grid((20, 20, 10), np.eye(4), oriented=False, sized=False)
    with pytest.raises(UnusableInput, match="no size in mm"):
        surfaces(Image(image.data, flat))
    write(image, tmp_path / "m.nii.gz", labels=True)
    with pytest.raises(UsageError, match=r"End|does not say"):
        surface_file(tmp_path / "m.nii.gz", tmp_path / "out.obj")


def test_of_probabilities_a_half_and_more_counts() -> None:
    image = labels()
    found = surfaces(image.with_data((image.data > 0) * np.float32(0.7)))
    assert [1] == [value for value, _ in found]
