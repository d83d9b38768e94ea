"""A user's atlas is read, named and placed, or refused with a way out."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from mni_atlases import NAMES, classic_box, quarters, write_quarters

from leuko.errors import ReadError, UnusableInput, UsageError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.atlas_files import load_atlases, read_atlas
from leuko.pipelines.atlas_names import read_names, side_of

XML = """<?xml version="1.0"?><atlas><header><type>{kind}</type></header><data>
<label index="0" x="1" y="2" z="3">First &amp; best</label>
<label index="1" x="1" y="2" z="3">Second</label></data></atlas>"""


def test_an_atlas_in_mni_space_is_taken_as_it_is(tmp_path: Path) -> None:
    path = write_quarters(tmp_path)
    (tmp_path / "names.tsv").write_text(NAMES)
    atlas = read_atlas(path, labels=tmp_path / "names.tsv")
    assert atlas.name == "quarters"
    assert dict(atlas.names) == {1: "Front L", 2: "Front R", 3: "Back L", 4: "Back R"}
    assert atlas.findings == ()
    assert len(atlas.sha256) == 64
    np.testing.assert_array_equal(atlas.image.data, quarters().data)


def test_without_names_regions_are_numbered(tmp_path: Path) -> None:
    atlas = read_atlas(write_quarters(tmp_path))
    assert dict(atlas.names) == {value: f"region {value}" for value in range(1, 5)}


def test_an_atlas_elsewhere_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="does not lie in MNI space") as refusal:
        read_atlas(write_quarters(tmp_path, shift=60.0))
    assert "leuko register" in (refusal.value.hint or "")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (np.zeros((30, 30, 30), np.int16), "empty"),
        (np.full((30, 30, 30), 0.4, np.float32), "whole numbers"),
        (np.full((30, 30, 30), -1, np.int16), "whole numbers"),
        (np.ones((30, 30, 30, 3), np.float32), "probabilistic"),
        (np.ones((30, 30, 2), np.int16), "no volume"),
        (np.random.default_rng(0).integers(0, 200, (40, 40, 40)).astype(np.int16), "scan"),
    ],
    ids=["empty", "fractions", "negative", "probabilistic", "flat", "scan"],
)
def test_what_is_no_atlas_is_refused(tmp_path: Path, data: np.ndarray, told: str) -> None:
    path = tmp_path / "odd.nii.gz"
    write(Image(data, Grid(data.shape[:3], np.eye(4))), path)
    with pytest.raises(UnusableInput, match=told) as refusal:
        read_atlas(path)
    assert refusal.value.hint


def test_labels_in_a_scanners_space_are_taken_with_a_warning(tmp_path: Path) -> None:
    """The header says scanner space, and the box is none that MNI templates come in."""
    atlas = quarters()
    cut = Image(np.ascontiguousarray(atlas.data[:-1]), Grid((98, 117, 95), atlas.grid.affine))
    write(cut, tmp_path / "a.nii.gz", labels=True)
    content = bytearray(gzip.decompress((tmp_path / "a.nii.gz").read_bytes()))
    content[252:256] = bytes([1, 0, 1, 0])
    (tmp_path / "own.nii").write_bytes(content)
    (finding,) = read_atlas(tmp_path / "own.nii").findings
    assert finding.code == "atlas.space_unsure"


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_classic_box_without_a_place_is_put_in_its_place(
    tmp_path: Path, *, mirrored: bool
) -> None:
    """The header says nothing of MNI space; the regions' names say which side is left."""
    path = tmp_path / "box.nii.gz"
    affine = np.eye(4)
    affine[:3, 3] = 1.0
    write(Image(classic_box(mirrored=mirrored), Grid((181, 217, 181), affine)), path, labels=True)
    (tmp_path / "names.tsv").write_text(NAMES)
    atlas = read_atlas(path, labels=tmp_path / "names.tsv")
    (finding,) = atlas.findings
    assert finding.code == "atlas.placed"
    assert ("was mirrored" in finding.what) == mirrored
    value = atlas.image.data[tuple(np.rint(atlas.image.grid.to_voxel((-30, 20, 10))).astype(int))]
    assert atlas.names[int(value)] == "Front L"


def test_sides_mixed_up_in_the_table_are_noticed(tmp_path: Path) -> None:
    path = write_quarters(tmp_path)
    (tmp_path / "names.tsv").write_text(NAMES.replace("Back L", "x").replace("Back R", "Back L")
                                        .replace("x", "Back R"))  # fmt: skip
    atlas = read_atlas(path, labels=tmp_path / "names.tsv")
    (finding,) = atlas.findings
    assert finding.code == "atlas.sides"
    assert "50%" in finding.what


@pytest.mark.parametrize(("kind", "first"), [("Probabilistic", 1), ("Label", 0)])
def test_fsl_counts_from_one_in_probabilistic_atlases_only(
    tmp_path: Path, kind: str, first: int
) -> None:
    path = tmp_path / "atlas.xml"
    path.write_text(XML.format(kind=kind))
    names, _ = read_names(path, values=[1])
    expected = {first: "First & best", first + 1: "Second"}
    assert names == {value: name for value, name in expected.items() if value}


def test_of_several_columns_of_values_the_one_that_fits_is_taken(tmp_path: Path) -> None:
    """Typos: the same value has two names, and the more frequent one wins with a finding."""
    path = tmp_path / "table.txt"
    path.write_text(
        "About this atlas\n"
        "region\tfine\tfine name\tcoarse\tcoarse name\n"
        "one\t1\tAL\t1\tXL\ntwo\t2\tAR\t2\tXR\nthree\t3\tBL\t1\tXL\nfour\t4\tBR\t2\tXL\n"
        "five\t5\tCR\t2\tXR\n"
    )
    coarse, odd = read_names(path, values=[1, 2])
    assert coarse == {1: "XL", 2: "XR"}
    assert [finding.code for finding in odd] == ["atlas.names"]
    fine, clean = read_names(path, values=[1, 2, 3, 4, 5])
    assert fine == {1: "AL", 2: "AR", 3: "BL", 4: "BR", 5: "CR"}
    assert clean == ()


def test_a_table_of_another_atlas_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("index\tname\n1\tone\n")
    _, odd = read_names(path, values=[1, 2, 3])
    assert [finding.code for finding in odd] == ["atlas.unnamed"]


def test_what_is_no_table_is_an_error_without_folders(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("nothing here\n")
    with pytest.raises(ReadError, match=r"^names\.txt") as error:
        read_names(path, values=[1])
    assert str(tmp_path) not in str(error.value)
    with pytest.raises(ReadError):
        read_names(tmp_path / "absent.xml", values=[1])


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("Left thalamus", "left"), ("ctx-rh-cuneus", "right"), ("Corticospinal tract R", "right"),
        ("Fornix_L", "left"), ("ACAL", "left"), ("Brainstem", ""), ("Caudal", ""),
        ("left to right fibres", ""),
    ],
)  # fmt: skip
def test_sides_in_names(name: str, side: str) -> None:
    assert side_of(name, among={"ACAL", "ACAR"}) == side


def test_tables_belong_to_atlases_and_names_are_unique(tmp_path: Path) -> None:
    path = write_quarters(tmp_path)
    with pytest.raises(UsageError, match="Tables of names: 2, atlases: 1"):
        load_atlases([str(path)], ["a.tsv", "b.tsv"])
    with pytest.raises(UsageError, match="Two atlases"):
        load_atlases([str(path), str(path)])


def test_real_atlases(shared_data: Path) -> None:
    folder = shared_data / "atlases"
    (lobes,) = load_atlases([str(folder / "mni_lobes_1mm.nii.gz")], [str(folder / "mni_lobes.xml")])
    assert lobes.names[3] == "Frontal Lobe"
    assert lobes.findings == ()
    (tracts,) = load_atlases(
        [str(folder / "jhu_tracts_1mm.nii.gz")], [str(folder / "jhu_tracts.xml")]
    )
    assert tracts.names[3] == "Genu of corpus callosum"
    assert tracts.findings == ()


def test_the_arterial_territories_are_placed_and_their_typos_told(shared_data: Path) -> None:
    folder = shared_data / "atlases"
    atlas = read_atlas(
        folder / "arterial_territories_1mm.nii.gz", labels=folder / "arterial_territories.txt"
    )
    assert [finding.code for finding in atlas.findings] == ["atlas.names", "atlas.placed"]
    assert list(atlas.names.values())[:6] == ["ACAL", "ACAR", "MCAL", "MCAR", "PCAL", "PCAR"]
    voxel = np.rint(atlas.image.grid.to_voxel((-45.0, -5.0, 30.0))).astype(int)
    assert atlas.names[int(atlas.image.data[tuple(voxel)])] == "MCAL"
