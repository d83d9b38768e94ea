from __future__ import annotations

import msgspec
import pytest

from leuko.errors import ReadError, UsageError
from leuko.models.card import (
    Card,
    LogOdds,
    OperatingPoint,
    Views,
    VolumeErrors,
    card_to_json,
    parse_card,
)

POINT = OperatingPoint(
    threshold=0.5,
    refine_support=0.1,
    refine_level=0.5,
    refine_summit=0.5,
    refine_reach_mm=1.0,
    confine_margin_mm=2.0,
    min_lesion_mm3=3.0,
)
CARD = Card(
    name="w",
    version="1.0",
    graph="w.xml",
    files={"w.xml": "a" * 64, "w.bin": "b" * 64},
    architecture="unet",
    options={"width": 16, "norm": "batch", "dropout": 0.0},
    classes=("background", "lesion"),
    pixel_mm=0.8,
    neighbours_mm=(3.0,),
    operating_points={"vascular": POINT},
)


@pytest.mark.parametrize("views", [Views(), Views(flips=True), Views(planes=True)])
def test_a_card_survives_its_file(views: Views) -> None:
    card = msgspec.structs.replace(CARD, views=views)
    assert card == parse_card(card_to_json(card))


def test_what_was_fitted_survives_the_file_and_is_none_where_nobody_fitted_it() -> None:
    fitted = msgspec.structs.replace(
        CARD,
        volume_errors=VolumeErrors(
            below=0.7, above=0.3, floor_ml=4.0, scans=15, sets=4, held=19, judged=20
        ),
        lesion_odds=LogOdds(slope=0.4, offset=-2.5),
        voxel_odds=LogOdds(slope=0.4, offset=-1.8),
    )
    assert fitted == parse_card(card_to_json(fitted))
    content = msgspec.to_builtins(fitted)
    for name in ("volume_errors", "lesion_odds", "voxel_odds"):
        del content[name]
    assert CARD == parse_card(msgspec.json.encode(content))


@pytest.mark.parametrize("wrong", [{"floor_ml": 0.0}, {"level": 1.0}, {"below": -0.1}])
def test_impossible_errors_are_refused(wrong: dict[str, float]) -> None:
    errors = {"below": 0.7, "above": 0.3, "floor_ml": 4.0, "scans": 15, "sets": 4, "held": 19,
              "judged": 20}  # fmt: skip
    content = {**msgspec.to_builtins(CARD), "volume_errors": {**errors, **wrong}}
    with pytest.raises(ReadError, match=r"card\.json"):
        parse_card(msgspec.json.encode(content))


def test_a_card_that_says_nothing_of_views_asks_for_none() -> None:
    content = msgspec.to_builtins(CARD)
    del content["views"]
    assert Views(flips=False, planes=False) == parse_card(msgspec.json.encode(content)).views


def test_the_hash_of_the_weights_is_that_of_the_file_of_numbers() -> None:
    assert "b" * 64 == CARD.sha256
    files = {"w.xml": "a" * 64, "w.pt": "c" * 64}
    shared = msgspec.structs.replace(CARD, checkpoint="w.pt", files=files)
    assert "c" * 64 == shared.sha256
    assert 16 == CARD.width


def test_operating_points_go_by_definition() -> None:
    assert POINT == CARD.operating_point("vascular")
    with pytest.raises(UsageError, match="'ms'"):
        CARD.operating_point("ms")


@pytest.mark.parametrize(
    "change",
    [
        {"pixel_mm": 0},
        {"files": {"w.bin": "short"}},
        {"surprise": 1},
        {"operating_points": {"stroke": {}}},
    ],
)
def test_nonsense_is_refused(change: dict[str, object]) -> None:
    content = msgspec.json.encode({**msgspec.to_builtins(CARD), **change})
    with pytest.raises(ReadError, match=r"card\.json"):
        parse_card(content)


@pytest.mark.parametrize(
    ("channels", "neighbours_mm", "fits"),
    [(3, [3.0], True), (4, [3.0], True), (6, [1.0, 3.0], True), (6, [3.0], False),
     (3, [1.0, 3.0], False)],
)  # fmt: skip
def test_the_neighbours_are_those_the_network_has_channels_for(
    channels: int, neighbours_mm: list[float], fits: bool
) -> None:
    change = {"options": {"in_channels": channels}, "neighbours_mm": neighbours_mm}
    content = msgspec.json.encode({**msgspec.to_builtins(CARD), **change})
    if fits:
        assert parse_card(content).channels == channels
        return
    with pytest.raises(ReadError, match=f"{channels} channels"):
        parse_card(content)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_what_is_no_card_is_refused(content: bytes) -> None:
    with pytest.raises(ReadError):
        parse_card(content)
