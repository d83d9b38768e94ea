"""Layouts: real data sets, trees as other programs make them, and what is refused with a reason."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from leuko.datasets.items import Item
from leuko.datasets.layouts import DataSource, detect, read_classes, read_layout, source_of
from leuko.errors import ReadError, UsageError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image


def touch(root: Path, *names: str) -> None:
    """Empty files: layouts look at names only."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def folders(place: Path, /, **settings: object) -> tuple[Item, ...]:
    fields = {"images": "images", "masks": "masks"} | settings
    return read_layout(DataSource(layout="folders", **fields), base=place)  # type: ignore[arg-type]


def mask_of(item: Item) -> str:
    assert item.label is not None
    return item.label.name


# ---------------------------------------------------------------- real data


def test_the_hippocampus_pairs_are_a_person_each(shared_data: Path) -> None:
    root = shared_data / "tasks" / "hippocampus"
    assert detect(root) == "folders"
    items = read_layout(source_of(root))
    assert len(items) == 110
    assert all(item.name == item.subject for item in items)
    assert all(item.images[0].name == mask_of(item) for item in items)


def test_the_slices_of_a_patient_are_told_together(shared_data: Path) -> None:
    root = shared_data / "tasks" / "lgg"
    source = DataSource(
        layout="folders",
        images="images",
        masks="masks",
        subject=r"(TCGA_\w\w_\w{4})",
        site=r"TCGA_(\w\w)",
        category="mask",
    )
    items = read_layout(source, base=root)
    assert len({item.subject for item in items}) == 12
    assert {item.site for item in items} == {"CS", "DU", "FG", "HT"}
    assert Counter(item.category for item in items) == {"absent": 182, "present": 95}
    assert [item.name for item in items[:3]] == [f"TCGA_CS_4942_19970222_{n}" for n in (1, 2, 3)]
    with pytest.raises(UsageError, match="slices of 12 people") as refusal:
        read_layout(DataSource(layout="folders", images="images", masks="masks"), base=root)
    assert "subject:" in refusal.value.hint


def test_an_expression_that_misses_a_name_says_which(shared_data: Path) -> None:
    root = shared_data / "tasks" / "lgg"
    with pytest.raises(UsageError, match="TCGA_DU_A5TU_19980312"):
        folders(root, subject=r"(TCGA_\w\w_\d+)")


# ---------------------------------------------------------------- folders


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["07.nii.gz", "8.nii"], ["07.nii.gz", "8.nii.gz"]),
        (["image_07.nii", "image_8.nii"], ["label_07.nii", "label_8.nii"]),
        (["img07.png", "x_img8.png"], ["mask07.png", "x_mask8.png"]),
        (["07_flair.nii", "8_flair.nii"], ["07_lesions.nii", "8_lesions.nii"]),
        (["07_T1.nii", "8_T1.nii"], ["07_mask.nii", "8_mask.nii"]),
        (["07.nii", "8.nii"], ["07_by_anna.nii", "8-by-otto.nii"]),
        (["a/scan.nii", "b/scan.nii"], ["a/scan.nii", "b/lesions.nii"]),
        (["07.nii", "07_2.nii"], ["07.nii", "07_2_by_anna.nii"]),
        (["07.nii", "07_2.nii"], ["07_by_anna.nii", "07_2_by_anna.nii"]),
    ],
)
def test_masks_find_their_images_by_name(
    tmp_path: Path, images: list[str], masks: list[str]
) -> None:
    touch(tmp_path / "images", *images)
    touch(tmp_path / "masks", *masks)
    found = {item.images[0]: item.label for item in folders(tmp_path, subject="(.+)")}
    assert found == {
        tmp_path / "images" / image: tmp_path / "masks" / mask
        for image, mask in zip(images, masks, strict=True)
    }


def test_names_are_sorted_as_people_count(tmp_path: Path) -> None:
    touch(tmp_path, *(f"images/s{n}.nii" for n in (10, 9, 1, 100)))
    items = folders(tmp_path, masks="")
    assert [item.name for item in items] == ["s1", "s9", "s10", "s100"]
    assert {item.label for item in items} == {None}


def test_several_folders_are_channels_and_a_region(tmp_path: Path) -> None:
    for folder, word in (("flair", "FLAIR"), ("t1", "T1"), ("masks", "wmh"), ("wm", "region")):
        touch(tmp_path / folder, f"01_{word}.nii", f"02_{word}.nii")
    touch(tmp_path / "masks", "01_lesions.nii", "02_lesions.nii")
    for n in ("01", "02"):
        (tmp_path / "masks" / f"{n}_wmh.nii").unlink()
    items = folders(tmp_path, images=("flair", "t1"), regions="wm")
    assert [path.name for path in items[1].images] == ["02_FLAIR.nii", "02_T1.nii"]
    assert items[1].region == tmp_path / "wm" / "02_region.nii"


def test_one_folder_can_hold_images_and_masks(tmp_path: Path) -> None:
    touch(tmp_path / "images", "01.nii", "01_mask.nii", "02.nii", "02_mask.nii")
    items = folders(tmp_path, masks="images")
    assert [(item.name, mask_of(item)) for item in items] == [
        ("01", "01_mask.nii"),
        ("02", "02_mask.nii"),
    ]


def test_previews_beside_volumes_and_hidden_files_are_no_examples(tmp_path: Path) -> None:
    touch(tmp_path / "images", "01.nii", "01.png", ".cache/02.nii", "._01.nii")
    assert [item.name for item in folders(tmp_path, masks="")] == ["01"]


def test_the_parent_folder_can_be_the_class(tmp_path: Path) -> None:
    touch(tmp_path / "images", "benign/p1.png", "malignant/p1.png")
    items = folders(tmp_path, masks="", category="folder", subject="(.+)")
    assert [(item.name, item.category) for item in items] == [
        ("benign_p1", "benign"),
        ("malignant_p1", "malignant"),
    ]


def test_a_person_is_known_by_a_bids_name(tmp_path: Path) -> None:
    touch(tmp_path / "images", "sub-03_ses-1_FLAIR.nii", "sub-03_ses-2_FLAIR.nii")
    assert {item.subject for item in folders(tmp_path, masks="")} == {"sub-03"}


@pytest.mark.parametrize(
    ("files", "settings", "message"),
    [
        ([], {}, "holds no images"),
        (["images/1.nii", "masks/2.nii"], {}, "1 of the images have no mask in masks: 1"),
        (["images/1.nii", "masks/1.nii", "masks/2.nii"], {}, "belong to no image: 2.nii"),
        (["images/1.nii", "masks/1_a.nii", "masks/1_b.nii"], {}, "1 has 2 masks: 1_a.nii"),
        (["images/1.nii", "images/1.nii.gz", "masks/1.nii"], {}, "stand for one name"),
        (["images/a/1.nii", "images/a_1.nii"], {"masks": ""}, "stand for one name"),
        (["images/1.nii", "masks/1.nii"], {"subject": "("}, "no regular expression"),
        (["images/1.nii", "masks/1.nii"], {"subject": "(1)(2)"}, "has 2 groups"),
        (["images/1.nii", "masks/1.nii"], {"root": "x"}, "root: does not go with"),
        (["images/1.nii", "masks/1.nii"], {"images": ""}, "needs images:"),
        (["images/1.nii"], {"masks": "", "category": "mask"}, "needs a mask of each image"),
        (["images/1.nii"], {"masks": "", "category": "folder"}, "lies in no class's folder"),
    ],
)
def test_what_is_missing_or_double_is_said(
    tmp_path: Path, files: list[str], settings: dict[str, object], message: str
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    touch(tmp_path, *files)
    with pytest.raises(UsageError, match=message) as refusal:
        folders(tmp_path, **settings)
    assert refusal.value.hint
    assert str(tmp_path) not in refusal.value.what


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="The folder images is not there"):
        folders(tmp_path)


# ---------------------------------------------------------------- lists


def listed(place: Path, name: str, text: str, **settings: object) -> tuple[Item, ...]:
    (place / name).write_text(text, encoding="utf-8")
    return read_layout(DataSource(layout="list", list=name, **settings), base=place)  # type: ignore[arg-type]


def test_a_table_names_files_people_and_classes(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.nii", "a/m.nii", "b/x.nii", "b/m.nii", "r.nii")
    text = (
        "image\tmask\tregion\tsubject\tsite\tcategory\tage\n"
        "a/x.nii\ta/m.nii\tr.nii\tanna\tOslo\till\t70\n"
        "b/x.nii\tb/m.nii\t\totto\tBern\twell\t71\n"
    )
    assert listed(tmp_path, "list.tsv", text) == (
        Item(
            "a_x", "anna", (tmp_path / "a/x.nii",), tmp_path / "a/m.nii", tmp_path / "r.nii",
            "Oslo", "ill",
        ),
        Item("b_x", "otto", (tmp_path / "b/x.nii",), tmp_path / "b/m.nii", None, "Bern", "well"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("heads", "settings", "channels"),
    [
        ("image_1,image_0", {}, ["second.nii", "first.nii"]),
        ("T1,flair", {}, ["first.nii", "second.nii"]),
        ("T1,flair", {"images": ("flair", "t1")}, ["second.nii", "first.nii"]),
        ("bold,flair", {"images": "bold"}, ["first.nii"]),
    ],
)
def test_channels_are_numbered_or_named_columns(
    tmp_path: Path, heads: str, settings: dict[str, object], channels: list[str]
) -> None:
    touch(tmp_path, "first.nii", "second.nii")
    (item,) = listed(tmp_path, "list.csv", f"{heads}\nfirst.nii,second.nii\n", **settings)
    assert [path.name for path in item.images] == channels


def test_json_can_hold_a_list_of_channels(tmp_path: Path) -> None:
    touch(tmp_path, "f.nii", "t.nii", "m.nii")
    rows = [{"name": "anna", "image": ["f.nii", "t.nii"], "label": "m.nii"}]
    (item,) = listed(tmp_path, "list.json", json.dumps({"items": rows}))
    assert (item.name, len(item.images), mask_of(item)) == ("anna", 2, "m.nii")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.tsv", "", "is empty"),
        ("l.tsv", "image\n", "is empty"),
        ("l.tsv", "scan\na.nii\n", "no column of images; its columns are scan"),
        ("l.tsv", "image\timage\na.nii\ta.nii\n", "two columns of one name"),
        ("l.tsv", "image\tmask\na.nii\n", "Row 1 of l.tsv has 1 cells"),
        ("l.tsv", "image_0\timage_1\na.nii\t\n", "Row 1 of l.tsv has no image_1"),
        ("l.tsv", "image\na.nii\na.nii\n", "stand for more than one example: a"),
        ("l.json", "{", "no JSON"),
        ("l.json", "{}", "no list of examples"),
        ("l.xlsx", "image", "no list that leuko knows"),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    touch(tmp_path, "a.nii")
    with pytest.raises(UsageError, match=message):
        listed(tmp_path, name, text)


def test_files_that_a_list_names_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"1 of the files that l\.tsv names are not there: a\.nii"):
        listed(tmp_path, "l.tsv", "image\na.nii\n")


def test_a_list_can_lie_elsewhere_than_its_files(tmp_path: Path) -> None:
    touch(tmp_path, "scans/a.nii", "lists/none")
    (item,) = listed(tmp_path, "lists/l.tsv", "image\na.nii\n", root="scans")
    assert item.images == (tmp_path / "scans" / "a.nii",)


def test_slices_in_a_list_need_to_say_whose_they_are(tmp_path: Path) -> None:
    names = [f"{person}_{n}.png" for person in ("anna", "otto") for n in (1, 2)]
    touch(tmp_path, *names)
    with pytest.raises(UsageError, match="slices of 2 people"):
        listed(tmp_path, "l.csv", "\n".join(["image", *names]))
    rows = [f"{name},{name[:4]}" for name in names]
    items = listed(tmp_path, "l.csv", "\n".join(["image,subject", *rows]))
    assert [item.subject for item in items] == ["anna", "anna", "otto", "otto"]


# ---------------------------------------------------------------- BIDS


def bids(root: Path, **settings: object) -> tuple[Item, ...]:
    return read_layout(DataSource(layout="bids", root=str(root), **settings))  # type: ignore[arg-type]


@pytest.fixture
def bids_tree(tmp_path: Path) -> Path:
    """Two people, one with two visits; two contrasts; lesions and a brain mask in derivatives."""
    for visit in ("sub-01/ses-1", "sub-01/ses-2", "sub-2/ses-1"):
        stem = visit.replace("/", "_")
        touch(
            tmp_path,
            f"{visit}/anat/{stem}_acq-3d_FLAIR.nii.gz",
            f"{visit}/anat/{stem}_T1w.nii.gz",
            f"derivatives/manual/{visit}/anat/{stem}_label-lesion_mask.nii.gz",
            f"derivatives/hdbet/{visit}/anat/{stem}_desc-brain_mask.nii.gz",
            f"derivatives/hdbet/{visit}/anat/{stem}_desc-brain_T1w.nii.gz",
            f"derivatives/net/{visit}/anat/{stem}_label-lesion_probseg.nii.gz",
        )
    (tmp_path / "dataset_description.json").write_text("{}")
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tsite\nsub-01\tOslo\nsub-2\tn/a\n", encoding="utf-8"
    )
    return tmp_path


def test_bids_scans_are_paired_by_entities(bids_tree: Path) -> None:
    assert detect(bids_tree) == "bids"
    items = bids(bids_tree, images=("FLAIR", "T1w"), masks="label-lesion_mask")
    assert [item.name for item in items] == [
        "sub-01_ses-1_acq-3d",
        "sub-01_ses-2_acq-3d",
        "sub-2_ses-1_acq-3d",
    ]
    assert [(item.subject, item.site) for item in items] == [
        ("sub-01", "Oslo"),
        ("sub-01", "Oslo"),
        ("sub-2", ""),
    ]
    assert [path.name for path in items[1].images] == [
        "sub-01_ses-2_acq-3d_FLAIR.nii.gz",
        "sub-01_ses-2_T1w.nii.gz",
    ]
    assert mask_of(items[1]) == "sub-01_ses-2_label-lesion_mask.nii.gz"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"scans of several kinds: FLAIR \(3\), T1w \(3\)"),
        ({"images": "PD"}, "No scan .* is called PD"),
        ({"images": "FLAIR"}, "has 2 files for mask"),
        ({"images": "FLAIR", "masks": "dseg"}, "No mask .* is called dseg"),
    ],
)
def test_what_bids_names_leave_open_is_asked(
    bids_tree: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        bids(bids_tree, **settings)


def test_a_bids_scan_without_its_mask_is_named(bids_tree: Path) -> None:
    next(bids_tree.rglob("sub-2_ses-1_label-lesion_mask.nii.gz")).unlink()
    with pytest.raises(UsageError, match=r"sub-2_ses-1_acq-3d_FLAIR\.nii\.gz has no mask"):
        bids(bids_tree, images="FLAIR", masks="label-lesion_mask")


# ---------------------------------------------------------------- Decathlon, nnU-Net


def test_a_decathlon_task_is_read_from_its_description(tmp_path: Path) -> None:
    touch(tmp_path, "imagesTr/hip_1.nii.gz", "labelsTr/hip_1.nii.gz", "imagesTs/hip_2.nii.gz")
    description = {
        "labels": {"0": "background", "1": "anterior", "2": "posterior"},
        "training": [
            {"image": "./imagesTr/hip_1.nii.gz", "label": "./labelsTr/hip_1.nii.gz"},
        ],
    }
    (tmp_path / "dataset.json").write_text(json.dumps(description))
    source = source_of(tmp_path)
    assert source.layout == "decathlon"
    (item,) = read_layout(source)
    assert (item.name, item.subject, mask_of(item)) == ("hip_1", "hip_1", "hip_1.nii.gz")
    assert read_classes(source) == {1: "anterior", 2: "posterior"}
    (tmp_path / "labelsTr/hip_1.nii.gz").unlink()
    with pytest.raises(ReadError, match=r"dataset\.json lists are not there"):
        read_layout(source)


@pytest.fixture
def nnunet_tree(tmp_path: Path) -> Path:
    for case in ("brats_10", "brats_9"):
        touch(tmp_path, *(f"imagesTr/{case}_000{n}.nii.gz" for n in (1, 0)))
        touch(tmp_path, f"labelsTr/{case}.nii.gz")
    description = {
        "channel_names": {"0": "T1", "1": "FLAIR"},
        "labels": {"background": 0, "edema": 1, "core": 4},
    }
    (tmp_path / "dataset.json").write_text(json.dumps(description))
    return tmp_path


def test_the_channels_of_nnunet_are_in_order(nnunet_tree: Path) -> None:
    source = source_of(nnunet_tree)
    assert source.layout == "nnunet"
    items = read_layout(source)
    assert [item.name for item in items] == ["brats_9", "brats_10"]
    assert [path.name for path in items[0].images] == [
        "brats_9_0000.nii.gz",
        "brats_9_0001.nii.gz",
    ]
    assert read_classes(source) == {1: "edema", 4: "core"}


@pytest.mark.parametrize(
    ("gone", "added", "message"),
    [
        ("imagesTr/brats_9_0001.nii.gz", "", "1 of 2 cases do not have all 2 channels: brats_9"),
        ("labelsTr/brats_9.nii.gz", "", "1 of the cases have no label"),
        ("", "labelsTr/brats_11.nii.gz", "1 of the labels .* have no image: brats_11"),
        ("", "imagesTr/odd.nii.gz", "odd.nii.gz .* no number of a channel"),
        ("", "imagesTr/brats_9_0001.nii", "in two formats"),
    ],
)
def test_an_incomplete_nnunet_data_set_is_refused(
    nnunet_tree: Path, gone: str, added: str, message: str
) -> None:
    if gone:
        (nnunet_tree / gone).unlink()
    if added:
        touch(nnunet_tree, added)
    with pytest.raises(UsageError, match=message):
        read_layout(source_of(nnunet_tree))


def test_classes_of_several_labels_are_refused(nnunet_tree: Path) -> None:
    (nnunet_tree / "dataset.json").write_text(json.dumps({"labels": {"whole": [1, 2]}}))
    with pytest.raises(UsageError, match="makes whole of several labels"):
        read_classes(source_of(nnunet_tree))


# ---------------------------------------------------------------- which layout


def test_a_folder_of_no_known_layout_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="laid out in no way") as refusal:
        detect(tmp_path)
    assert "images and masks" in refusal.value.hint


def test_masks_decide_present_or_absent(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 4, 2), (1.0, 1.0, 1.0))
    for name, value in (("1", 0), ("2", 1)):
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir(exist_ok=True)
            data = np.full(grid.shape, value, np.uint8)
            write(Image(data, grid), tmp_path / folder / f"{name}.nii.gz")
    assert [item.category for item in folders(tmp_path, category="mask")] == ["absent", "present"]
