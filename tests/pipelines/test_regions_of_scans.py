"""Regions through the whole job: whatever the file's axes; the map; a real head."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from leuko.formats.labels import read_labels
from leuko.formats.read import read, read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.measure import measure_file
from leuko.pipelines.model import Model
from leuko.pipelines.regions_map import regions_map
from leuko.pipelines.result import Result
from leuko.pipelines.segment import segment, segment_file
from leuko.quantify.regions import RegionNumbers

REORDERINGS = [
    ((0, 1, 2), (True, False, False)),
    ((0, 1, 2), (True, True, True)),
    ((1, 0, 2), (False, True, False)),
    ((2, 0, 1), (False, False, True)),
]


def reordered(
    image: Image, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> tuple[np.ndarray, Grid]:
    """The same head in a file with other axes."""
    affine = image.grid.affine.copy()
    shape = image.grid.shape
    moved = affine.copy()
    moved[:3, :3] = affine[:3, list(axes)]
    for axis, flip in enumerate(flips):
        if flip:
            moved[:3, 3] += moved[:3, axis] * (shape[axes[axis]] - 1)
            moved[:3, axis] *= -1
    step = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    data = np.ascontiguousarray(image.data.transpose(axes)[step])
    return data, Grid(data.shape, moved)


def regions_of(result: Result) -> RegionNumbers:
    assert result.regions is not None
    return result.regions


def check_whole(result: Result) -> None:
    """Every split holds all, and agrees with the older numbers."""
    numbers, burden = regions_of(result), result.burden
    above, below = numbers.supratentorial.total, numbers.infratentorial.total
    assert burden.volume_ml == pytest.approx(above.volume_ml + below.volume_ml, abs=1e-8)
    assert burden.lesion_count == above.lesions + below.lesions
    for rule in numbers.rules:
        assert rule.periventricular is not None
        assert rule.deep is not None
        both = rule.periventricular.total.volume_ml + rule.deep.total.volume_ml
        assert above.volume_ml == pytest.approx(both, abs=1e-8)
    cluster = numbers.rule("cluster_2mm").periventricular
    assert cluster is not None
    older = dict(burden.region_ml)
    assert older["periventricular"] == pytest.approx(cluster.total.volume_ml, abs=1e-6)
    assert older["infratentorial"] == pytest.approx(below.volume_ml, abs=1e-6)


@pytest.mark.parametrize(("axes", "flips"), REORDERINGS)
def test_left_stays_left_in_whatever_order_the_file_lies(
    axes: tuple[int, int, int],
    flips: tuple[bool, bool, bool],
    head_image: Image,
    fake_model: Model,
) -> None:
    first = segment(head_image, model=fake_model)
    data, grid = reordered(head_image, axes, flips)
    second = segment(Image(data, grid), model=fake_model)
    assert regions_of(first) == regions_of(second)
    left = regions_of(first).supratentorial.left
    assert left is not None
    assert left.lesions == 2
    assert left != regions_of(first).supratentorial.right
    for one, other in zip(first.table, second.table, strict=True):
        assert (one.ms_region, one.distance_to_cortex_mm) == (
            other.ms_region,
            other.distance_to_cortex_mm,
        )
        assert one.confluency == pytest.approx(other.confluency, abs=1e-8)


def test_all_that_is_above_the_tentorium_is_split(head_image: Image, fake_model: Model) -> None:
    check_whole(segment(head_image, model=fake_model))


def test_the_map_holds_the_region_of_every_lesion(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    out = tmp_path / "out"
    segment_file(
        head_file,
        out=out,
        config=SegmentConfig(regions_map=True, report=False),
        model=fake_model,
    )
    found, labels = read(out / "regions.nii.gz"), read(out / "lesions.nii.gz")
    assert found.grid == labels.grid
    assert found.data.dtype == np.uint8
    names = {label.value: label.name for label in read_labels(out / "regions.tsv")}
    assert names[1] == "Periventricular lesion"
    assert np.array_equal(found.data > 0, labels.data > 0)
    rows = [line.split("\t") for line in (out / "lesions.tsv").read_text().splitlines()]
    column = rows[0].index("ms_region")
    values = {"periventricular": 1, "deep_white": 2, "juxtacortical": 3, "infratentorial": 4}
    assert rows[1:]
    for row in rows[1:]:
        assert {values[row[column]]} == set(found.data[labels.data == int(row[0])].tolist())
    numbers = json.loads((out / "stats.json").read_text())["regions"]
    for name, value in values.items():
        ml = (found.data == value).sum() * found.grid.voxel_mm3 / 1000
        assert numbers["ms_regions"][name]["volume_ml"] == pytest.approx(ml, abs=1e-8)


def test_a_given_mask_has_its_map_too(
    tmp_path: Path, head_file: Path, head_image: Image, fake_model: Model
) -> None:
    given = tmp_path / "given.nii.gz"
    write(head_image.with_data((head_image.data > 800).astype(np.uint8)), given)
    config = SegmentConfig(regions_map=True, report=False)
    measure_file(head_file, given, out=tmp_path / "out", config=config, model=fake_model)
    drawn = read(tmp_path / "out" / "regions.nii.gz").data
    assert np.array_equal(drawn > 0, head_image.data > 800)
    assert set(np.unique(drawn).tolist()) <= {0, 1, 2, 3, 4}


def test_the_map_of_no_lesion_is_empty(head_image: Image, fake_model: Model) -> None:
    result = segment(head_image, config=SegmentConfig(min_lesion_mm3=1e5), model=fake_model)
    assert not regions_map(result).data.any()
    assert regions_of(result).supratentorial.total.lesions == 0


def test_on_a_real_head_thick_slices_and_all(shared_data: Path) -> None:
    """Caps of an aged head: most is periventricular by every rule, and little is far away."""
    image = read_scan(shared_data / "wmh" / "tabriz" / "105465" / "flair.nii.gz")
    result = segment(image)
    check_whole(result)
    numbers = regions_of(result)
    total = numbers.supratentorial.total.volume_ml
    near = {rule.name: rule.periventricular for rule in numbers.rules if rule.periventricular}
    assert all(0.7 * total < one.total.volume_ml < total for one in near.values())
    lesions = [near[name].total.lesions for name in ("continuity", "touching", "cluster_2mm")]
    assert all(one <= other for one, other in itertools.pairwise(lesions))
    assert numbers.distances is not None
    assert 1.0 < (numbers.median_distance_mm or 0) < 8.0
    assert sum(one.volume_ml for one in numbers.distances) == pytest.approx(total)
