"""Archives: unpacked within limits, never outside their folder, and nothing is left behind."""

from __future__ import annotations

import gzip
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leuko.errors import LeukoError, OutOfResources, ReadError, SafetyRefusal
from leuko.formats import archive as archives
from leuko.formats.archive import is_archive, unpacked
from leuko.formats.read import read

NiftiMaker = Callable[..., Path]
CONTENT = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes()
SAFE = {"a.bin": CONTENT, "deep/er/b.bin": b"text", "empty": b""}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of the test's own, to see what is left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes], mode: str = "w", kind: int = 0) -> Path:
    format_ = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)[kind]
    with tarfile.open(path, mode, format=format_) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def holdings(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(path: Path, kind: type[LeukoError], match: str) -> None:
    """The archive is refused in one sentence that names no folder, and nothing is left."""
    with pytest.raises(kind, match=match) as caught, unpacked(path):
        pass
    assert caught.value.hint
    assert "/" not in caught.value.what
    assert not list(Path(tempfile.gettempdir()).iterdir())


# ---------------------------------------------------------------- what is unpacked


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_unpacked_as_it_is_and_vanishes(
    tmp_path: Path, temporary: Path, method: int
) -> None:
    path = zipped(tmp_path / "study.zip", SAFE, method)
    with unpacked(path) as folder:
        assert folder.name == "study.zip"
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        assert holdings(folder) == SAFE
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_is_unpacked_as_it_is(tmp_path: Path, kind: int, mode: str) -> None:
    members = SAFE | ({"n" * 150 + "/" + "m" * 90: b"long name"} if kind < 2 else {})
    path = tarred(tmp_path / "study.bin", members, mode, kind)
    with unpacked(path) as folder:
        assert holdings(folder) == members


def test_a_folder_and_a_plain_file_are_themselves(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "scan.nii").write_bytes(bytes(100))
    for path in (tmp_path, tmp_path / "scan.nii"):
        with unpacked(path) as found:
            assert found == path
    assert not list(temporary.iterdir())
    assert not is_archive(tmp_path / "scan.nii")


def test_archives_inside_are_unpacked_into_folders_of_their_names(tmp_path: Path) -> None:
    innermost = zipped(tmp_path / "c.zip", {"scan": CONTENT}).read_bytes()
    inner = tarred(tmp_path / "b.tgz", {"in/c.zip": innermost}, "w:gz").read_bytes()
    path = zipped(tmp_path / "a.zip", {"x/b.tgz": inner, "y": b"y", "note.docx": innermost})
    with unpacked(path) as folder:
        expected = {"x/b.tgz/in/c.zip/scan": CONTENT, "y": b"y", "note.docx": innermost}
        assert holdings(folder) == expected


def test_what_systems_leave_beside_files_is_passed_over(tmp_path: Path) -> None:
    rubbish = ["__MACOSX/._a", "x/._b", "x/.DS_Store", "Thumbs.db", "desktop.ini", "thumbs.DB"]
    members = dict.fromkeys(rubbish, b"rubbish") | {"scan": b"scan"}
    for path in (zipped(tmp_path / "a.zip", members), tarred(tmp_path / "a.tar", members)):
        with unpacked(path) as folder:
            assert holdings(folder) == {"scan": b"scan"}


def test_names_with_backslashes_are_folders(tmp_path: Path) -> None:
    with unpacked(zipped(tmp_path / "a.zip", {"SE0\\0001": b"1"})) as folder:
        assert holdings(folder) == {"SE0/0001": b"1"}


@pytest.mark.parametrize("name", ["scan.zip", "scan.tar", "scan.tar.gz", "scan"])
def test_a_scan_is_read_from_an_archive(make_nifti: NiftiMaker, tmp_path: Path, name: str) -> None:
    scan = make_nifti("flair.nii.gz")
    members = {"patient/flair.nii.gz": scan.read_bytes(), "note.txt": b"note"}
    path = tmp_path / name
    if "tar" in name:
        tarred(path, members, "w:gz" if name.endswith("gz") else "w")
    else:
        zipped(path, members)
    image, truth = read(path), read(scan)
    np.testing.assert_array_equal(image.data, truth.data)
    assert image.grid == truth.grid
    assert image.source == truth.source


# ---------------------------------------------------------------- what is refused


BAD_NAMES = [
    "../x",
    "/x",
    "a/../../x",
    "C:\\x",
    "c:x",
    "..\\x",
    "a/../b",
    "\\\\server\\x",
    "a/C:/x",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    members = {"ok": b"", name: b"x"}
    refused(zipped(tmp_path / "a.zip", members), SafetyRefusal, "name leaves its folder")
    refused(tarred(tmp_path / "a.tar", members), SafetyRefusal, "name leaves its folder")


@pytest.mark.parametrize("name", ["n" * 256, "a\nb", "a\tb", "a/" * 40 + "b", "m" * 200 + "ü" * 30])
def test_names_that_no_disk_can_hold_are_refused(tmp_path: Path, name: str) -> None:
    refused(zipped(tmp_path / "a.zip", {name: b""}), ReadError, "too long or holds control")
    refused(tarred(tmp_path / "a.tar", {name: b""}), ReadError, "too long or holds control")


@pytest.mark.parametrize(
    "pair", [("a", "a"), ("a", "./a"), ("a", "a/b"), ("a/b", "a"), ("a/b", "a\\b")]
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path: Path, pair: tuple[str, str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in pair:
            archive.writestr(name, b"x")
    refused(tmp_path / "a.zip", ReadError, "two files of the same name")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    entry = zipfile.ZipInfo("link.nii")
    entry.create_system, entry.external_attr = 3, (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(tmp_path / "a.zip", SafetyRefusal, r"a link or a device \(link\.nii\)")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        entry = tarfile.TarInfo("link.nii")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    refused(tmp_path / "a.tar", SafetyRefusal, r"a link or a device \(link\.nii\)")


def test_an_encrypted_zip_is_called_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"scan.nii": CONTENT})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refused(path, ReadError, r"is encrypted: scan\.nii needs a password")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_methods_are_named(tmp_path: Path, method: int) -> None:
    refused(zipped(tmp_path / "a.zip", SAFE, method), ReadError, r"rare method \((bzip2|LZMA)\)")


def test_a_zip_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", SAFE).read_bytes()
    path = tmp_path / "cut.zip"
    for length in [*range(4, len(whole), 211), len(whole) - 1]:
        path.write_bytes(whole[:length])
        refused(path, ReadError, "truncated or damaged")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_cut_anywhere_is_refused(tmp_path: Path, mode: str) -> None:
    whole = tarred(tmp_path / "a.tar", SAFE, mode).read_bytes()
    end = len(whole) if mode == "w:gz" else 3 * 512 + 5120 + 512 + 512
    path = tmp_path / "cut.tar"
    for length in [*range(600, end, 509), end - 1]:
        path.write_bytes(whole[:length])
        refused(path, ReadError, "truncated|damaged")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_changed_byte_does_not_pass(tmp_path: Path, method: int) -> None:
    whole = zipped(tmp_path / "a.zip", {"scan": CONTENT}, method).read_bytes()
    path = tmp_path / "b.zip"
    for place in range(34, 34 + 5000, 499):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        refused(path, ReadError, "truncated or damaged")


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """A list of contents whose entries all point at the same data unpacks to any size."""
    path = zipped(tmp_path / "a.zip", {"a": CONTENT, "b": CONTENT}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    content[second + 42 : second + 46] = bytes(4)
    path.write_bytes(content)
    refused(path, SafetyRefusal, "same bytes as several files")


def test_a_bomb_is_refused_whatever_its_shape(tmp_path: Path) -> None:
    zeros = bytes(64 << 20)
    flat = zipped(tmp_path / "flat.zip", {"zeros": zeros})
    refused(flat, SafetyRefusal, "looks like a zip bomb")
    refused(tarred(tmp_path / "a.tgz", {"zeros": zeros}, "w:gz"), SafetyRefusal, "zip bomb")
    many = zipped(tmp_path / "many.zip", {str(k): zeros[: 8 << 20] for k in range(8)})
    refused(many, SafetyRefusal, "zip bomb")
    nested = zipped(tmp_path / "nested.zip", {str(k): flat.read_bytes() for k in range(4)})
    refused(nested, SafetyRefusal, "zip bomb")


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"zeros": bytes(64 << 20)})
    content = bytearray(path.read_bytes())
    listed = content.index(b"PK\x01\x02")
    content[listed + 24 : listed + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, ReadError, "truncated or damaged")


def test_archives_in_archives_have_an_end(tmp_path: Path) -> None:
    content = b"scan"
    for depth in range(4):
        content = zipped(tmp_path / f"{depth}.zip", {f"{depth}.bin": content}).read_bytes()
    refused(tmp_path / "3.zip", SafetyRefusal, "more than 3 deep")
    with unpacked(tmp_path / "2.zip") as folder:
        assert list(holdings(folder).values()) == [b"scan"]


def test_a_list_of_contents_beyond_all_bounds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "a.zip", {str(k): b"" for k in range(50)})
    monkeypatch.setattr("leuko.formats.zip_members.MAX_MEMBERS", 49)
    refused(path, ReadError, "lists more than 49 files")
    monkeypatch.setattr("leuko.formats.zip_members.MAX_DIRECTORY", 100)
    refused(path, ReadError, "lists more than")


def test_too_little_disk_is_told_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "a.zip", {"noise": os.urandom(20 << 20)}, zipfile.ZIP_STORED)
    few = type(archives.shutil.disk_usage("/"))(10**9, 10**9, 10**7)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: few)
    refused(path, OutOfResources, "too little space to unpack a.zip")


def test_a_disk_that_fills_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", SAFE)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "_write", full)
    refused(path, OutOfResources, "too little space")


def test_a_zip_compressed_once_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip.gz"
    path.write_bytes(gzip.compress(zipped(tmp_path / "a.zip", SAFE).read_bytes()))
    with pytest.raises(ReadError, match="compressed once more"):
        read(path)


# ---------------------------------------------------------------- what is left behind


WAITING = """
import sys, time
from leuko.formats.archive import unpacked
with unpacked(sys.argv[1]):
    print("ready", flush=True)
    time.sleep(60)
"""


def waiting(path: Path, temporary: Path) -> subprocess.Popen[str]:
    """A process that holds the archive unpacked."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(2, signal.default_int_handler)\n"
         + WAITING, path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert len(list(temporary.iterdir())) == 1
    return process


def test_ctrl_c_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    with waiting(zipped(tmp_path / "a.zip", SAFE), temporary) as process:
        process.send_signal(signal.SIGINT)
        process.wait(10)
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_goes_with_the_next(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder in use stays."""
    path = zipped(tmp_path / "a.zip", SAFE)
    with waiting(path, temporary) as process:
        monkeypatch.setattr(archives, "_YOUNG_SECONDS", -1.0)
        with unpacked(path):
            assert len(list(temporary.iterdir())) == 2
        process.kill()
        process.wait(10)
        assert len(list(temporary.iterdir())) == 1
        monkeypatch.setattr(archives, "_YOUNG_SECONDS", 3600.0)
        with unpacked(path):
            assert len(list(temporary.iterdir())) == 2
        monkeypatch.setattr(archives, "_YOUNG_SECONDS", -1.0)
        with unpacked(path):
            assert len(list(temporary.iterdir())) == 1
    assert not list(temporary.iterdir())


# ---------------------------------------------------------------- the real files


MUST_FAIL = {
    "must_fail_bomb_64MB_of_zeros.zip": (SafetyRefusal, "zip bomb"),
    "must_fail_path_traversal.zip": (SafetyRefusal, "name leaves its folder"),
    "must_fail_symlink.zip": (SafetyRefusal, "a link or a device"),
    "must_fail_truncated.zip": (ReadError, "truncated or damaged"),
}


@pytest.mark.parametrize("name", MUST_FAIL)
def test_what_must_fail_fails(shared_data: Path, name: str) -> None:
    kind, match = MUST_FAIL[name]
    refused(shared_data / "formats/zip" / name, kind, match)
    with pytest.raises(kind, match=match):
        read(shared_data / "formats/zip" / name)


def test_the_nifti_in_a_zip_is_the_reference(shared_data: Path) -> None:
    image = read(shared_data / "formats/zip/nifti_in_zip.zip")
    truth = read(shared_data / "formats/derived/reference.nii.gz")
    np.testing.assert_array_equal(image.data, truth.data)
    assert image.grid == truth.grid


def test_every_dicom_zip_unpacks_to_what_another_program_finds(shared_data: Path) -> None:
    paths = sorted((shared_data / "dicom").rglob("*.zip"))
    assert len(paths) > 40
    for path in [*paths, shared_data / "formats/same_image/DICOM.zip"]:
        with zipfile.ZipFile(path) as oracle, unpacked(path) as folder:
            found = holdings(folder)
            assert found == {name: oracle.read(name) for name in found}
            assert len(found) >= sum(not name.endswith("/") for name in oracle.namelist()) - 2


def test_a_dicom_series_in_a_zip_is_its_truth(shared_data: Path) -> None:
    pytest.importorskip("leuko.dicom.image")
    image = read(shared_data / "formats/zip/dicom_series_nested.zip")
    truth = read(shared_data / "dicom/conversion/hitachi_anat/truth.nii.gz")
    assert sorted(image.grid.shape) == sorted(truth.grid.shape)
    np.testing.assert_array_equal(np.sort(image.data, axis=None), np.sort(truth.data, axis=None))


def test_unpacking_is_quick(tmp_path: Path) -> None:
    """Half a second for 2,000 small files is ten times what is needed."""
    path = zipped(tmp_path / "a.zip", {f"{k:05}": CONTENT for k in range(2000)})
    began = time.perf_counter()
    with unpacked(path):
        pass
    assert time.perf_counter() - began < 5
