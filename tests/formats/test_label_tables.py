"""Tables of label names for other programs: each is parsed as that program parses it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from leuko.errors import ReadError, UsageError
from leuko.formats.labels import TABLES, LabelTable, label_table, read_labels
from leuko.formats.labels_segments import segment_labels
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.label_names import OWN_LABELS, anatomy_labels, wmh_labels

TABLE = label_table(
    {1: "White matter hyperintensity", 25: 'a "right" ventricle', 300: "Läsion"},
    {1: (230, 80, 45), 25: (1, 2, 3)},
)


def test_freesurfers_table_has_a_row_of_six_words_for_each_value() -> None:
    rows = [line.split() for line in TABLE.freesurfer().splitlines() if not line.startswith("#")]
    assert rows[0] == ["0", "Unknown", "0", "0", "0", "0"]
    assert rows[1] == ["1", "White_matter_hyperintensity", "230", "80", "45", "0"]
    assert all(len(row) == 6 and all(0 <= int(v) < 256 for v in row[2:]) for row in rows)


def test_fsleyes_table_has_values_colours_from_0_to_1_and_names_with_blanks() -> None:
    rows = [line.split() for line in TABLE.fsleyes().splitlines()]
    assert [int(row[0]) for row in rows] == [1, 25, 300]
    assert all(0 <= float(part) <= 1 for row in rows for part in row[1:4])
    assert " ".join(rows[0][4:]) == "White matter hyperintensity"


def test_itksnaps_table_has_eight_columns_and_a_quoted_name() -> None:
    rows = [line for line in TABLE.itksnap().splitlines() if not line.startswith("#")]
    assert rows[0].endswith('"Clear Label"')
    for row in rows:
        numbers, name = row.split('"')[0].split(), row.split('"')[1]
        assert len(numbers) == 7
        assert name
        assert row.count('"') == 2
    assert rows[2] == "25 1 2 3 1 1 1 \"a 'right' ventricle\""


def test_bids_table_has_index_name_and_color() -> None:
    rows = list(csv.DictReader(io.StringIO(TABLE.bids()), delimiter="\t"))
    assert [row["index"] for row in rows] == ["0", "1", "25", "300"]
    assert rows[1] == {"index": "1", "name": "White matter hyperintensity", "color": "#e6502d"}


def test_json_maps_values_to_names() -> None:
    content = json.loads(TABLE.as_json())
    assert content["300"]["name"] == "Läsion"


@pytest.mark.parametrize("suffix", TABLES)
def test_every_table_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"labels{suffix}"
    path.write_text(TABLES[suffix](TABLE), encoding="utf-8")
    found = read_labels(path)
    assert [label.value for label in found] == [1, 25, 300]
    assert [label.colour for label in found] == [label.colour for label in TABLE]
    assert next(iter(found)).name.replace("_", " ") == "White matter hyperintensity"


def test_a_plain_list_in_csv_or_json_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("value,name\n1,lesion\n2,rim\n")
    (tmp_path / "b.json").write_text('{"1": "lesion", "2": "rim"}')
    for name in ("a.csv", "b.json"):
        assert [label.name for label in read_labels(tmp_path / name)] == ["lesion", "rim"]


@pytest.mark.parametrize("content", [b"", b"not a table", b"{}", b"\xff\xfe\x00", b"a,b\n1,2\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.txt").write_bytes(content)
    with pytest.raises(ReadError, match="table of labels") as caught:
        read_labels(tmp_path / "t.txt")
    assert "FreeSurfer" in caught.value.hint
    with pytest.raises(ReadError):
        read_labels(tmp_path / "missing.txt")


def test_impossible_values_are_refused_and_background_is_not_listed() -> None:
    assert [label.value for label in label_table({0: "background", 2: "b"})] == [2]
    with pytest.raises(UsageError, match="cannot have the value"):
        label_table({-1: "x"})


def test_colours_that_are_not_given_differ() -> None:
    colours = [label.colour for label in label_table({n: str(n) for n in range(1, 60)})]
    assert len(set(colours)) == 59


def test_segments_of_slicer_become_a_table_again(tmp_path: Path) -> None:
    data = np.zeros((3, 3, 3), np.int16)
    data[0, 0] = (1, 25, 300)
    image = Image(data, Grid.from_spacing((3, 3, 3), (1, 1, 1)))
    write(image, tmp_path / "a.seg.nrrd", names=TABLE)
    assert segment_labels(read(tmp_path / "a.seg.nrrd")) == TABLE
    write(image, tmp_path / "b.nrrd")
    assert segment_labels(read(tmp_path / "b.nrrd")) == LabelTable()


def test_nifti_says_that_its_values_are_labels(tmp_path: Path) -> None:
    image = Image(np.ones((3, 3, 3), np.uint8), Grid.from_spacing((3, 3, 3), (1, 1, 1)))
    write(image, tmp_path / "a.nii.gz", names={1: "lesion"})
    assert nibabel.load(tmp_path / "a.nii.gz").header.get_intent()[0] == "label"


def test_leukos_own_label_maps_have_tables() -> None:
    assert [label.value for label in wmh_labels()] == [1]
    names = {label.value: label.name for label in anatomy_labels()}
    assert names[15] == "Left ventricles"
    assert names[25] == "Right ventricles"
    assert len({label.colour for label in anatomy_labels() if label.value > 9}) == 10
    assert set(OWN_LABELS) == {"wmh", "anatomy", "regions"}


def test_fsleyes_tables_may_hold_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.lut"
    path.write_text("1 1.00000 0.50000 0 lesion\n2 1 0 .2 black hole\n3 0 0 1 vein\n")
    found = [(label.value, label.name, label.colour) for label in read_labels(path)]
    assert found == [
        (1, "lesion", (255, 128, 0)), (2, "black hole", (255, 0, 51)), (3, "vein", (0, 0, 255)),
    ]  # fmt: skip
