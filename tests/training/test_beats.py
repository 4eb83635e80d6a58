"""Operating points and the class that scores speak for."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.classify import CERTAIN, classify
from detectors.facts import N_FACTS, F
from detectors.trees import from_nested

pytest.importorskip("lightgbm", reason="lightgbm trains the models: requirements-train.lock")

from training.beat_rows import N, Rows, S, V
from training.beats import (
    decide,
    operating_points,
    previous,
    told_if_ventricular,
    with_before,
)


def rows_of(facts):
    nothing = np.zeros(len(facts), np.int64)
    return Rows(np.array(facts, np.float32), nothing, nothing, nothing, nothing)


def a_beat(**known):
    f = np.zeros(N_FACTS, np.float32)
    f[[F.PRE_REF, F.FIRST_CORR, F.T_CORR]] = 1.0
    f[F.T_GAIN] = 0.15
    for name, value in known.items():
        f[F[name]] = value
    return f


def test_classes_are_decided_as_in_the_stream():
    beats = [
        a_beat(DIST=0.4), a_beat(DIST=0.4, PRE_REF=0.4), a_beat(DIST=0.01), a_beat(PACED=1.0),
    ]  # fmt: skip
    if_ventricular = told_if_ventricular(rows_of(beats))
    assert if_ventricular.tolist() == ["V", "S", "N", "/"]
    for v in (-2.0, -0.8, -0.25, 0.4):
        for s in (-0.5, 0.5):
            forests = [from_nested([{"leaf_value": odds}]) for odds in (v, s)]
            stream, before = [], -CERTAIN
            for beat in beats:
                code, before = classify(beat, before, *forests)
                stream.append(chr(code))
            scores = with_before(if_ventricular, np.full(len(beats), v), np.arange(-1, 3))
            assert decide(if_ventricular, scores, np.full(len(beats), s)).tolist() == stream


def test_the_beat_before_is_that_of_the_same_record_and_stream():
    sample, patient, stream = ([30, 10, 20, 10, 40], [1, 1, 1, 2, 1], [0, 0, 0, 0, 1])
    facts, label = np.zeros((5, N_FACTS), np.float32), np.zeros(5, np.int64)
    rows = Rows(facts, label, np.array(patient), np.array(stream), np.array(sample))
    assert previous(rows).tolist() == [2, -1, 1, -1, -1]


def test_operating_points_lie_between_the_classes():
    rng = np.random.default_rng(0)
    label = np.repeat([N, S, V], [900, 50, 100])
    v = np.where(label == V, 1.6, -0.6) + rng.normal(0, 0.3, label.size)
    s = np.where(label == S, 0.9, -1.1) + rng.normal(0, 0.3, label.size)
    odds = {"ventricular": v, "supraventricular": s}
    points = operating_points(np.full(label.size, "V"), odds, label, np.full(label.size, -1))
    assert 0.1 < points["ventricular"] < 0.9
    assert -0.7 < points["supraventricular"] < 0.5
