"""The classifiers of scikit-learn that are trained on voxel features."""

from __future__ import annotations

from typing import Any

__all__ = ["forest", "svm", "tree"]


def forest(seed: int) -> Any:
    """Sixty trees, each on a bootstrap sample; a leaf holds five voxels or more."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        60, min_samples_leaf=5, class_weight="balanced", random_state=seed, n_jobs=1
    )


def svm(seed: int) -> Any:
    """Radial basis functions on features of mean 0 and spread 1; the seed is not needed."""
    del seed
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(C=1.0, class_weight="balanced", cache_size=500))


def tree(seed: int) -> Any:
    """One tree of at most eight questions; a leaf holds twenty voxels or more."""
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(
        max_depth=8, min_samples_leaf=20, class_weight="balanced", random_state=seed
    )
