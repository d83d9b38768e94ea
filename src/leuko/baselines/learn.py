"""The door to scikit-learn: its absence is told, and it uses one thread and no global state."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from leuko.errors import MissingExtra

__all__ = ["learning", "library_version"]


@contextmanager
def learning() -> Iterator[None]:
    """A block that imports and runs scikit-learn; MissingExtra (exit 9) where it is not there.

    One thread: sums of several threads would not come out the same twice. That a fit stopped
    before it converged is no news to a user: all are limited on purpose.
    """
    try:
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError as error:
        raise MissingExtra.needed(
            "This baseline", extra="train", modules=["scikit-learn"]
        ) from error
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def library_version() -> str:
    """The version of scikit-learn, which decides the last bits of a fit."""
    with learning():
        import sklearn

        return str(sklearn.__version__)
