"""Boosted trees, evaluated by a kernel; trained elsewhere, kept as plain arrays.

A forest is a sum of small decision trees (Friedman 2001, "Greedy function approximation"). Its
nodes lie in one array, the two children of a node beside each other; a kernel takes the forest as
an argument, so that another model needs no compilation.
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
        ("left", "i4"),  # index of the left child; the right one follows it
        ("feature", "i4"),  # index of the feature; LEAF at a leaf
    ],
    align=True,
)


class Forest(NamedTuple):
    """Trees of one score: `nodes` of the dtype `NODE`, and where each tree begins."""

    nodes: NDArray[Any]
    roots: NDArray[np.int32]


@njit(cache=True, nogil=True)
def score(trees, features):  # type: ignore[no-untyped-def]
    """Sum of the leaves that `features`, float32 [n_features], comes to in `trees`, a `Forest`."""
    total = np.float32(0.0)
    nodes = trees.nodes
    for root in trees.roots:
        i = root
        while nodes[i].feature != LEAF:
            # what is not a number goes right
            i = nodes[i].left + (0 if features[nodes[i].feature] <= nodes[i].value else 1)
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
            return {n: Forest(file[f"{n}.nodes"], file[f"{n}.roots"]) for n in names}
    except (OSError, KeyError, ValueError) as error:
        raise BadSetting(f"{path}: no readable model; `make train` writes it") from error


def save(path: Path, forests: dict[str, Forest]) -> None:
    """Write forests as `load` reads them."""
    arrays: dict[str, Any] = {"names": np.array(list(forests))}
    for name, forest in forests.items():
        arrays[f"{name}.nodes"], arrays[f"{name}.roots"] = forest
    np.savez_compressed(path, **arrays)


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
    return Forest(np.array(nodes, NODE), np.array(roots, np.int32))


def _below(threshold: float) -> float:
    near = np.float32(threshold)
    # as Python floats: NumPy would round the threshold before it compares
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))
