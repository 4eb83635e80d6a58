"""Labels of found beats, and beats made early."""

from __future__ import annotations

import numpy as np

from ecg import Annotations
from training.beat_rows import LEFT_OUT, NO_BEAT, N, V, labels
from training.disturb import early_beats


def marks(sample, symbol):
    return Annotations(np.array(sample, np.int64), tuple(symbol), ("",) * len(symbol))


def test_a_beat_has_the_label_of_the_annotation_within_150_ms():
    found = np.array([100, 205, 316, 400])
    told = labels(found, marks([100, 200, 300, 415], "NVAV"), 100.0)
    assert told.tolist() == [N, V, NO_BEAT, V]


def test_an_annotation_is_used_once_by_the_nearest():
    assert labels(np.array([95, 101]), marks([100], "V"), 100.0).tolist() == [NO_BEAT, V]
    assert labels(np.array([99, 110]), marks([100], "V"), 100.0).tolist() == [V, NO_BEAT]


def test_fibrillation_and_escape_beats_are_left_out():
    told = labels(np.array([100, 300, 500]), marks([100, 200, 400, 500], "N[]j"), 100.0)
    assert told.tolist() == [N, LEFT_OUT, LEFT_OUT]


def test_beats_made_early_come_early_without_a_step():
    fs_hz, beats = 100.0, np.arange(50, 6000, 80)
    t = np.arange(6000)
    x = sum(np.exp(-0.5 * ((t - b) / 3.0) ** 2) for b in beats)[None, :].astype(np.float32)
    y, place, early = early_beats(x, fs_hz, beats, 0.2, np.random.default_rng(1))
    interval = np.diff(place)
    assert 3 <= early.sum() < beats.size
    assert (interval[early[1:]] < 0.9 * 80).all()
    assert np.abs(interval[~early[1:]] - 80).max() <= 1
    assert y.shape[1] == 6000 - (80 - interval).sum()
    assert np.abs(np.diff(y[0])).max() <= 1.2 * np.abs(np.diff(x[0])).max()
