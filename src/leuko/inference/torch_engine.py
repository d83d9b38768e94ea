"""PyTorch on a graphics card, or on the processor where there is none."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from leuko.compute import has_fast_bf16, thread_count
from leuko.errors import ReadError, UsageError
from leuko.networks import catalogue
from leuko.networks.folding import unfolded

__all__ = ["TorchEngine", "load"]

FloatArray = npt.NDArray[np.float32]
GPU_BATCH = 16


class TorchEngine:
    """A network in evaluation mode on one device.

    On the processor results may differ in the last bits with the number of threads: torch divides
    sums between threads as it sees fit. OpenVINO is the engine for results that repeat anywhere.
    """

    workers = 1

    def __init__(self, network: nn.Module, *, device: torch.device, precision: str) -> None:
        self.name = f"torch ({device.type})"
        self.precision = precision
        self.batch = GPU_BATCH if device.type == "cuda" else 1
        self._device = device
        self._network = network.to(device).eval()

    def __call__(self, slices: FloatArray) -> FloatArray:
        """Probabilities (n, classes, H, W) of slices (n, 3, H, W); see `Engine`."""
        bf16 = self.precision == "bf16"
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, bf16):
            images = torch.from_numpy(np.ascontiguousarray(slices)).to(self._device)
            logits = self._network(images.contiguous(memory_format=torch.channels_last))
        # The sum over classes is taken in f32 in either precision.
        probabilities = torch.softmax(logits.float(), dim=1).contiguous()
        found: FloatArray = probabilities.cpu().numpy()
        return found


def load(weights: Path, *, precision: str = "auto", threads: int | None = None) -> TorchEngine:
    """The engine for a checkpoint: {'network': {'name', 'options'}, 'state_dict', 'folds'}.

    A CUDA device is taken where there is one. See `load_engine` for the arguments.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else has_fast_bf16()
    if precision == "bf16" and not fast:
        raise UsageError(
            f"This machine's {device.type} does not compute in bf16.",
            hint="Use --precision f32, or auto.",
        )
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    else:
        torch.set_num_threads(max(1, thread_count() if threads is None else threads))
    chosen = precision if precision != "auto" else ("bf16" if fast else "f32")
    return TorchEngine(_network(weights), device=device, precision=chosen)


def _network(weights: Path) -> nn.Module:
    """The network and its weights; ReadError where the file does not hold them."""
    try:
        content = torch.load(weights, map_location="cpu", weights_only=True)
        network = catalogue.build(content["network"]["name"], **content["network"]["options"])
        network.load_state_dict(unfolded(content["state_dict"], content.get("folds", ())))
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise ReadError(
            f"{weights.name} is not a checkpoint of a network ({type(error).__name__}).",
            hint="Give a checkpoint that leuko train or leuko export wrote.",
        ) from error
    return network
