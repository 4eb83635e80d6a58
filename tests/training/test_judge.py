"""The parts of the judge's training, each against what it promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors import judge as kernel
from detectors.state import FACTS, state_dtype
from detectors.trees import from_nested
from detectors.weights import models
from ecg import Annotations

pytest.importorskip("lightgbm", reason="lightgbm trains the models: requirements-train.lock")
from training import judge
from training.capture import NOTHING
from training.judge_cases import Case, with_runs, with_stops
from training.judge_rows import CLEAN, TROUBLED, Rows, evidence, labels
from training.loops import _loop


def rows_of(odds, is_beat, kind=CLEAN):
    n = len(odds)
    facts = np.zeros((n, FACTS), np.float32)
    facts[:, 0] = odds
    kinds = np.full(n, kind, np.int64)
    one_lead = np.zeros(n, np.bool_)
    return Rows(facts, np.array(is_beat), np.ones(n, np.float32), kinds, np.arange(n), one_lead)


def case_of(n_beats=120, fs_hz=360.0):
    at = (np.arange(n_beats) * 0.8 * fs_hz + 200).astype(np.int64)
    x = np.zeros((2, at[-1] + 400), np.float32)
    x[:, at] = 1.0
    for shift in range(1, 12):
        x[:, at + shift] = x[:, at - shift] = 1.0 - shift / 12
    return Case(0, x, fs_hz, Annotations(at, ("N",) * n_beats, ("",) * n_beats))


def test_the_kernel_weighs_facts_as_the_plain_form_does():
    qrs = np.zeros(1, state_dtype(1))["head"]["qrs"][0]
    facts = np.random.default_rng(1).normal(0.0, 1.0, (50, FACTS)).astype(np.float32)
    weights = models().judges.networks[0]
    told = []
    for row in facts:
        qrs["facts"][:] = row
        told.append(kernel.evidence(qrs, weights))
    np.testing.assert_allclose(told, evidence(facts, weights), atol=1e-3)


def test_the_forest_is_asked_where_the_network_doubts():
    always = from_nested([{"leaf_value": 2.0}])
    weights = np.stack([judge.first_rule()] * 2)
    rows = rows_of([-1.9, -1.5, -0.9, 0.5], [False] * 4)  # the rule: -2.7, -1.5, 0.3, 4.5
    odds = judge.both(judge.Judge(weights, always), rows)
    np.testing.assert_allclose(odds, [-0.7, 0.5, 2.3, 4.5], atol=1e-5)


def test_the_forest_mends_what_the_network_cannot_tell():
    rng = np.random.default_rng(5)
    facts = rng.normal(0.0, 1.0, (6000, FACTS)).astype(np.float32)
    corner = (facts[:, 3] > 0.4) & (facts[:, 4] > 0.4)
    n = np.arange(corner.size)
    kind, several = np.where(n % 2 == 0, CLEAN, TROUBLED), n % 3 == 0
    rows = Rows(facts, corner, np.ones(n.size, np.float32), kind, n, several)
    shown = n < 4000
    made = judge.fit_both(rows, shown)
    alone = judge.Judge(made.weights, NOTHING)
    wrong = [np.sum((judge.both(j, rows) > 0)[~shown] != corner[~shown]) for j in (made, alone)]
    assert wrong[0] < wrong[1]


def test_nothing_is_learnt_where_there_may_be_a_beat():
    case = case_of()
    at = case.r_samples[5] + np.array([0, 140])
    doubtful = replace(case, unsure=at[1:])
    assert labels(case, at.astype(np.float64))[1].tolist() == [True, True]
    assert labels(doubtful, at.astype(np.float64))[1].tolist() == [True, False]


def test_the_first_rule_is_half_the_height():
    heights = np.log2(np.array([0.1, 0.49, 0.51, 2.0]))
    odds = evidence(rows_of(heights, [False] * 4).facts, judge.first_rule())
    assert (odds > 0).tolist() == [False, False, True, True]


def test_with_the_bias_as_many_beats_are_missed_as_made_up():
    rng = np.random.default_rng(2)
    is_beat = rng.random(4000) < 0.3
    odds = rng.normal(np.where(is_beat, 3.0, -1.0), 1.5).astype(np.float32)
    moved = odds + judge.balance(rows_of(odds, is_beat), odds)
    missed, made_up = np.sum(is_beat & (moved <= 0)), np.sum(~is_beat & (moved > 0))
    assert missed > 50
    assert abs(int(missed) - int(made_up)) <= 1


def test_amid_troubles_half_as_many_beats_are_missed_as_made_up():
    rng = np.random.default_rng(3)
    is_beat = rng.random(4000) < 0.3
    odds = rng.normal(np.where(is_beat, 3.0, -1.0), 1.5).astype(np.float32)
    moved = odds + judge.balance(rows_of(odds, is_beat, TROUBLED), odds, TROUBLED, 2.0)
    missed, made_up = np.sum(is_beat & (moved <= 0)), np.sum(~is_beat & (moved > 0))
    assert missed > 50
    assert abs(2 * int(missed) - int(made_up)) <= 2


def test_troubles_do_not_move_the_bias_of_clean_records():
    odds = np.array([-2.0, -1.0, 1.0, 2.0], np.float32)
    clean = rows_of(odds, [False, False, True, True])
    troubled = rows_of(odds, [True, True, False, False], TROUBLED)
    from training.judge_rows import joined

    both = joined([clean, troubled])
    assert judge.balance(both, np.tile(odds, 2)) == judge.balance(clean, odds)


def test_of_two_peaks_near_a_beat_the_nearer_one_is_the_beat():
    case = case_of()
    beat = float(case.r_samples[5])
    is_beat, counts = labels(case, np.array([beat - 40, beat + 10, beat + 140]))
    assert is_beat.tolist() == [False, True, False]
    assert counts.all()


def test_added_runs_peak_where_their_annotations_say():
    case = with_runs(case_of(400), np.random.default_rng(4))
    added = [s for s, c in zip(case.truth.sample, case.truth.symbol, strict=True) if c == "V"]
    assert len(added) > 10
    for at in added:
        near = np.abs(case.x_mv[0, at - 54 : at + 54])
        assert near.max() > 0.2


def test_a_heart_that_stops_has_no_beats_there():
    noise = np.random.default_rng(5).normal(0.0, 1.0, (2, 100_000))
    plain = case_of(600)
    stopped = with_stops(plain, noise, np.random.default_rng(6))
    gone = np.setdiff1d(plain.r_samples, stopped.r_samples)
    assert gone.size > 10
    assert (np.abs(stopped.x_mv[0, gone]) < 0.9).all()


def test_a_loop_repeats_its_beats_without_a_step():
    rng = np.random.default_rng(7)
    beats = [900, 1320, 1730, 2150, 2570, 2990]
    x = np.cumsum(rng.normal(0.0, 0.01, (2, 4000)), axis=1)
    for at in beats:
        x[:, at - 10 : at + 11] += 1.0 - np.abs(np.arange(-10, 11)) / 10
    made = _loop(3, x, 500.0, beats)
    assert made.x_mv.shape[1] == 90_000
    period = beats[-1] - beats[0]
    assert (np.diff(made.r_samples)[:5] == np.diff(beats)).all()
    assert (made.r_samples[5:] - made.r_samples[:-5] == period).all()
    near = made.x_mv[0][made.r_samples[1:-1][:, None] + np.arange(-30, 31)]
    assert (np.abs(near.argmax(axis=1) - 30) <= 2).all()
    assert np.abs(np.diff(made.x_mv, axis=1)).max() < 0.2
