"""What a run needs after its network is loaded while the network runs.

The network computes beyond Python's lock, so that loading modules beside it costs little; before
it, every one of them would be waited for.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Thread

from leuko.pipelines.model import Model
from leuko.progress import Watcher

__all__ = ["loading_ahead"]

MEASURES = (
    "leuko.anatomy.cleaning",
    "leuko.quality.acquisition",
    "leuko.quality.anatomy",
    "leuko.pipelines.mask",
    "leuko.pipelines.numbers",
    "leuko.pipelines.certainty",
    "leuko.pipelines.files",
)
NETWORK = "predict"  # the step


def loading_ahead(watch: Watcher, *, model: Model, pages: bool) -> Watcher:
    """`watch`, and what follows the network is loaded once the step of the network begins.

    `pages`: with all that a report needs whatever the scan is.
    """

    def hear(name: str, seconds: float | None) -> None:
        if name == NETWORK and seconds is None:
            # No daemon: the process must not end amid an import.
            Thread(target=_load, args=(model, pages), name="load ahead").start()
        watch(name, seconds)

    return hear


def _load(model: Model, pages: bool) -> None:
    """Load; what goes wrong is raised again where it is needed."""
    with suppress(Exception):
        _ = model.engine  # it is loaded first
        for name in MEASURES:
            import_module(name)
        if pages:
            from leuko.report.ready import make_ready

            make_ready()
