"""The yardstick: how long the field's tutorial network takes for one volume, slice by slice.

People follow a public tutorial today: a U-Net with a Mix Transformer B5 encoder (85 million
parameters with its decoder), run in PyTorch on one slice after the other, each resized to 256x256.
This builds a network of that shape with random weights (time does not depend on them, nothing is
downloaded) and times its loop. Run by timing.py in a process of its own; prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import SegformerConfig, SegformerModel

SIDE = 256  # pixels: the tutorial resizes every slice to this
ENCODER_WIDTHS = (64, 128, 320, 512)  # Mix Transformer B1 to B5, at strides 4, 8, 16, 32
ENCODER_DEPTHS = (3, 6, 40, 3)  # B5
DECODER_WIDTHS = (256, 128, 64, 32, 16)


class DecoderBlock(nn.Module):
    """Double the size, join the skip connection where there is one, convolve twice."""

    def __init__(self, channels: int, skip: int, out: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels + skip, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """`x` (N, C, H, W) and `skip` (N, S, 2H, 2W) to (N, out, 2H, 2W)."""
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        if skip is not None:
            x = torch.cat((x, skip), dim=1)
        joined: Tensor = self.convolutions(x)
        return joined


class MixTransformerUNet(nn.Module):
    """MiT-B5 encoder, U-Net decoder: (N, 3, 256, 256) to lesion logits (N, 1, 256, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = SegformerModel(
            SegformerConfig(depths=list(ENCODER_DEPTHS), hidden_sizes=list(ENCODER_WIDTHS))
        )
        skips = (*ENCODER_WIDTHS[-2::-1], 0, 0)
        inputs = (ENCODER_WIDTHS[-1], *DECODER_WIDTHS[:-1])
        self.decoder = nn.ModuleList(map(DecoderBlock, inputs, skips, DECODER_WIDTHS))
        self.head = nn.Conv2d(DECODER_WIDTHS[-1], 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Intensities (N, 3, 256, 256) to logits (N, 1, 256, 256)."""
        features = self.encoder(x, output_hidden_states=True).hidden_states
        *shallow, x = features
        for block, skip in zip(self.decoder, (*reversed(shallow), None, None), strict=True):
            x = block(x, skip)
        logits: Tensor = self.head(x)
        return logits


def segment_slices(volume: Tensor, network: nn.Module) -> Tensor:
    """The tutorial's loop: a probability map of `volume` (X, Y, Z), one axial slice at a time."""
    result = torch.empty_like(volume)
    width, height = volume.shape[:2]
    for z in range(volume.shape[2]):
        pixels = volume[None, None, :, :, z]
        resized = F.interpolate(pixels, (SIDE, SIDE), mode="bilinear", align_corners=False)
        probability = torch.sigmoid(network(resized.expand(1, 3, SIDE, SIDE)))
        restored = F.interpolate(probability, (width, height), mode="bilinear", align_corners=False)
        result[:, :, z] = restored[0, 0]
    return result


def main() -> int:
    """Time the loop over one NIfTI volume."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volume", type=Path)
    path: Path = parser.parse_args().volume
    data = np.asarray(nib.load(path).dataobj, dtype=np.float32)
    volume = torch.from_numpy(data / data.max())
    torch.manual_seed(0)
    network = MixTransformerUNet().eval()
    with torch.inference_mode():
        segment_slices(volume[:, :, :1], network)  # warm up
        start = time.perf_counter()
        segment_slices(volume, network)
        seconds = time.perf_counter() - start
    result = {
        "loop_seconds": seconds,
        "slices": volume.shape[2],
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
