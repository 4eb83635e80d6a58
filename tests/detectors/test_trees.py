"""A forest gives what a plain walk down each tree gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import trees
from ecg import BadSetting

value = st.floats(-9, 9, width=32)
leaf = st.builds(lambda v: {"leaf_value": v}, value)
tree = st.recursive(
    leaf,
    lambda child: st.builds(
        lambda f, t, a, b: {
            "split_feature": f,
            "threshold": t,
            "left_child": a,
            "right_child": b,
        },
        st.integers(0, 3),
        st.floats(-9, 9),
        child,
        child,
    ),
    max_leaves=12,
)


def walk(node, x):
    while "leaf_value" not in node:
        below = x[node["split_feature"]] <= node["threshold"]
        node = node["left_child"] if below else node["right_child"]
    return node["leaf_value"]


@settings(max_examples=60, deadline=None)
@given(st.lists(tree, min_size=1, max_size=5), st.lists(value, min_size=4, max_size=4))
def test_the_kernel_comes_to_the_leaves_that_a_plain_walk_comes_to(nested, x):
    features = np.array(x, np.float32)
    expected = np.float32(0.0)
    for one in nested:
        expected += np.float32(walk(one, features.astype(float)))
    assert trees.score(trees.from_nested(nested), features) == expected


def test_a_threshold_between_two_float32_keeps_both_on_their_sides():
    low = np.float32(0.1)
    high = np.nextafter(low, np.float32(1.0))
    split = {"split_feature": 0, "threshold": (float(low) + float(high)) / 2}
    split |= {"left_child": {"leaf_value": 1.0}, "right_child": {"leaf_value": 2.0}}
    forest = trees.from_nested([split])
    assert trees.score(forest, np.array([low])) == 1.0
    assert trees.score(forest, np.array([high])) == 2.0


def test_a_forest_is_read_as_it_was_written(tmp_path, monkeypatch):
    forest = trees.from_nested([{"leaf_value": 0.5}])
    trees.save(tmp_path / "small.npz", {"af": forest})
    monkeypatch.setattr(trees, "MODELS", tmp_path)
    read = trees.load("small")["af"]
    assert read.nodes.tolist() == forest.nodes.tolist()
    assert read.roots.tolist() == [0]


def test_a_model_that_is_not_there_says_where_it_was_sought(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "MODELS", tmp_path)
    with pytest.raises(BadSetting, match=r"nothing\.npz.*make train"):
        trees.load("nothing")
