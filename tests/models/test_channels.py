import pytest

from leuko.errors import UsageError
from leuko.models.channels import (
    input_channels,
    known_channels,
    neighbour_distances,
    neighbour_pairs,
    with_t1,
)


@pytest.mark.parametrize(("pairs", "t1", "channels"), [(1, False, 3), (1, True, 4), (2, True, 6)])
def test_neighbours_come_in_pairs_and_the_t1_makes_the_number_even(
    pairs: int, t1: bool, channels: int
) -> None:
    assert channels == input_channels(pairs, t1=t1)
    assert (pairs, t1) == (neighbour_pairs(channels), with_t1(channels))


@pytest.mark.parametrize(
    ("channels", "fewer", "expected"),
    [
        (3, 3, (0, 1, 2)),
        (4, 3, (0, 1, 2)),
        (4, 4, (0, 1, 2, 3)),
        (5, 3, (0, 2, 4)),
        (6, 4, (0, 2, 4, 5)),
        (3, 4, (0, 1, 2)),
    ],
)
def test_a_network_finds_its_outermost_neighbours_and_its_t1(
    channels: int, fewer: int, expected: tuple[int, ...]
) -> None:
    assert expected == known_channels(channels, fewer=fewer)


@pytest.mark.parametrize(("channels", "fewer"), [(3, 5), (4, 5), (4, 6), (3, 6)])
def test_neighbours_that_are_not_there_are_no_other_slice(channels: int, fewer: int) -> None:
    with pytest.raises(UsageError, match="4 neighbours of a slice, and there are 2"):
        known_channels(channels, fewer=fewer)


@pytest.mark.parametrize(
    ("slice_mm", "expected"), [(1.0, (1, 3)), (2.0, (1, 2)), (0.7, (1, 4)), (6.0, (1, 2))]
)
def test_neighbours_are_different_slices(slice_mm: float, expected: tuple[int, ...]) -> None:
    assert expected == neighbour_distances(slice_mm, neighbours_mm=(1.0, 3.0))
