"""A run of its own process, for tests that kill it: python train_fake.py OUT STEPS EVERY_S."""

from __future__ import annotations

import sys
from pathlib import Path

from leuko.training.recipe import parse_recipe
from leuko.training.run import train


def recipe_text(labelmap: str, *, steps: int, every_s: float, workers: int) -> str:
    return f"""
name: fake
network: {{width: 8, levels: 3}}
data: {{labelmaps: ["{labelmap}"], crop: [32, 32], buffer: 64, warm: 16, workers: {workers}}}
optimisation: {{steps: {steps}, batch: 4, lr: 0.03, warmup_steps: 5, ema_decay: 0.9}}
checkpoint: {{every_s: {every_s}, report_s: {every_s}}}
validation: {{every_steps: 40, slices: 8}}
"""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    out = Path(sys.argv[1])
    text = recipe_text(__file__, steps=int(sys.argv[2]), every_s=float(sys.argv[3]), workers=1)
    outcome = train(
        parse_recipe(text),
        out=out,
        generator="fake_generator:slices",
        tell=say,
    )
    say(f"end {outcome.step}")
