"""Put trained weights into the package: python recipes/package_weights.py FINAL.pt [FOLDER]."""

from __future__ import annotations

import sys
from pathlib import Path

from leuko.models.store import packaged_folder
from leuko.training.export import export

# Chosen before any scan of the reported sets was scored with the packaged weights; see
# MODEL_CARD.md. The two definitions differ by their classes, not by their thresholds.
OPERATING_POINT = {
    "threshold": 0.5,
    "refine_support": 0.5,
    "refine_level": 0.5,
    "refine_summit": 0.9,
    "refine_reach_mm": 0.0,
    "confine_margin_mm": 2.0,
    "min_lesion_mm3": 3.0,
}
CARD = {
    "name": "wmh-flair",
    "version": "1",
    "pixel_mm": 0.8,
    "neighbour_mm": 3.0,
    "operating_points": {"vascular": OPERATING_POINT, "ms": OPERATING_POINT},
    "training": (
        "Synthetic heads drawn from 19 label maps, then beside them eight FLAIRs with manual "
        "masks: five of multiple sclerosis, 1.5 T, 6.4-8 mm slices; three of multiple sclerosis, "
        "3 T, 1 mm. MODEL_CARD.md tells more."
    ),
    "licence": "Apache-2.0",
    "attribution": [
        "Label maps: SynthSeg (B. Billot and others), Apache-2.0.",
        "FLAIRs and masks: MS3SEG, CC BY 4.0, as in Sim-Vent-WMH-Seg (M. Bashiri), MIT.",
        "FLAIRs and masks: Z. Lesjak and others, Neuroinformatics 2018, CC BY.",
    ],
}


def main(final: str, folder: str | None = None) -> None:
    """Export the network in `final` and write its card."""
    out = packaged_folder() if folder is None else Path(folder)
    card = export(Path(final), out=out, card=CARD)
    sys.stdout.write(f"{card.name} {card.version}: {card.parameters} parameters, {card.sha256}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
