"""Lightning as it is used here: quiet, resumable, and honest about how it ended."""

from __future__ import annotations

import contextlib
import logging
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from leuko.compute import has_fast_bf16
from leuko.errors import Interrupted, UsageError
from leuko.training.averaging import AveragingModule
from leuko.training.recipe import Optimisation

__all__ = ["fit", "precision_of"]


def fit(
    module: AveragingModule,
    *,
    folder: Path,
    callbacks: list[Any],
    state: Path | None,
    loader: Any = None,
    devices: int | str = 1,
) -> None:
    """Train until the module's schedule ends, from `state` where there is one.

    Samples come from `loader`, or from the module itself. Interrupted on Ctrl-C, after saving.
    """
    handler = signal.getsignal(signal.SIGINT)
    with _quietly():
        trainer = Trainer(
            accelerator="auto",
            devices=devices,
            precision=precision_of(module.plan),
            max_steps=module.plan.steps,
            gradient_clip_val=module.plan.clip,
            logger=TensorBoardLogger(folder, name=None, version="tensorboard"),
            callbacks=callbacks,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        try:
            trainer.fit(module, loader, ckpt_path=state, weights_only=False)
        except SystemExit:
            # Lightning turns Ctrl-C into an exit of its own and leaves the signal ignored.
            signal.signal(signal.SIGINT, handler)
            saved = "; its state is saved" if module.global_step else ""
            raise Interrupted(
                f"Training stopped at step {module.global_step}{saved}.",
                hint="The same command continues it.",
            ) from None


def precision_of(plan: Optimisation) -> Any:
    """Lightning's name of the number format; 'auto' is bfloat16 where that is fast.

    UsageError for f16 without a GPU: its loss scaling exists only there.
    """
    if plan.precision == "f16":
        if not torch.cuda.is_available():
            raise UsageError(
                "precision f16 needs a CUDA GPU, and none is visible.",
                hint="Set optimisation.precision to auto.",
            )
        return "16-mixed"
    fast = torch.cuda.is_available() or has_fast_bf16()
    bf16 = plan.precision == "bf16" or (plan.precision == "auto" and fast)
    return "bf16-mixed" if bf16 else "32-true"


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Lightning's tips and warnings about choices made here on purpose stay out of the way."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
