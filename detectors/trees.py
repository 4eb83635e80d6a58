"""Boosted trees, evaluated by a kernel; trained elsewhere, kept as plain arrays.

A forest is a sum of small decision trees (Friedman 2001, "Greedy function approximation"). Its
nodes lie in one array, the two children of a node beside each other; a kernel takes the forest as
an argument, so that another model needs no compilation. A walk takes as many steps in every tree
and no branch (a leaf leads to itself): which way it goes cannot be predicted, and without a guess
that may be wrong the processor is on its way down a dozen trees at once (after Asadi, Lin & de
Vries 2014, "Runtime optimizations for tree-based machine learning models").
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecg import BadSetting

MODELS = Path(__file__).parent / "models"
LEAF = -1

NODE = np.dtype(
    [
        ("value", "f4"),  # of a leaf: what it adds; else the threshold: left when not above it
        ("left", "i4"),  # index of the left child; of a leaf, its own
        ("feature", "i2"),  # index of the feature
        ("step", "i2"),  # from the left child to the right one: 1; at a leaf 0
    ],
    align=True,
)

FILED = np.dtype([("value", "f4"), ("left", "i4"), ("feature", "i4")])
"""A node as files hold it: `left` is 0 and `feature` LEAF at a leaf."""


class Forest(NamedTuple):
    """Trees of one score.

    `nodes` of the dtype `NODE`, where each tree begins, and the depth of the deepest.
    """

    nodes: NDArray[Any]
    roots: NDArray[np.int32]
    depth: int


@njit(cache=True, nogil=True)
def score(trees, features):  # type: ignore[no-untyped-def]
    """Sum of the leaves that `features`, float32 [n_features], comes to in `trees`, a `Forest`."""
    total = np.float32(0.0)
    nodes, roots = trees.nodes, trees.roots
    for k in range(roots.size):
        i = np.int64(roots[k])
        for _ in range(trees.depth):
            # what is not a number goes right
            right = np.int64(not features[nodes[i].feature] <= nodes[i].value)
            i = nodes[i].left + (nodes[i].step & -right)
        total += nodes[i].value
    return total


@cache
def load(name: str) -> dict[str, Forest]:
    """The forests of `detectors/models/NAME.npz`, by the name of their score.

    Raises
    ------
    BadSetting
        If there is no such model or the file is damaged.
    """
    path = MODELS / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [str(n) for n in file["names"]]
            return {n: _ready(file[f"{n}.nodes"], file[f"{n}.roots"]) for n in names}
    except (OSError, KeyError, ValueError) as error:
        raise BadSetting(f"{path}: no readable model; `make train` writes it") from error


def save(path: Path, forests: dict[str, Forest]) -> None:
    """Write forests as `load` reads them."""
    arrays: dict[str, Any] = {"names": np.array(list(forests))}
    for name, forest in forests.items():
        filed, leaf = np.empty(forest.nodes.size, FILED), forest.nodes["step"] == 0
        filed["value"] = forest.nodes["value"]
        filed["left"] = np.where(leaf, 0, forest.nodes["left"])
        filed["feature"] = np.where(leaf, LEAF, forest.nodes["feature"])
        arrays[f"{name}.nodes"], arrays[f"{name}.roots"] = filed, forest.roots
    np.savez_compressed(path, **arrays)


def _ready(filed: NDArray[Any], roots: NDArray[np.int32]) -> Forest:
    """A forest as the kernel walks it, from nodes as files hold them."""
    nodes, leaf = np.zeros(filed.size, NODE), filed["feature"] == LEAF
    nodes["value"] = filed["value"]
    nodes["left"] = np.where(leaf, np.arange(filed.size), filed["left"])
    nodes["feature"] = np.where(leaf, 0, filed["feature"])
    nodes["step"] = ~leaf
    depth, at = 0, roots
    while (at := at[nodes["step"][at] == 1]).size:
        left = nodes["left"][at]
        depth, at = depth + 1, np.concatenate([left, left + 1])
    return Forest(nodes, np.ascontiguousarray(roots, np.int32), depth)


def from_nested(trees: list[dict[str, Any]]) -> Forest:
    """A forest out of nested trees, as LightGBM's `dump_model` gives them (`tree_structure`).

    A split holds `split_feature`, `threshold`, `left_child`, `right_child`, a leaf `leaf_value`.
    Features are float32: the threshold becomes the greatest float32 that is not above it.
    """
    nodes: list[tuple[float, int, int]] = []
    roots = []
    for tree in trees:
        roots.append(len(nodes))
        nodes.append((0.0, 0, LEAF))
        waiting = [(roots[-1], tree)]
        while waiting:
            place, node = waiting.pop()
            if "leaf_value" in node:
                nodes[place] = (node["leaf_value"], 0, LEAF)
                continue
            left = len(nodes)
            nodes[place] = (_below(node["threshold"]), left, node["split_feature"])
            nodes += [(0.0, 0, LEAF)] * 2
            waiting += [(left, node["left_child"]), (left + 1, node["right_child"])]
    return _ready(np.array(nodes, FILED), np.array(roots, np.int32))


def _below(threshold: float) -> float:
    near = np.float32(threshold)
    # as Python floats: NumPy would round the threshold before it compares
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))
