"""The parts of the training for first beats, each against what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.state import FACTS
from ecg import Annotations

pytest.importorskip("lightgbm", reason="lightgbm trains the models: requirements-train.lock")
from training import first
from training.judge_cases import Case
from training.judge_rows import evidence, labels
from training.starts import FS_HZ, LENGTH_S, piece, silent, simulated


def test_the_first_rule_is_a_height_over_the_mean():
    facts = np.zeros((3, FACTS), np.float32)
    facts[:, 0] = np.log2([1.0, 2.7, 3.0])
    assert (evidence(facts, first.first_rule()) > 0).tolist() == [False, False, True]


def test_a_piece_counts_from_its_own_begin_and_keeps_fibrillation_that_goes_on():
    marks = Annotations(np.array([10, 50, 90, 130]), ("N", "[", "]", "N"), ("",) * 4)
    whole = Case(7, np.arange(200, dtype=np.float32)[None], 360.0, marks)
    part = piece(whole, 60, 80)
    assert part.x_mv[0, 0] == 60
    assert part.truth.symbol == ("[", "]", "N")
    assert part.truth.sample.tolist() == [0, 30, 70]


def test_a_peak_where_there_is_no_heart_is_none():
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 1.0, (4, 60_000))
    still = silent(5, noise, rng)
    assert still.x_mv.shape == (2, round(LENGTH_S * FS_HZ))
    is_beat, counts = labels(still, np.array([100.0, 5000.0]))
    assert not is_beat.any()
    assert counts.all()


def test_simulated_patients_have_beats_from_end_to_end():
    case = simulated(1, np.random.default_rng(4))
    assert case.r_samples.size >= 8
    assert case.r_samples[-1] < case.x_mv.shape[1]
    assert case.r_samples[-1] > 0.8 * case.x_mv.shape[1]


def test_sets_with_troubles_count_less_than_records_as_they_are():
    assert first.weight_of("both leads") > first.weight_of("simulated, lead 1")
    assert first.weight_of("muscle 6 dB, lead 1") < 1.0
