"""Forests of LightGBM as the kernel of `detectors.trees` takes them."""

from __future__ import annotations

from typing import Any

import lightgbm

from detectors.trees import Forest, from_nested


def mean_of(
    boosters: list[lightgbm.Booster], places: list[int] | None = None, shift: float = 0.0
) -> Forest:
    """One forest whose score is the mean log odds of several, less `shift`.

    places : the number of each fact for the kernel; as they are when left out
    """
    nested = trees_of(boosters, places)
    return from_nested([*nested, {"leaf_value": -shift}] if shift else nested)


def trees_of(
    boosters: list[lightgbm.Booster], places: list[int] | None = None
) -> list[dict[str, Any]]:
    """All their trees, whose sum is the mean of the forests."""
    nested = [t["tree_structure"] for b in boosters for t in b.dump_model()["tree_info"]]
    for tree in nested:
        _fit_in(tree, places, 1.0 / len(boosters))
    return nested


def _fit_in(node: dict[str, Any], places: list[int] | None, share: float) -> None:
    """Number the facts of a tree as the kernel does, and take a share of its leaves."""
    if "leaf_value" in node:
        node["leaf_value"] *= share
        return
    if places is not None:
        node["split_feature"] = places[node["split_feature"]]
    _fit_in(node["left_child"], places, share)
    _fit_in(node["right_child"], places, share)
