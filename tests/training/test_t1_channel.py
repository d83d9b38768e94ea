"""The T1 as fourth channel: shown as often as asked, on the same pixels, and 0 where absent."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("lightning", reason="needs the train extra (lightning)")

from train_fake import recipe_text  # noqa: E402

from leuko.errors import UsageError  # noqa: E402
from leuko.networks.catalogue import build  # noqa: E402
from leuko.synthesis.stream import StreamSettings  # noqa: E402
from leuko.training.crops import RealCase, crops  # noqa: E402
from leuko.training.feed import Feed  # noqa: E402
from leuko.training.real import load_case  # noqa: E402
from leuko.training.recipe import Augmentation, Case, Recipe, parse_recipe  # noqa: E402
from leuko.training.run import train  # noqa: E402
from leuko.training.sources import plan_of  # noqa: E402
from leuko.training.weights import start_from  # noqa: E402

STILL = Augmentation(rotation_deg=0, scale=0, flip=0, gamma=0, contrast=0, level=0, bias=0,
                     noise=0, blur_px=0, coarsening=0)  # fmt: skip

drawn = pytest.mark.skipif(
    "t1_share" not in {field.name for field in fields(StreamSettings)},
    reason="the generator draws no T1",
)


def case(*, with_t1: bool = True) -> RealCase:
    """A disc with a bright square in the FLAIR that is dark in the T1."""
    x, y = np.mgrid[:96, :112]
    disc = ((x - 48) ** 2 + (y - 56) ** 2 < 40**2).astype(np.float32)
    square = np.zeros_like(disc)
    square[30:44, 50:70] = 1.0
    stack = np.repeat((disc + square)[None], 4, axis=0)
    lesion = np.repeat(square[None], 4, axis=0)
    t1 = np.repeat((disc - 0.6 * square)[None], 4, axis=0)
    return RealCase(stack, lesion, None, 5.0, 0, t1=t1 if with_t1 else None)


def recipe(*, share: float, steps: int = 2) -> Recipe:
    text = recipe_text(__file__, steps=steps, every_s=1000.0, workers=0)
    text = text.replace("network: {", "network: {in_channels: 4, ")
    return parse_recipe(text.replace("data: {", f"data: {{t1_share: {share}, "))


def test_the_t1_moves_with_the_flair() -> None:
    plan = msgspec.structs.replace(STILL, rotation_deg=20, scale=0.2, flip=0.5)
    stream = crops([case()], shape=(96, 112), augmentation=plan, seed=1, t1_share=1.0)
    for crop in itertools.islice(stream, 12):
        assert crop.image.shape == (4, 96, 112)
        bright, dark = crop.image[1] > 1.5, np.abs(crop.image[3] - 0.4) < 0.25
        # A shift of half a pixel, and the edge of the disc, are all that may differ.
        assert np.mean(dark[bright]) > 0.85


def test_its_intensities_change_on_their_own() -> None:
    plan = msgspec.structs.replace(STILL, level=0.3)
    even = np.ones((4, 64, 64), np.float32)
    scan = RealCase(even, np.zeros_like(even), None, 5.0, 0, t1=even)
    stream = crops([scan], shape=(48, 48), augmentation=plan, seed=2, t1_share=1.0)
    shown = itertools.islice(stream, 150)
    levels = np.log([[c.image[1].max(), c.image[3].max()] for c in shown])
    assert levels.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.2)
    assert abs(np.corrcoef(levels.T)[0, 1]) < 0.3


def test_it_is_shown_in_its_share_of_the_crops_and_is_0_in_the_others() -> None:
    both = crops([case()], shape=(32, 32), augmentation=STILL, seed=3, t1_share=0.3)
    shown = [bool(c.image[3].any()) for c in itertools.islice(both, 200)]
    assert np.mean(shown) == pytest.approx(0.3, abs=0.1)
    never = crops([case(with_t1=False)], shape=(32, 32), augmentation=STILL, seed=3, t1_share=1.0)
    assert not any(c.image[3].any() for c in itertools.islice(never, 10))


def test_without_a_share_crops_are_those_of_a_case_without_t1() -> None:
    plan = Augmentation()
    first, second = (
        list(itertools.islice(crops([c], shape=(32, 48), augmentation=plan, seed=4), 5))
        for c in (case(), replace(case(), t1=None))
    )
    for a, b in zip(first, second, strict=True):
        assert a.image.shape == (3, 32, 48)
        np.testing.assert_array_equal(a.image, b.image)


def test_the_networks_channels_must_suit_the_share() -> None:
    assert recipe(share=0.5).data.channels == 4
    for text in (
        "name: a\nnetwork: {in_channels: 4}\ndata: {labelmaps: [x]}",
        "name: a\ndata: {labelmaps: [x], t1_share: 0.5}",
    ):
        with pytest.raises(UsageError, match="in_channels"):
            parse_recipe(text)


@drawn
def test_a_feed_yields_batches_of_four_channels() -> None:
    plan = plan_of(recipe(share=0.5).data, generator="fake_generator:slices")
    with Feed(plan, seed=1, start_step=0, batch=8) as feed:
        images = torch.cat([b["image"] for b in itertools.islice(feed.batches(), 6)])
    assert images.shape[1:] == (4, 32, 32)
    shown = images[:, 3].flatten(1).any(1)
    assert 0 < int(shown.sum()) < len(shown)


@pytest.mark.parametrize("name", ["unet", "resunet"])
def test_a_network_with_t1_starts_as_the_one_without(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    known = build(name, in_channels=3, classes=10, width=8, levels=3).eval()
    torch.save({"state_dict": known.state_dict()}, tmp_path / "final.pt")
    wider = build(name, in_channels=4, classes=10, width=8, levels=3).eval()
    with pytest.raises(UsageError, match="another network"):
        start_from(tmp_path / "final.pt", wider)
    taken = start_from(tmp_path / "final.pt", wider, more_channels=True)
    assert taken.widened
    image = torch.rand(2, 4, 16, 16)
    torch.testing.assert_close(wider(image), known(image[:, :3]))
    # Weights that know more than the network are no start.
    torch.save({"state_dict": wider.state_dict()}, tmp_path / "final.pt")
    with pytest.raises(UsageError, match="another network"):
        start_from(tmp_path / "final.pt", known, more_channels=True)


@drawn
def test_a_run_with_t1_starts_from_weights_without_and_keeps_their_anatomy(tmp_path: Path) -> None:
    plain = parse_recipe(recipe_text(__file__, steps=2, every_s=1000.0, workers=0))
    first = train(plain, out=tmp_path, generator="fake_generator:slices")
    told: list[str] = []
    outcome = train(
        msgspec.structs.replace(
            recipe(share=0.5), name="t1", init_from=str(first.weights), keep_from=str(first.weights)
        ),
        out=tmp_path,
        generator="fake_generator:slices",
        tell=told.append,
    )
    assert any("fewer input channels" in line for line in told)
    saved = torch.load(outcome.weights, weights_only=True)
    assert saved["network"]["options"]["in_channels"] == 4
    with np.load(tmp_path / "t1" / "validation.npz") as held:
        assert held["image"].shape[1] == 4


def test_a_mirrored_t1_of_a_scan_lies_over_its_flair(shared_data: Path) -> None:
    """The T1's array runs the other way; in the world both are the same head."""
    folder = shared_data / "wmh" / "tabriz" / "105911"
    (found,) = load_case(
        Case(str(folder / "flair.nii.gz"), t1=str(folder / "t1.nii.gz")),
        pixel_mm=0.8,
        with_t1=True,
    )
    assert found.t1 is not None
    assert found.t1.shape == found.image.shape
    assert found.t1.dtype == np.float32
    assert 0.9 < np.median(found.t1[found.t1 > 0.5]) < 1.2
    head, other = found.image > 0.35, found.t1 > 0.35
    overlap = 2 * np.count_nonzero(head & other) / (head.sum() + other.sum())
    mirrored = 2 * np.count_nonzero(head & other[:, :, ::-1]) / (head.sum() + other.sum())
    assert overlap > 0.85
    assert overlap > mirrored + 0.1
    (alone,) = load_case(
        Case(str(folder / "flair.nii.gz"), t1=str(folder / "t1.nii.gz")), pixel_mm=0.8
    )
    assert alone.t1 is None
