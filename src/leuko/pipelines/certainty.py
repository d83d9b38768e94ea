"""How sure a result of the main job is, where the card of the weights knows their errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leuko.models.card import Card
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import settings
from leuko.pipelines.result import Result
from leuko.postprocess.threshold import with_log_odds
from leuko.quantify.uncertainty import VolumeInterval, lesion_confidence, volume_interval

__all__ = ["interval_of", "with_certainty"]


def with_certainty(result: Result, *, config: SegmentConfig, card: Card) -> Result:
    """The result with the interval of its volume, confidences and calibrated probabilities.

    Each of them only where it was measured for the weights: an interval and confidences are None
    without, and the probability map stays as the network gave it.
    """
    table, probability = result.table, result.probability
    if card.lesion_odds is not None:
        odds = card.lesion_odds
        table = tuple(replace(one, confidence=lesion_confidence(one, odds=odds)) for one in table)
    if card.voxel_odds is not None and probability is not None:
        values = np.asarray(probability.data, dtype=np.float32)
        slope, offset = card.voxel_odds.slope, card.voxel_odds.offset
        probability = probability.with_data(with_log_odds(values, slope=slope, offset=offset))
    interval = interval_of(result.burden.volume_ml, config=config, card=card)
    return replace(result, table=table, probability=probability, interval=interval)


def interval_of(volume_ml: float, *, config: SegmentConfig, card: Card) -> VolumeInterval | None:
    """The interval of a volume in ml that was made with `config` and the weights of `card`.

    None where nobody measured the errors of these weights, and where a parameter of the mask is
    not the card's: then the errors are others.
    """
    usual = settings(SegmentConfig(definition=config.definition), card)
    if card.volume_errors is None or settings(config, card) != usual:
        return None
    return volume_interval(volume_ml, errors=card.volume_errors)
