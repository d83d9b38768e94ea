"""The T1 on its way to the network: who sees it, what is said of it, what if it is a wrong one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from brightness_network import BrightnessEngine, make_card

from leuko.formats.read import read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment, segment_file
from leuko.pipelines.statistics import decode
from leuko.pipelines.t1_space import IN_T1

CONFIG = SegmentConfig(report=False, policy="lenient")


class Watching(BrightnessEngine):
    """Goes by the FLAIR's brightness, and remembers what the fourth channel showed."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[int, float]] = []

    def __call__(self, slices: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.shown.append((slices.shape[1], float(np.abs(slices[:, 3:]).sum())))
        return super().__call__(slices)

    @property
    def channels(self) -> set[int]:
        return {count for count, _ in self.shown}

    @property
    def t1(self) -> float:
        return sum(total for _, total in self.shown)


class NotToBeRead:
    """What fails when anything is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"the T1 was looked at: {name}")


def with_t1(engine: Watching) -> Model:
    return Model.of(make_card(options={"in_channels": 4}), engine)


def codes(result: Any) -> list[str]:
    return [finding.code for finding in result.findings if finding.code.startswith("t1.")]


@pytest.fixture
def t1(head_image: Image, tmp_path: Path) -> Image:
    """The T1 of the head: the same tissues, fluid darkest and white matter brightest."""
    levels = ((0, 0), (130, 90), (200, 150), (480, 500), (620, 390), (900, 430))
    data = np.interp(head_image.data, *np.array(levels, float).T).astype(np.float32)
    write(Image(data, head_image.grid), tmp_path / "t1.nii.gz")
    return read_scan(tmp_path / "t1.nii.gz")


def test_a_network_of_three_channels_never_looks_at_the_t1(head_image: Image) -> None:
    engine = Watching()
    alone = segment(head_image, config=CONFIG, model=Model.of(make_card(), engine))
    beside: Any = NotToBeRead()
    found = segment(head_image, t1=beside, config=CONFIG, model=Model.of(make_card(), engine))
    assert engine.channels == {3}
    np.testing.assert_array_equal(found.mask.data, alone.mask.data)
    assert found.provenance.t1_used is None


def test_without_a_t1_the_fourth_channel_is_zero_and_nothing_is_said(head_image: Image) -> None:
    engine = Watching()
    found = segment(head_image, config=CONFIG, model=with_t1(engine))
    assert engine.channels == {4}
    assert engine.t1 == 0
    assert codes(found) == []
    assert found.provenance.t1_used is None
    assert "t1" not in {step.name for step in found.steps}


def test_the_t1_of_the_head_is_shown_and_recorded(head_image: Image, t1: Image) -> None:
    engine = Watching()
    found = segment(head_image, t1=t1, config=CONFIG, model=with_t1(engine))
    assert engine.t1 > 0
    assert codes(found) == []
    assert found.provenance.t1_used is True
    assert found.provenance.t1_name == "t1.nii.gz"
    assert t1.source is not None
    assert found.provenance.t1_sha256 == t1.source.sha256
    (step,) = (step for step in found.steps if step.name == "t1")
    assert step.details["found_from"] == "header"


def test_how_the_t1s_array_lies_in_its_file_changes_nothing(head_image: Image, t1: Image) -> None:
    affine = t1.grid.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (t1.grid.shape[0] - 1)
    affine[:3, 0] *= -1
    turned = Image(
        np.flip(t1.data, 0).transpose(2, 0, 1).copy(),
        Grid(tuple(t1.grid.shape[k] for k in (2, 0, 1)), affine[:, [2, 0, 1, 3]]),  # type: ignore[arg-type]
    )
    one, other = Watching(), Watching()
    segment(head_image, t1=t1, config=CONFIG, model=with_t1(one))
    segment(head_image, t1=turned, config=CONFIG, model=with_t1(other))
    assert sorted(one.shown) == sorted(other.shown)


def test_the_t1_of_another_head_is_left_out_and_said(head_image: Image, shared_data: Path) -> None:
    other = read_scan(shared_data / "wmh" / "ljubljana" / "19" / "t1.nii.gz")
    engine = Watching()
    found = segment(head_image, t1=other, config=CONFIG, model=with_t1(engine))
    assert codes(found) == ["t1.not_used"]
    assert engine.t1 == 0
    assert found.provenance.t1_used is False


def test_what_is_no_t1_is_taken_back_once_the_tissues_are_known(head_image: Image) -> None:
    """The FLAIR itself given as the T1: it lies right, but its contrast is wrong."""
    engine = Watching()
    alone = segment(head_image, config=CONFIG, model=with_t1(Watching()))
    found = segment(head_image, t1=head_image, config=CONFIG, model=with_t1(engine))
    assert codes(found) == ["t1.not_used"]
    assert found.provenance.t1_used is False
    assert engine.shown[0][1] > 0
    assert engine.shown[-1][1] == 0
    np.testing.assert_array_equal(found.mask.data, alone.mask.data)


def test_what_cannot_be_laid_over_the_flair_is_a_finding_and_no_error(
    head_image: Image, t1: Image
) -> None:
    series = Image(np.stack([t1.data, t1.data], axis=-1), t1.grid)
    mask = replace(t1, data=(t1.data > 300).astype(np.uint8))
    nowhere = Image(t1.data, Grid(t1.grid.shape, t1.grid.affine, oriented=False))
    for wrong in (series, mask, nowhere):
        engine = Watching()
        found = segment(head_image, t1=wrong, config=CONFIG, model=with_t1(engine))
        assert codes(found) == ["t1.not_used"]
        assert engine.t1 == 0


def test_files_of_a_run_say_whether_the_t1_was_used(
    head_file: Path, t1: Image, tmp_path: Path
) -> None:
    """The registration of the channel also takes the mask into the T1's space."""
    numbers = segment_file(
        head_file,
        out=tmp_path / "out",
        t1=tmp_path / "t1.nii.gz",
        config=SegmentConfig(policy="lenient", t1_space=True),
        model=with_t1(Watching()),
    )
    written = decode((tmp_path / "out" / "stats.json").read_bytes())
    assert written.provenance.t1_used is True
    assert t1.source is not None
    assert written.provenance.t1_sha256 == t1.source.sha256
    assert [step.name for step in numbers.steps].count("t1") == 1
    assert (tmp_path / "out" / IN_T1).is_file()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "T1 of the same head" in page
