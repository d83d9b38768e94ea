"""Put trained weights into the package.

    python recipes/package_weights.py RUN/final.pt                      the default model
    python recipes/package_weights.py RUN/final.pt --model accurate     another one
    python recipes/package_weights.py RUN/final.pt --out FOLDER         a look at it first

A model is used as it says on its card: what differs between models stands in MODELS.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from leuko.models.store import DEFAULT, packaged_folder
from leuko.training.export import export

# Chosen by benchmarks/operating_point.py on sets that the weights scored there had not seen. The
# two definitions differ by their classes, not by their thresholds.
OPERATING_POINT = {
    "threshold": 0.5,
    "refine_support": 0.5,
    "refine_evidence": 6.0,
    "refine_level": 0.45,
    "refine_summit": 0.9,
    "refine_deviations": 2.75,
    "refine_reach_mm": 0.0,
    "confine_margin_mm": 2.0,
    "min_lesion_mm3": 0.0,
    "min_lesion_peak": 0.75,
}
REAL = (
    "one with eight FLAIRs with manual masks beside them: five of multiple sclerosis, 1.5 T, "
    "6.4-8 mm slices; three of multiple sclerosis, 3 T, 1 mm. MODEL_CARD.md tells more."
)
SHARED = {
    "operating_points": {"vascular": OPERATING_POINT, "ms": OPERATING_POINT},
    "licence": "Apache-2.0",
    "attribution": [
        "Label maps: SynthSeg (B. Billot and others), Apache-2.0.",
        "FLAIRs and masks: MS3SEG, CC BY 4.0, as in Sim-Vent-WMH-Seg (M. Bashiri), MIT.",
        "FLAIRs and masks: Z. Lesjak and others, Neuroinformatics 2018, CC BY.",
    ],
}
MODELS = {
    DEFAULT: {
        "name": "wmh-flair",
        "version": "2",
        "training": "The mean of the weights of four stages: three on synthetic heads drawn from "
        f"19 label maps, and {REAL}",
        "views": {"flips": False, "planes": False},
    },
    "accurate": {
        "name": "wmh-flair-accurate",
        "version": "3",
        "training": "The mean of the weights of five stages: four on synthetic heads drawn from "
        "19 label maps, the last of them with small lesions counted several times in its loss, "
        f"and {REAL}",
        "views": {"flips": True, "planes": True},
    },
}


def main(arguments: list[str]) -> None:
    """Export the network in a checkpoint and write its card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("final", type=Path, help="final.pt of leuko train")
    parser.add_argument("--model", choices=MODELS, default=DEFAULT, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="default: where the package keeps the model")
    options = parser.parse_args(arguments)
    out = options.out or packaged_folder(options.model)
    card = export(options.final, out=out, card={**SHARED, **MODELS[options.model]})
    size = sum((out / name).stat().st_size for name in card.files) / 1e6
    sys.stdout.write(
        f"{card.name} {card.version}: {card.parameters} parameters, {size:.1f} MB, {card.sha256}\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
