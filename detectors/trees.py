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

from dsp.memory import KERNEL
from ecg import BadSetting

MODELS = Path(__file__).parent / "models"
LEAF = -1
EIGHT = 8

NODE = np.dtype(
    [
        ("value", "f4"),  # of a leaf: what it adds; else the threshold: left when not above it
        # unsigned: of an index below zero a kernel would count from the end, and ask each time
        ("left", "u4"),  # index of the left child; of a leaf, its own
        ("feature", "u2"),  # index of the feature
        ("step", "u2"),  # from the left child to the right one: 1; at a leaf 0
    ],
    align=True,
)

FILED = np.dtype([("value", "f4"), ("left", "i4"), ("feature", "i4")])
"""A node as files hold it: `left` is 0 and `feature` LEAF at a leaf."""


class Forest(NamedTuple):
    """Trees of one score.

    `nodes` of the dtype `NODE`, where each tree begins, and how many steps are taken in each.
    """

    nodes: NDArray[Any]
    roots: NDArray[np.uint32]
    depths: NDArray[np.int64]


@njit(**KERNEL)
def _next(nodes, i, features):  # type: ignore[no-untyped-def]
    """The node below node `i` that `features` lead to; what is not a number goes right."""
    node = nodes[i]
    right = np.uint64(not features[np.uint64(node.feature)] <= node.value)
    return np.uint64(node.left) + (np.uint64(node.step) & right)


@njit(**KERNEL)
def score(trees, features):  # type: ignore[no-untyped-def]
    """Sum of the leaves that `features`, float32 [n_features], comes to in `trees`, a `Forest`."""
    total = np.float32(0.0)
    nodes, roots, depths = trees.nodes, trees.roots, trees.depths
    n = roots.size - roots.size % EIGHT
    for k in range(0, n, EIGHT):  # eight at once: none waits for the one before
        a, b = np.uint64(roots[k]), np.uint64(roots[k + 1])
        c, d = np.uint64(roots[k + 2]), np.uint64(roots[k + 3])
        e, f = np.uint64(roots[k + 4]), np.uint64(roots[k + 5])
        g, h = np.uint64(roots[k + 6]), np.uint64(roots[k + 7])
        for _ in range(depths[k]):
            a, b = _next(nodes, a, features), _next(nodes, b, features)
            c, d = _next(nodes, c, features), _next(nodes, d, features)
            e, f = _next(nodes, e, features), _next(nodes, f, features)
            g, h = _next(nodes, g, features), _next(nodes, h, features)
        total += nodes[a].value
        total += nodes[b].value
        total += nodes[c].value
        total += nodes[d].value
        total += nodes[e].value
        total += nodes[f].value
        total += nodes[g].value
        total += nodes[h].value
    for k in range(n, roots.size):
        a = np.uint64(roots[k])
        for _ in range(depths[k]):
            a = _next(nodes, a, features)
        total += nodes[a].value
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
        filed["feature"] = np.where(leaf, LEAF, forest.nodes["feature"].astype(np.int32))
        arrays[f"{name}.nodes"] = filed
        arrays[f"{name}.roots"] = forest.roots.astype(np.int32)
    np.savez_compressed(path, **arrays)


def _ready(filed: NDArray[Any], roots: NDArray[np.int32]) -> Forest:
    """A forest as the kernel walks it, from nodes as files hold them."""
    nodes, leaf = np.zeros(filed.size, NODE), filed["feature"] == LEAF
    nodes["value"] = filed["value"]
    nodes["left"] = np.where(leaf, np.arange(filed.size), filed["left"])
    nodes["feature"] = np.where(leaf, 0, filed["feature"])
    nodes["step"] = ~leaf
    depths = np.array([_depth(nodes, int(root)) for root in roots], np.int64)
    # as many in each of the eight trees that are walked at once
    for begin in range(0, depths.size, EIGHT):
        depths[begin : begin + EIGHT] = depths[begin : begin + EIGHT].max()
    return Forest(nodes, np.ascontiguousarray(roots, np.uint32), depths)


def _depth(nodes: NDArray[Any], root: int) -> int:
    """Steps from a root to the farthest leaf."""
    depth, at = 0, np.array([root])
    while (at := at[nodes["step"][at] == 1]).size:
        left = nodes["left"][at]
        depth, at = depth + 1, np.concatenate([left, left + 1])
    return depth


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
