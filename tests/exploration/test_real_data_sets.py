"""Real data sets: what is known of them is found."""

from __future__ import annotations

from pathlib import Path

from leuko.datasets.items import Item
from leuko.datasets.layouts import DataSource
from leuko.pipelines.explore import explore, explore_items
from leuko.pipelines.explore_page import page_of
from leuko.report.exploration import exploration_page


def test_hippocampus(shared_data: Path) -> None:
    found = explore(shared_data / "tasks" / "hippocampus")
    assert (found.overview.cases, found.overview.subjects) == (110, 110)
    assert [row.value for row in found.overview.classes] == [1, 2]
    assert found.suggestion is not None
    assert (found.suggestion.dims, found.suggestion.intensity) == (3, "zscore")
    # Images come on three scales, from bytes to hundreds of thousands.
    assert "exploration.shared_range" in [item.code for item in found.remarks]


def test_tumour_slices(shared_data: Path) -> None:
    folder = shared_data / "tasks" / "lgg"
    source = DataSource(
        layout="folders",
        images=str(folder / "images"),
        masks=str(folder / "masks"),
        subject=r"(TCGA_\w\w_\w{4})",
        site=r"TCGA_(\w\w)",
    )
    found = explore(source)
    assert (found.overview.cases, found.overview.subjects) == (277, 12)
    assert [row.site for row in found.overview.sites] == ["CS", "DU", "FG", "HT"]
    assert sum(item.code == "constant" for item in found.outliers) == 6
    assert len(exploration_page(page_of(found))) < 1_000_000


def test_ct(shared_data: Path) -> None:
    folder = shared_data / "tasks" / "ct"
    items = (
        Item("abdomen", "a", (folder / "abdomen_dicom",), folder / "abdomen_dicom_organs.nii.gz"),
        Item("torso", "b", (folder / "torso_ct.nii.gz",), folder / "torso_organs.nii.gz"),
    )
    found = explore_items(items, names={1: "spleen", 5: "liver"})
    assert found.overview.scales == {"hounsfield": 2}
    assert "DICOM modality CT" in found.overview.scale_reasons
    spleen = found.overview.classes[0]
    assert (spleen.name, spleen.cases, spleen.cut) == ("spleen", 2, 2)
    assert 200_000 < spleen.mm3.minimum < spleen.mm3.maximum < 300_000
    cut = [item for item in found.outliers if (item.case, item.code) == ("abdomen", "cut")]
    assert cut[0].what.startswith("Spleen, liver")


def test_two_channels_with_mirrored_arrays(shared_data: Path) -> None:
    folder = shared_data / "wmh" / "tabriz"
    items = tuple(
        Item(case.name, case.name, (case / "flair.nii.gz", case / "t1.nii.gz"),
             case / "lesions.nii.gz")
        for case in sorted(folder.iterdir())
    )  # fmt: skip
    found = explore_items(items)
    # The FLAIR reaches below -500 in places, and is no CT all the same.
    assert found.overview.scales == {"arbitrary": 5}
    assert found.suggestion is not None
    assert (found.suggestion.dims, found.suggestion.axis) == (2, "axial")
    assert found.suggestion.loss == "balanced-dice-ce"
