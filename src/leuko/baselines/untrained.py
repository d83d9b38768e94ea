"""Running the methods that need no training."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.baselines.registry import Method, Parameters
from leuko.baselines.scene import Scene

__all__ = ["find", "function_of"]


def find(method: Method, scene: Scene, parameters: Parameters) -> npt.NDArray[np.bool_]:
    """The mask (X, Y, Z) of an untrained method."""
    mask: npt.NDArray[np.bool_] = function_of(method)(scene, parameters)
    return mask


def function_of(method: Method) -> Any:
    """The function that the registry names."""
    module, name = method.function.split(":")
    return getattr(import_module(module), name)
