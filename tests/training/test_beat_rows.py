"""Labels of found beats, beats made early, and motion."""

from __future__ import annotations

import numpy as np
import pytest

from ecg import Annotations
from training.beat_rows import LEFT_OUT, NO_BEAT, N, V, labels
from training.disturb import early_beats, moved


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


def test_electrodes_move_in_about_half_of_the_time_in_all_leads_at_once():
    fs_hz = 100.0
    x = np.sin(np.arange(200_000) / 16.0)[None, :].astype(np.float32) * [[1.0], [0.5]]
    for seed in range(4):
        rng = np.random.default_rng(seed)
        added = moved(x.astype(np.float32), fs_hz, 6.0, rng) - x
        in_seconds = added.reshape(2, -1, int(fs_hz))
        moves = np.abs(in_seconds).max(axis=2) > 1e-4
        assert 0.3 < moves[0].mean() < 0.7
        assert (moves[0] == moves[1]).mean() > 0.9
        power = (in_seconds**2).mean(axis=2)[:, moves[0]].mean(axis=1)
        signal = np.percentile(np.abs(x), 98, axis=1) ** 2 / 4
        assert 10 * np.log10(signal / power) == pytest.approx([6.0, 6.0], abs=2.0)
