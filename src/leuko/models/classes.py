"""What the channels of the network's output mean."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CLASS_COUNT", "Tissue"]


class Tissue(IntEnum):
    """Output channels of the network, in order; their probabilities sum to one in every pixel."""

    BACKGROUND = 0
    CSF = 1  # outside the ventricles
    CORTEX = 2
    DEEP_GREY = 3
    WHITE_MATTER = 4  # cerebral, without lesions and rims
    VENTRICLES = 5  # with choroid plexus
    BRAINSTEM = 6
    CEREBELLUM = 7
    LESION = 8
    CAP_RIM = 9  # periventricular caps and rims


CLASS_COUNT = len(Tissue)
