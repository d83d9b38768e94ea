"""The interval of the main job's volume, where its errors are known."""

from __future__ import annotations

from leuko.models.card import Card
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import settings
from leuko.quantify.uncertainty import VolumeInterval, volume_interval

__all__ = ["interval_of"]


def interval_of(volume_ml: float, *, config: SegmentConfig, card: Card) -> VolumeInterval | None:
    """The interval of a volume in ml that was made with `config` and the weights of `card`.

    None where nobody measured the errors of these weights, and where a parameter of the mask is
    not the card's: then the errors are others.
    """
    usual = settings(SegmentConfig(definition=config.definition), card)
    if card.volume_errors is None or settings(config, card) != usual:
        return None
    return volume_interval(volume_ml, errors=card.volume_errors)
