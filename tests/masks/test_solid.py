"""Opening, closing, filling and smoothing of masks by millimetres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leuko.masks.solid import closed, erode, filled, largest_part, main_part, smoothed

SPACING = (1.0, 1.0, 2.0)


def ball(radius: float, *, at: tuple[float, float, float] = (20, 20, 20)) -> npt.NDArray[np.bool_]:
    x, y, z = np.ogrid[:41, :41, :21]
    return np.asarray((x - at[0]) ** 2 + (y - at[1]) ** 2 + (2 * z - at[2]) ** 2 <= radius**2)


def test_eroding_a_ball_gives_a_smaller_ball() -> None:
    assert abs(erode(ball(15), spacing=SPACING, radius_mm=5).sum() / ball(10).sum() - 1) < 0.15


def test_what_is_cut_by_the_border_is_not_eroded_there() -> None:
    mask = np.ones((6, 6, 6), dtype=np.bool_)
    assert erode(mask, spacing=SPACING, radius_mm=2).all()


def test_closing_fills_clefts_and_keeps_the_outside() -> None:
    mask = ball(15)
    cleft = mask.copy()
    cleft[19:22, :, 10:] = False
    found = closed(cleft, spacing=SPACING, radius_mm=4)
    assert not (cleft & ~found).any()
    assert (found & ~mask).sum() < 0.01 * mask.sum()
    assert (mask & ~found).sum() < 0.2 * (mask & ~cleft).sum()


def test_closing_at_the_border_does_not_stick_to_it() -> None:
    mask = np.zeros((20, 20, 20), dtype=np.bool_)
    mask[2:18, 2:18, 2:18] = True
    assert np.array_equal(mask, closed(mask, spacing=(1, 1, 1), radius_mm=3))


def test_thin_bridges_are_cut() -> None:
    body, blob = ball(10, at=(14, 20, 20)), ball(6, at=(34, 20, 20))
    joined = body | blob
    joined[14:34, 19:22, 10] = True
    found = main_part(joined, spacing=SPACING, radius_mm=4)
    assert (body & found).sum() > 0.98 * body.sum()
    assert not (blob & ~body & found)[32:].any()


def test_holes_are_filled_and_small_parts_left_out() -> None:
    mask = ball(12) & ~ball(4)
    mask[0, 0, 0] = True
    found = largest_part(filled(mask))
    assert np.array_equal(ball(12), found)


def test_smoothing_keeps_volume_and_drops_spikes() -> None:
    mask = ball(12)
    mask[20, 33:38, 10] = True
    found = smoothed(mask, spacing=SPACING, sigma_mm=1.5)
    assert not found[20, 35:38, 10].any()
    assert abs(found.sum() / ball(12).sum() - 1) < 0.06


def test_an_empty_mask_stays_empty() -> None:
    nothing = np.zeros((5, 5, 5), dtype=np.bool_)
    for found in (
        closed(nothing, spacing=SPACING, radius_mm=2),
        main_part(nothing, spacing=SPACING, radius_mm=2),
        filled(nothing),
        smoothed(nothing, spacing=SPACING, sigma_mm=1),
    ):
        assert not found.any()
