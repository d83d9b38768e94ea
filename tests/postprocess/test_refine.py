"""Refinement draws the edge at half of the lesions' brightness, near what the network saw."""

from __future__ import annotations

import numpy as np

from leuko.models.classes import Tissue
from leuko.postprocess.refine import Refinement, refine

ONE_MM = (1.0, 1.0, 1.0)


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probability, image and anatomy: a lesion of 7 x 7 x 3 voxels of which 5 x 5 x 3 are seen."""
    anatomy = np.full((30, 30, 9), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:2] = Tissue.BACKGROUND
    image = np.full(anatomy.shape, 100.0, dtype=np.float32)
    image[10:17, 10:17, 3:6] = 200.0
    probability = np.zeros(anatomy.shape, dtype=np.float32)
    probability[11:16, 11:16, 3:6] = 0.9
    return probability, image, anatomy


def run(probability, image, anatomy, **parameters):
    return refine(
        probability >= 0.5,
        probability=probability,
        image=image,
        anatomy=anatomy,
        spacing=ONE_MM,
        parameters=Refinement(**parameters),
    )


def test_bright_neighbours_within_reach_are_taken_in() -> None:
    refined, done = run(*scene(), reach_mm=1.5)
    expected = np.zeros(refined.shape, dtype=bool)
    expected[10:17, 10:17, 3:6] = True
    assert np.array_equal(expected, refined)
    assert (100.0, 200.0) == (done.brain_level, done.lesion_level)
    assert {
        "brain_level": 100.0,
        "lesion_level": 200.0,
        "drift": 1.0,
        "voxels_added": 72,
        "voxels_removed": 0,
    }.items() >= {k: v for k, v in done.as_details().items() if k != "voxels"}.items()


def test_what_is_out_of_reach_stays_out() -> None:
    refined, _ = run(*scene(), reach_mm=1.0)
    assert 147 - 4 * 3 == refined.sum()  # the corners of 7 x 7 are 1.41 mm away


def test_darker_than_half_way_is_taken_out() -> None:
    probability, image, anatomy = scene()
    image[13, 13, 4] = 150.0  # half way itself is not above it
    image[12, 12, 4] = 151.0
    refined, done = run(probability, image, anatomy)
    assert not refined[13, 13, 4]
    assert refined[12, 12, 4]
    assert 1 == done.effect.voxels_removed


def test_the_level_moves_the_edge() -> None:
    probability, image, anatomy = scene()
    image[13, 13, 4] = 150.0
    assert run(probability, image, anatomy, level=0.4)[0][13, 13, 4]
    assert not run(probability, image, anatomy, level=0.6)[0][13, 13, 4]


def test_support_reaches_further_than_the_threshold() -> None:
    probability, image, anatomy = scene()
    probability[10:17, 10:17, 3:6] = np.maximum(probability[10:17, 10:17, 3:6], 0.3)
    assert 75 == run(probability, image, anatomy, support=0.4, reach_mm=0.0)[0].sum()
    assert 147 == run(probability, image, anatomy, support=0.2, reach_mm=0.0)[0].sum()


def test_what_is_brighter_than_the_edge_needs_less_probability() -> None:
    probability, image, anatomy = scene()
    # Half way is 150; the odds of .3 are 3:7, and exp(4 * .25) is 2.7: enough at 175, not at 160.
    for x, brightness in ((20, 160.0), (22, 175.0), (24, 175.0)):
        probability[x, 5, 4], image[x, 5, 4] = 0.3, brightness
    probability[24, 5, 4] = 0.25
    refined, _ = run(probability, image, anatomy, reach_mm=0.0, evidence=4.0)
    assert [False, True, False] == refined[[20, 22, 24], 5, 4].tolist()
    assert not run(probability, image, anatomy, reach_mm=0.0)[0][20:, 5].any()


def test_nothing_is_lesion_for_being_bright_alone() -> None:
    probability, image, anatomy = scene()
    image[20:25, 5, 4] = 5000.0
    probability[20:25, 5, 4] = 0.01
    assert not run(probability, image, anatomy, reach_mm=0.0, evidence=4.0)[0][20:].any()


def test_evidence_finds_room_between_any_support() -> None:
    probability, image, anatomy = scene()
    sure = probability > 0.5
    nowhere, _ = run(probability, image, anatomy, reach_mm=0.0, support=1.0, evidence=4.0)
    assert not nowhere.any()
    assert sure[run(probability, image, anatomy, reach_mm=0.0, evidence=4.0)[0]].all()
    anywhere, _ = run(probability, image, anatomy, reach_mm=0.0, support=0.0, evidence=4.0)
    assert np.array_equal(image == 200.0, anywhere)


def test_bright_voxels_outside_the_brain_stay_out() -> None:
    probability, image, anatomy = scene()
    anatomy[16:] = Tissue.VENTRICLES
    refined, _ = run(probability, image, anatomy)
    assert not refined[16:].any()


def test_without_a_lesion_nothing_happens() -> None:
    probability, image, anatomy = scene()
    probability *= 0.5  # all between support and threshold
    refined, done = run(probability, image, anatomy)
    assert not refined.any()
    assert {"voxels": 0, "drift": 1.0} == done.as_details()


def test_lesions_that_are_not_brighter_stay_as_they_are() -> None:
    probability, image, anatomy = scene()
    refined, done = run(probability, 300.0 - image, anatomy)
    assert np.array_equal(probability >= 0.5, refined)
    assert not done.effect.changed


def test_without_anatomy_to_compare_nothing_happens() -> None:
    probability, image, _ = scene()
    refined, done = run(probability, image, np.zeros(image.shape, np.uint8))
    assert np.array_equal(probability >= 0.5, refined)
    assert done.brain_level is None


def test_the_summit_raises_the_edge() -> None:
    probability, image, anatomy = scene()
    image[12:15, 12:15, 3:6] = 260.0  # 27 of 75 voxels; half way to them are 180
    image[10, 10:17, 3:6] = 170.0
    median, _ = run(probability, image, anatomy, summit=0.5)
    core, done = run(probability, image, anatomy, summit=0.9)
    assert median[10, 11:16, 3:6].all()
    assert not core[10].any()
    assert 260.0 == done.lesion_level


def test_what_hardly_stands_out_of_white_matter_is_no_lesion() -> None:
    probability, image, anatomy = scene()
    image[:, 1::3, :] = 110.0  # a third of the white matter is 10 above the rest, a third below
    image[:, 2::3, :] = 90.0
    image[10:17, 10:17, 3:6] = 130.0
    image[13, 13, 4] = 145.0
    deviation = 1.4826 * 10
    halved, _ = run(probability, image, anatomy, level=0.5)
    assert halved[11:16, 11:16, 3:6].all()
    spared, _ = run(probability, image, anatomy, level=0.5, deviations=29 / deviation)
    assert spared[11:16, 11:16, 3:6].all()
    certain, _ = run(probability, image, anatomy, level=0.5, deviations=31 / deviation)
    assert [[13, 13, 4]] == np.argwhere(certain).tolist()


def test_the_unit_of_the_image_does_not_matter() -> None:
    probability, image, anatomy = scene()
    rng = np.random.default_rng(3)
    image += rng.normal(0, 8, image.shape).astype(np.float32)
    probability += rng.uniform(0, 0.4, image.shape).astype(np.float32)
    refined, _ = run(probability, image, anatomy, evidence=4.0)
    scaled, _ = run(probability, image * np.float32(8), anatomy, evidence=4.0)
    assert np.array_equal(refined, scaled)


def test_flipped_arrays_give_the_flipped_mask() -> None:
    probability, image, anatomy = scene()
    rng = np.random.default_rng(4)
    image += rng.normal(0, 8, image.shape).astype(np.float32)
    probability += rng.uniform(0, 0.4, image.shape).astype(np.float32)
    refined, _ = run(probability, image, anatomy, evidence=4.0)
    turned = [np.asfortranarray(a)[:, ::-1].copy()[:, ::-1] for a in (probability, image, anatomy)]
    assert np.array_equal(refined, run(*turned, evidence=4.0)[0])


def test_a_drift_of_brightness_across_the_scan_changes_nothing() -> None:
    probability, image, anatomy = scene()
    image[20:25, 20:25, 3:6] = 200.0
    probability[20:25, 20:25, 3:6] = 0.9
    image += np.random.default_rng(0).normal(scale=1.0, size=image.shape).astype(np.float32)
    drift = np.exp(np.linspace(-0.5, 0.5, 30))[:, None, None].astype(np.float32)
    even, _ = run(probability, image, anatomy)
    drifted, done = run(probability, image * drift, anatomy)
    assert np.array_equal(even, drifted)
    assert 2.4 < done.drift < np.e  # the outermost hundredths of white matter do not count
