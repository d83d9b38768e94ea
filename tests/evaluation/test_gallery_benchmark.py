"""benchmarks/gallery.py: the worst places by rule, their captions, what a person wrote of them."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leuko.image.grid import Grid
from leuko.image.image import Image


@pytest.fixture
def benchmarks(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return repository / "benchmarks"


@pytest.fixture
def findings(benchmarks: Path) -> ModuleType:
    return importlib.import_module("gallery_findings")


@pytest.fixture
def gallery(benchmarks: Path) -> ModuleType:
    return importlib.import_module("gallery")


def boxes(*places: tuple[slice, slice, slice]) -> npt.NDArray[np.bool_]:
    mask = np.zeros((24, 24, 4), dtype=bool)
    for place in places:
        mask[place] = True
    return mask


SMALL = (slice(1, 3), slice(1, 3), slice(1, 2))
LARGE = (slice(1, 5), slice(10, 14), slice(1, 3))
OFF = (slice(3, 7), slice(10, 14), slice(1, 3))
HUGE = (slice(12, 22), slice(2, 22), slice(0, 4))


def test_the_largest_false_mark_is_the_largest_that_touches_no_lesion(
    findings: ModuleType,
) -> None:
    worst = findings.largest_false(boxes(HUGE), boxes(HUGE, SMALL, LARGE), voxel_mm3=2.0)
    assert worst.mask_mm3 == worst.badness == 64.0
    assert (worst.region == boxes(LARGE)).all()


def test_the_largest_miss_is_the_largest_lesion_that_no_mark_touches(findings: ModuleType) -> None:
    worst = findings.largest_missed(boxes(HUGE, SMALL, LARGE), boxes(HUGE), voxel_mm3=2.0)
    assert (worst.truth_mm3, worst.mask_mm3) == (64.0, 0.0)
    assert (worst.region == boxes(LARGE)).all()


def test_without_anything_wrong_there_is_no_worst(findings: ModuleType) -> None:
    same = boxes(LARGE)
    assert findings.largest_false(same, same, voxel_mm3=1.0) is None
    assert findings.largest_missed(same, same, voxel_mm3=1.0) is None
    assert findings.worst_outline(boxes(SMALL), boxes(SMALL), voxel_mm3=1.0) is None


def test_the_worst_outline_is_of_a_lesion_found_that_is_large_enough(findings: ModuleType) -> None:
    truth = boxes(HUGE, LARGE, SMALL)
    mask = boxes(HUGE, OFF, (slice(2, 4), slice(1, 3), slice(1, 2)))
    worst = findings.worst_outline(truth, mask, voxel_mm3=10.0)
    assert worst.dice == pytest.approx(0.5)  # the small one agrees as badly, but is too small
    assert (worst.truth_mm3, worst.mask_mm3) == (320.0, 320.0)
    assert (worst.region == (boxes(LARGE) ^ boxes(OFF))).all()


def entry(gallery: ModuleType, **changes: Any) -> Any:
    known = {"kind": "outline", "set": "ljubljana", "case": "07", "weights": "run", "slice": 9}
    return gallery.Shown(**(known | {"truth_mm3": 250, "mask_mm3": 90, "dice": 0.4} | changes))


def test_what_a_person_wrote_stays_with_its_place_and_no_other(gallery: ModuleType) -> None:
    before = [entry(gallery, why="Faint."), entry(gallery, case="19", why="Other.")]
    again = [entry(gallery, dice=0.3), entry(gallery, case="26")]
    assert [one.why for one in gallery.with_reasons(again, before=before)] == ["Faint.", ""]


def test_a_caption_says_where_how_large_and_why_and_whose_scan_it_is(gallery: ModuleType) -> None:
    shown = [entry(gallery, why="Faint beside CSF."), entry(gallery, kind="false", dice=None)]
    told = gallery.text(shown)
    assert "case 07, slice 9 (`run`): 250 mm³ true, 90 mm³ marked, Dice 0.40. Faint beside" in told
    assert "90 mm³ marked, none true." in told
    assert told.count("Neuroinformatics 2018, CC BY") == 2


def test_a_set_is_shown_with_weights_that_are_known_not_to_have_seen_it(
    gallery: ModuleType,
) -> None:
    def network(name: str, *, history: bool, seen: bool) -> Any:
        return SimpleNamespace(
            name=name, history=(1,) if history else (), seen=lambda *_: ["07"] if seen else []
        )

    nobody_knows = network("packaged", history=False, seen=False)
    saw, left_out = network("a", history=True, seen=True), network("b", history=True, seen=False)
    chosen = gallery.SETS["ljubljana"]
    assert gallery.unseen([nobody_knows, saw, left_out], chosen, []) is left_out
    with pytest.raises(SystemExit, match="left ljubljana out"):
        gallery.unseen([nobody_knows, saw], chosen, [])


def test_the_patients_right_is_on_the_left_of_a_picture(benchmarks: Path) -> None:
    pictures = importlib.import_module("gallery_pictures")
    grid = Grid((10, 12, 4), np.diag([-1.0, 1.0, 5.0, 1.0]))  # file axes run to the left
    data = np.ones(grid.shape, dtype=np.float32)
    region = np.zeros(grid.shape, dtype=bool)
    region[1, 10, 2] = True  # to the right of the head, in front
    view = pictures.view_of(Image(data, grid), region, np.zeros_like(region), region)
    assert view.letters[:2] == ("R", "L")
    assert view.number == 2
    assert view.centre == (1.0, 1.0)
    assert view.truth[1, 1]


def test_thin_lines_keep_their_colour_beside_many_greys(benchmarks: Path) -> None:
    from PIL import Image as Picture

    small = importlib.import_module("small_png")
    grey = np.random.default_rng(1).integers(0, 255, (200, 200, 1), dtype=np.uint8)
    pixels = np.repeat(grey, 3, axis=2)
    pixels[100, 50:60] = (255, 90, 54)
    few = np.asarray(small.few_colours(Picture.fromarray(pixels), greys=16).convert("RGB"))
    assert np.abs(few[100, 50:60].astype(int) - (255, 90, 54)).max() <= 8
    assert len(np.unique(few[0], axis=0)) <= 16


def test_the_model_card_shows_the_gallery_as_it_was_found(
    gallery: ModuleType, repository: Path
) -> None:
    shown = gallery.load(repository / "benchmarks" / "gallery.yaml")
    page = (repository / "MODEL_CARD.md").read_text()
    made = gallery.filled(page, gallery.text(shown), begin=gallery.BEGIN, end=gallery.END)
    assert page == made, "run python benchmarks/gallery.py --write MODEL_CARD.md"
    assert {one.set for one in shown} <= gallery.SHOWN.keys()


def test_pictures_of_the_model_are_there_and_small(repository: Path) -> None:
    pictures = sorted((repository / "docs" / "images" / "model").glob("*.png"))
    shown = (repository / "MODEL_CARD.md").read_text() + (repository / "docs/model.md").read_text()
    assert [path.name for path in pictures if f"images/model/{path.name})" not in shown] == []
    assert {"false.png", "missed.png", "outline.png"} <= {path.name for path in pictures}
    sizes = [path.stat().st_size for path in pictures]
    assert max(sizes) <= 150_000
    assert sum(sizes) <= 600_000
