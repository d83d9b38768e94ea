"""A run of `leuko deidentify`: what lies in OUT, what is left out, and what the key holds."""

from __future__ import annotations

import gzip
import json
import shutil
import stat
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from leuko.cli import main
from leuko.errors import ReadError, SafetyRefusal, UsageError, WriteError
from leuko.formats.nifti_header import header_dtype
from leuko.formats.nifti_strip import stripped
from leuko.formats.read import read
from leuko.pipelines.deidentify import deidentify
from leuko.pipelines.deidentify_keys import secret_of, subjects_of


@pytest.fixture(autouse=True)
def _odd_values_of_real_files() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        yield


@pytest.fixture
def study(shared_data: Path, tmp_path: Path) -> Path:
    """A folder as a user has it: two series, copies, a burned-in image, a report, rubbish."""
    dicom = shared_data / "dicom"
    folder = tmp_path / "Zebulon Quixote"
    for name in ("conversion/hitachi_anat/in.zip", "conversion/ge_3d_sag_t1/in.zip"):
        with zipfile.ZipFile(dicom / name) as archive:
            archive.extractall(folder / name.split("/")[1])
    shutil.copytree(folder / "hitachi_anat", folder / "copy of hitachi")
    shutil.copy(dicom / "failing" / "burned_in_annotation.zip", folder / "burned.zip")
    (folder / "notes.txt").write_text("Zebulon Quixote, born 1933")
    return folder


def test_a_folder_becomes_a_folder_of_numbers(study: Path, tmp_path: Path) -> None:
    """No name of the source is in OUT, the two patients are apart, copies are written once."""
    out = tmp_path / "out"
    done = deidentify(study, out=out)
    assert 9 == done.files == len(list(out.rglob("*.dcm")))
    assert 4 == done.duplicates
    assert 2 == len(done.subjects) == done.series
    assert {"burned_in_yes.dcm"} >= {item.file[-17:] for item in done.refused}
    assert 1 == len(done.refused)
    assert {"no image", "refused"} == {item.why for item in done.left_out}
    for file in out.rglob("*"):
        assert "uixote" not in file.name
        assert "hitachi" not in file.name


def test_out_lies_apart_from_the_study_and_is_new(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="within what is deidentified"):
        deidentify(study, out=study / "clean")
    assert not (study / "clean").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    assert main(["deidentify", str(study), "-o", str(tmp_path / "full")]) == 6
    said = capsys.readouterr().err
    assert "new folder" in said
    assert "--force" not in said, "there is none"


def test_the_deidentified_series_is_the_same_image(shared_data: Path, tmp_path: Path) -> None:
    for case in ("philips_classic_epi", "ge_dwi_4d", "generic_non_isotropic"):
        source = shared_data / "dicom" / "conversion" / case / "in.zip"
        deidentify(source, out=tmp_path / case)
        one, two = read(source), read(tmp_path / case)
        assert np.array_equal(one.data, two.data)
        assert np.allclose(one.grid.affine, two.grid.affine)
        assert one.seconds == two.seconds


def test_the_key_is_written_for_its_owner_alone(study: Path, tmp_path: Path) -> None:
    key, mapping = tmp_path / "key.txt", tmp_path / "who.tsv"
    secret = secret_of(key)
    assert secret == secret_of(key)
    deidentify(study / "hitachi_anat", out=tmp_path / "a", secret=secret, mapping=mapping)
    assert 0o600 == stat.S_IMODE(mapping.stat().st_mode) == stat.S_IMODE(key.stat().st_mode)
    rows = [line.split("\t") for line in mapping.read_text().splitlines()]
    assert ["what", "old", "new", "days_shifted"] == rows[0]
    kinds = [row[0] for row in rows[1:]]
    assert 1 == kinds.count("patient")
    assert kinds.count("uid") >= 6
    places = {row[2] for row in rows if row[0] == "file"}
    assert places == {str(f.relative_to(tmp_path / "a")) for f in (tmp_path / "a").rglob("*.dcm")}
    again = deidentify(study / "hitachi_anat", out=tmp_path / "b", secret=secret)
    assert (again.subjects[0],) == (next(row[2] for row in rows if row[0] == "patient"),)
    one, two = (sorted((tmp_path / name).rglob("*.dcm")) for name in "ab")
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]


def test_the_mapping_is_neither_beside_the_files_nor_overwritten(
    study: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="give everything away"):
        deidentify(study, out=tmp_path / "out", mapping=tmp_path / "out" / "map.tsv")
    (tmp_path / "map.tsv").write_text("the old one")
    with pytest.raises(UsageError, match="never overwritten"):
        deidentify(study, out=tmp_path / "out", mapping=tmp_path / "map.tsv")
    assert not (tmp_path / "out").exists()


def test_nothing_to_write_leaves_nothing(shared_data: Path, tmp_path: Path) -> None:
    burned = shared_data / "dicom" / "failing" / "burned_in_annotation.zip"
    with pytest.raises(SafetyRefusal, match="burned in"):
        deidentify(burned, out=tmp_path / "out")
    (tmp_path / "x.txt").write_text("nothing")
    with pytest.raises(ReadError, match="no DICOM or NIfTI"):
        deidentify(tmp_path / "x.txt", out=tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(WriteError):
        deidentify(burned, out=tmp_path / "full")
    assert not (tmp_path / "out").exists()


def test_names_come_from_a_table(study: Path, tmp_path: Path) -> None:
    table = tmp_path / "names.csv"
    done = deidentify(study, out=tmp_path / "first", mapping=tmp_path / "map.tsv")
    numbers = [
        line.split("\t")[1]
        for line in (tmp_path / "map.tsv").read_text().splitlines()
        if line.startswith("patient")
    ]
    table.write_text(
        "patient_id,subject\n"
        + "".join(f"{n.split()[0]},sub-0{k}\n" for k, n in enumerate(numbers))
    )
    named = deidentify(study, out=tmp_path / "second", subjects=subjects_of(table))
    assert len(done.subjects) == len(named.subjects)
    assert {"sub-00", "sub-01"} == set(named.subjects)
    with pytest.raises(UsageError, match="letters, digits"):
        deidentify(study, out=tmp_path / "third", subject="../../etc")


def test_a_short_secret_is_no_secret(study: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can be guessed"):
        deidentify(study, out=tmp_path / "out", secret=b"1234")


def test_the_command_writes_the_rest_and_says_what_it_refused(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert 5 == main(["deidentify", str(study), "-o", str(out), "--json"])
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert 9 == told["files"]
    assert "PS3.15 2026d" == told["edition"]
    assert "identify by their content" in printed.err
    assert "--blank" in printed.err
    assert str(tmp_path) not in printed.err
    shutil.rmtree(out)
    assert 0 == main(["deidentify", str(study), "-o", str(out), "--blank", "0,0,600,600", "-q"])
    assert 2 == main(["deidentify", str(study), "-o", str(out), "--blank", "0,0,600"])


# ---------------------------------------------------------------- NIfTI


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
def test_the_texts_of_a_nifti_header_go_and_the_voxels_stay(
    ending: str, version: int, tmp_path: Path
) -> None:
    """Description, file names, extensions, gzip's own file name, and bytes behind the voxels."""
    size = 348 if version == 1 else 540
    header = np.zeros((), dtype=header_dtype(version))
    header["sizeof_hdr"], header["datatype"], header["bitpix"] = size, 4, 16
    header["dim"][:4] = (3, 2, 3, 4)
    header["pixdim"][:4] = 1
    header["magic"] = b"n+1\0" if version == 1 else b"n+2\0\r\n\x1a\n"
    header["vox_offset"] = size + 4 + 32
    header["scl_slope"] = 2
    for name in (
        "descrip",
        "aux_file",
        "intent_name",
        *(["db_name", "data_type"] * (version == 1)),
    ):
        header[name] = b"QUIXOTE"
    voxels = np.arange(24, dtype="<i2").tobytes()
    extension = (
        b"\1\0\0\0" + (32).to_bytes(4, "little") + (6).to_bytes(4, "little") + b"QUIXOTE".ljust(24)
    )
    whole = header.tobytes() + extension + voxels + b"QUIXOTE"
    file = tmp_path / f"QUIXOTE{ending}"
    if ending == ".nii":
        file.write_bytes(whole)
    else:
        with gzip.open(file, "wb") as packed:
            packed.write(whole)
    content = stripped(file)
    if ending == ".nii.gz":
        assert b"QUIXOTE" not in content
        content = gzip.decompress(content)
    assert b"QUIXOTE" not in content
    assert content.endswith(voxels)
    (tmp_path / "new.nii").write_bytes(content)
    one, two = read(file), read(tmp_path / "new.nii")
    assert np.array_equal(one.data, two.data)
    assert np.array_equal(one.grid.affine, two.grid.affine)


def test_a_nifti_file_gets_the_subjects_name(tmp_path: Path, repository: Path) -> None:
    sample = repository / "src" / "leuko" / "models" / "sample" / "flair.nii.gz"
    done = deidentify(sample, out=tmp_path / "out", subject="sub-07")
    assert ["001.nii.gz"] == [file.name for file in (tmp_path / "out" / "sub-07").iterdir()]
    assert 1 == done.files
    assert np.array_equal(read(sample).data, read(tmp_path / "out" / "sub-07" / "001.nii.gz").data)
