"""`leuko view` and its function: files in, a page or pictures out."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

import leuko
from leuko import cli
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.sample import sample_path, truth_path
from leuko.pipelines.overlays import overlay_of
from leuko.pipelines.view import view_file


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small scan and its mask, in which commands run; browsers stay closed."""
    grid = Grid.from_spacing((20, 24, 8), (1, 1, 4))
    values = np.random.default_rng(2).normal(100, 20, grid.shape).astype(np.float32)
    write(Image(values, grid), tmp_path / "flair.nii.gz")
    mask = np.zeros(grid.shape, np.uint8)
    mask[5:9, 6:9, 4] = 1
    write(Image(mask, grid), tmp_path / "mask.nii.gz", labels=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(webbrowser, "open", lambda address: pytest.fail(f"opened {address}"))
    return tmp_path


def test_without_more_a_page_is_written_beside_the_user(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["view", "flair.nii.gz"]) == 0
    assert capsys.readouterr().out == "Written: flair_view.html\n"
    assert "flair.nii.gz" in (work / "flair_view.html").read_text("utf-8")


def test_what_is_there_is_replaced_only_on_request_and_inputs_never(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(read(work / "flair.nii.gz"), work / "scan.tif")
    before = (work / "scan.tif").read_bytes()
    (work / "scan.tif").rename(work / "scan.png")  # what it is, its content says
    for options in ([], ["--force"]):
        assert cli.main(["view", "scan.png", "--png", "scan.png", *options]) == 2
        assert "is an input" in capsys.readouterr().err
    assert (work / "scan.png").read_bytes() == before
    (work / "a.png").write_bytes(b"mine")
    assert cli.main(["view", "flair.nii.gz", "--png", "a.png"]) == 6
    assert (work / "a.png").read_bytes() == b"mine"
    assert cli.main(["view", "flair.nii.gz", "--png", "a.png", "--force"]) == 0
    assert cli.main(["view", "flair.nii.gz"]) == cli.main(["view", "flair.nii.gz"]) == 0


def test_a_browser_opens_where_somebody_asks_for_it(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert cli.main(["view", "flair.nii.gz", "-o", "a.html", "--quiet"]) == 0
    assert opened == []
    assert cli.main(["view", "flair.nii.gz", "-o", "a.html", "--force", "--open", "-q"]) == 0
    assert opened == [(work / "a.html").as_uri()]


def test_pictures_are_written_without_a_page(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["view", "flair.nii.gz", "--overlay", "mask.nii.gz:lesions:green", "--json"]
    assert cli.main([*command, "--png", "a.png", "--gif", "a.gif", "--fill"]) == 0
    assert json.loads(capsys.readouterr().out) == {"page": None, "pictures": ["a.png", "a.gif"]}
    for name, kind in (("a.png", "PNG"), ("a.gif", "GIF")):
        with Pictures.open(work / name) as picture:
            assert picture.format == kind
    assert not list(work.glob("*.html"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["flair.nii.gz", "--window", "brian"], 2, "is no window"),
        (["flair.nii.gz", "--montage", "4"], 2, "give --png"),
        (["flair.nii.gz", "--png", "a.png", "--montage", "4", "--slice", "3"], 2, "one of them"),
        (["flair.nii.gz", "--png", "a.png", "--slice", "99"], 2, "outside the image"),
        (["flair.nii.gz", "--png", "a.png", "--volume", "1"], 2, "no volume 1"),
        (["flair.nii.gz", "--overlay", "mask.nii.gz:x:mauve"], 2, "is no colour"),
        (["flair.nii.gz", "--overlay", "nothing.nii.gz"], 3, "nothing.nii.gz"),
        (["nothing.nii.gz"], 3, "nothing.nii.gz"),
        (["flair.nii.gz", "-o", "no/such/folder.html"], 6, "folder.html"),
        (["flair.nii.gz", "-o", "page.txt"], 2, "End the name in .html"),
        (["flair.nii.gz", "--png", "a.gif"], 2, "End the name in .png"),
        (["flair.nii.gz", "--gif", "a.png"], 2, "End the name in .gif"),
        (["flair.nii.gz", "--labels", "table.tsv"], 2, "no overlay"),
    ],
)
def test_what_cannot_be_done_says_why(
    work: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert cli.main(["view", *arguments]) == code
    assert said in capsys.readouterr().err
    assert {path.name for path in work.iterdir()} == {"flair.nii.gz", "mask.nii.gz"}


def test_an_overlay_has_a_name_and_a_colour(work: Path) -> None:
    plain = overlay_of("mask.nii.gz")
    assert (plain.name, plain.colour) == ("mask", "")
    named = overlay_of("mask.nii.gz:my lesions:#12ab34")
    assert (named.name, named.colour) == ("my lesions", "#12ab34")
    (work / "names.json").write_text('{"1": {"name": "WMH", "color": "#010203"}}')
    told = overlay_of("mask.nii.gz", labels=work / "names.json")
    assert (told.names, told.colours) == ({1: "WMH"}, {1: "#010203"})
    (work / "mask.nii.gz").rename(work / "a:b.nii.gz")
    assert overlay_of("a:b.nii.gz").name == "a:b"


def test_what_was_noticed_on_reading_is_passed_on(work: Path, shared_data: Path) -> None:
    seen = view_file(
        shared_data / "formats/derived/both_codes_0.nii.gz",
        overlays=(str(shared_data / "formats/derived/both_codes_0.nii.gz"),),
        page=work / "a.html",
    )
    assert [f.code for f in seen.findings].count("grid.orientation_unknown") == 1


def test_the_python_call_returns_the_page_and_writes_it(work: Path) -> None:
    image, mask = read("flair.nii.gz"), read("mask.nii.gz")
    text = leuko.view(image, overlays=[mask], out=work / "b.html", window="p1,p99")
    assert (work / "b.html").read_text("utf-8") == text
    assert leuko.view(image, overlays=[mask], window="p1,p99") == text


def test_what_is_shown_all_the_same_is_not_called_refused(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Pictures.new("RGB", (64, 64), (200, 10, 10)).save(work / "colour.png")
    assert cli.main(["view", "colour.png", "--png", "a.png"]) == 0
    said = capsys.readouterr().err
    assert "Warning: " in said
    assert "Refusal" not in said


def test_label_maps_that_bring_names_are_shown_with_them(work: Path) -> None:
    """Leuko's own anatomy by its file's name, segments by theirs; a table has the last word."""
    values = np.zeros((20, 24, 8), np.uint8)
    values[3:6, 3:6, 3], values[9:12, 3:6, 3] = 15, 25
    image = Image(values, read(work / "flair.nii.gz").grid)
    write(image, work / "anatomy.nii.gz", labels=True)
    write(image, work / "parts.seg.nrrd", labels=True, names={15: "One", 25: "Two"})
    write(image, work / "nameless.nii.gz", labels=True)
    assert overlay_of(str(work / "anatomy.nii.gz")).names[15] == "Left ventricles"
    assert overlay_of(str(work / "parts.seg.nrrd")).names == {15: "One", 25: "Two"}
    assert overlay_of(str(work / "nameless.nii.gz")).names == {}
    (work / "table.json").write_text('{"15": "Mine"}')
    assert overlay_of(str(work / "anatomy.nii.gz"), labels=work / "table.json").names[15] == "Mine"


def test_dicom_and_pictures_can_be_viewed(work: Path, shared_data: Path) -> None:
    for name in ("tasks/ct/abdomen_dicom", "formats/images2d/gray16.png"):
        view_file(shared_data / name, png=work / "a.png", page=work / "a.html", force=True)
        with Pictures.open(work / "a.png") as picture:
            assert picture.width > 300


def test_the_sample_and_its_truth_make_a_page_in_a_moment(work: Path) -> None:
    seen = view_file(sample_path(), overlays=(str(truth_path()),), page=work / "sample.html")
    assert seen.findings == ()
    assert (work / "sample.html").stat().st_size < 4_000_000


def test_a_window_of_ct_on_another_scan_is_told(work: Path) -> None:
    seen = view_file(Path("flair.nii.gz"), png=work / "a.png", window="bone")
    assert "view.no_hounsfield" in {finding.code for finding in seen.findings}
    plain = view_file(Path("flair.nii.gz"), png=work / "b.png", window="p1,p99")
    assert "view.no_hounsfield" not in {finding.code for finding in plain.findings}
