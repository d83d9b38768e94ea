"""Bias field, windows, scalings, histogram landmarks, foreground; and steps as YAML."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leuko.errors import ReadError, UnusableInput, UsageError
from leuko.preparation.bias_field import correct_bias
from leuko.preparation.foreground import foreground_mask, otsu_threshold
from leuko.preparation.histogram import (
    Landmarks,
    learn_scale,
    measure_landmarks,
    parse_landmarks,
    to_landmarks,
)
from leuko.preparation.normalise import between_percentiles, z_score
from leuko.preparation.steps import N4, Brain, Crop, Normalise, Resample, Shape, parse_steps
from leuko.preparation.window import PRESETS, windowed

SPACING = (4.0, 4.0, 5.0)


def head() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Two tissues in a ball, noise, and air around."""
    x, y, z = np.ogrid[:40, :44, :30]
    inside = ((x - 20) / 17) ** 2 + ((y - 22) / 19) ** 2 + ((z - 15) / 13) ** 2 < 1
    tissue = np.where((x // 5 + y // 6 + z // 4) % 2 == 0, 100.0, 140.0)
    noise = np.random.default_rng(0).normal(0, 2, tissue.shape)
    return np.where(inside, tissue + noise, np.abs(noise)).astype(np.float32), np.asarray(inside)


def bias() -> npt.NDArray[np.float32]:
    x, y, z = np.ogrid[:40, :44, :30]
    return np.exp(0.25 * np.sin(x / 16) + 0.2 * np.cos(y / 20) + 0.01 * z).astype(np.float32)


def test_n4_finds_a_known_field() -> None:
    data, inside = head()
    true = bias()
    found = correct_bias(data * true, spacing=SPACING, region=inside, parameters=N4())
    ratio = np.log(found.field[inside]) - np.log(true[inside])
    assert np.log(true[inside]).std() > 0.08
    assert ratio.std() < 0.04
    assert np.allclose(found.data * found.field, data * true, rtol=1e-4)
    assert abs(np.log(found.field[inside]).mean()) < 1e-3


def test_n4_gives_the_same_result_again() -> None:
    data, inside = head()
    quick = N4(iterations=(5, 5))
    one, other = (
        correct_bias(data * bias(), spacing=SPACING, region=inside, parameters=quick)
        for _ in range(2)
    )
    assert np.array_equal(one.data, other.data)


def test_n4_corrects_a_single_slice_in_its_plane() -> None:
    data, inside = head()
    middle = (slice(None), slice(None), slice(15, 16))
    found = correct_bias(
        (data * bias())[middle],
        spacing=(1.0, 1.0, 5.0),
        region=inside[middle],
        parameters=N4(working_mm=1),
    )
    assert found.data.shape == (40, 44, 1)
    assert np.isfinite(found.data).all()


def test_n4_needs_positive_voxels() -> None:
    data, inside = head()
    with pytest.raises(UnusableInput, match="hardly any voxel above 0"):
        correct_bias(-data, spacing=SPACING, region=inside)


def test_windows_limit_and_rescale() -> None:
    data = np.array([-2000, -1000, 0, 500, 3000], dtype=np.int16)
    assert windowed(data, low=-1000, high=1000).tolist() == [-1000, -1000, 0, 500, 1000]
    assert windowed(data, low=-1000, high=1000).dtype == np.int16
    scaled = windowed(data, low=-1000, high=1000, rescale=True)
    assert scaled.tolist() == [0, 0, 0.5, 0.75, 1]
    assert all(low < high for low, high in PRESETS.values())


def test_z_score_has_mean_0_and_deviation_1_in_its_region() -> None:
    values = np.random.default_rng(1).normal(70, 12, 5000)
    found = z_score(values)(values)
    assert abs(found.mean()) < 1e-5
    assert abs(found.std() - 1) < 1e-5


def test_percentiles_become_0_and_1() -> None:
    values = np.arange(101.0)
    scaled = between_percentiles(values, low=10, high=90)(values)
    assert scaled[[10, 90]].tolist() == [0, 1]
    assert scaled[0] < 0
    assert between_percentiles(values, low=10, high=90, clip=True)(values)[[0, 100]].tolist() == [
        0,
        1,
    ]


@pytest.mark.parametrize("method", [z_score, between_percentiles, measure_landmarks])
def test_a_region_of_one_value_cannot_be_normalised_by(method: Any) -> None:
    for values in (np.zeros(0), np.full(9, 3.0)):
        with pytest.raises(UnusableInput):
            method(values)


def test_a_standard_scale_brings_histograms_together() -> None:
    rng = np.random.default_rng(2)
    base = [rng.gamma(4, 10, 20_000) for _ in range(3)]
    images = [base[0], base[1] * 3 + 50, base[2] ** 1.1]
    own = [measure_landmarks(image) for image in images]
    scale = learn_scale(own)
    assert scale.images == 3
    found = [
        to_landmarks(image, own=mine, target=scale) for image, mine in zip(images, own, strict=True)
    ]
    medians = [float(np.median(image)) for image in found]
    assert np.ptp(medians) < 0.5
    assert all(
        np.all(np.diff(image[np.argsort(before)]) >= 0)
        for image, before in zip(found, images, strict=True)
    )


def test_matching_to_an_image_gives_its_quantiles_and_goes_on_beyond_them() -> None:
    values = np.arange(1001.0)
    percentiles = tuple(float(p) for p in range(1, 100))
    own = measure_landmarks(values, percentiles=percentiles)
    target = measure_landmarks(values * 2 + 10, percentiles=percentiles)
    assert np.allclose(to_landmarks(values, own=own, target=target), values * 2 + 10, atol=1e-2)


def test_landmarks_survive_their_file() -> None:
    import msgspec

    scale = learn_scale([measure_landmarks(np.arange(50.0))])
    assert scale == parse_landmarks(msgspec.json.encode(scale), name="scale.json")
    for content in (b"{}", b"no json", b'{"percentiles":[1,2],"values":[3]}'):
        with pytest.raises(ReadError, match=r"scale\.json holds no standard scale"):
            parse_landmarks(content, name="scale.json")


def test_landmarks_that_coincide_do_no_harm() -> None:
    own = Landmarks(percentiles=(1, 50, 99), values=(0, 0, 10))
    target = Landmarks(percentiles=(1, 50, 99), values=(0, 2, 20))
    assert np.isfinite(to_landmarks(np.arange(-5.0, 15.0), own=own, target=target)).all()


def test_the_foreground_is_the_solid_object() -> None:
    data, inside = head()
    data[18:22, 20:24, 13:17] = 0  # a ventricle
    found = foreground_mask(data, spacing=SPACING)
    assert (found ^ inside).sum() < 0.03 * inside.sum()
    assert 5 < otsu_threshold(data) < 100
    assert not foreground_mask(np.zeros((4, 4, 4)), spacing=SPACING).any()


def test_steps_are_read_from_yaml_in_their_order() -> None:
    content = b"""
steps:
- {step: resample, spacing: [1, 1, null], kernel: cubic}
- step: brain
  margin_mm: 2
- {step: normalise, method: percentile, low: 2}
- {step: crop, to: brain}
- {step: shape, voxels: [4, 5, 6]}
"""
    assert parse_steps(content, name="steps.yaml") == (
        Resample(spacing=(1.0, 1.0, None), kernel="cubic"),
        Brain(margin_mm=2),
        Normalise(method="percentile", low=2),
        Crop(to="brain"),
        Shape(voxels=(4, 5, 6)),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"- {step: melt}",
        b"- {step: n4, speed: 3}",
        b"- {step: resample, spacing: 0}",
        b"- {step: resample, spacing: [1, 2]}",
        b"- {step: window}",
        b"- {step: window, preset: teeth}",
        b"- {step: window, preset: lung, low: 3}",
        b"- {step: window, low: 3, high: 2}",
        b"- {step: normalise, method: zscore, reference: a.nii.gz}",
        b"- {step: brain, margin_mm: -1}",
        b"{",
        b"\xff\xfe\x00",
        b"3",
    ],
)
def test_wrong_steps_are_one_clear_usage_error(content: bytes) -> None:
    with pytest.raises(UsageError):
        parse_steps(content, name="steps.yaml")
