"""Beats that other detectors agree on."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.synth import Noise, Sinus, simulate
from training.hand_held import AGREED, FIRST_PATIENT, hand_held, marked, noisy, poll

FS_HZ = 300.0


def test_each_detector_has_one_vote_a_place():
    places, votes = poll(
        [np.array([100, 400, 404]), np.array([110, 700]), np.array([105]), np.array([102, 402])],
        together=36,
    )
    assert places.tolist() == [103, 402, 700]
    assert votes.tolist() == [4, 2, 1]


def test_without_any_beat_there_is_no_place():
    places, votes = poll([np.zeros(0, np.int64)] * 4, together=36)
    assert places.size == votes.size == 0


def test_on_a_clean_signal_all_agree_on_the_true_beats():
    made = simulate([Sinus(30, bpm=70)], fs_hz=FS_HZ, leads=("I",), seed=3)
    found = marked(made.record.x_mv[0].astype(np.float64), FS_HZ)
    places, votes = poll(found, round(0.12 * FS_HZ))
    true = made.truth.atr.sample[np.array(made.truth.atr.symbol) == "N"]
    inner = true[(true > FS_HZ) & (true < 29 * FS_HZ)]
    agreed = places[votes >= AGREED]
    assert np.abs(agreed[:, None] - inner).min(axis=0).max() < 0.1 * FS_HZ
    assert np.abs(agreed[:, None] - true).min(axis=1).max() < 0.1 * FS_HZ


def test_a_signal_without_a_heart_gives_no_error():
    flat = np.zeros(round(10 * FS_HZ))
    assert len(marked(flat, FS_HZ)) == 4


@pytest.fixture
def folder(tmp_path):
    """Two records as those of the challenge: a clean one, and one of noise alone."""
    import wfdb

    noise = (Noise("muscle", rms_mv=1.0),)
    for name, added in (("A1", ()), ("A2", noise)):
        made = simulate([Sinus(30, bpm=70)], fs_hz=FS_HZ, leads=("I",), seed=3, noise=added)
        wfdb.wrsamp(
            name, FS_HZ, ["mV"], ["ECG"], made.record.x_mv.T.astype(np.float64), fmt=["16"],
            write_dir=str(tmp_path),
        )  # fmt: skip
    (tmp_path / "REFERENCE.csv").write_text("A1,N\nA2,N\n")
    return tmp_path


def test_a_record_on_which_they_disagree_is_left_out(folder):
    (case,) = hand_held(folder, 1)
    assert case.patient == FIRST_PATIENT
    assert case.x_mv.shape == (1, 30 * FS_HZ)
    assert 30 <= case.r_samples.size <= 35
    assert case.unsure.size <= 3


def test_noise_comes_after_the_first_beats(folder):
    (case,) = hand_held(folder, 1)
    muscle = np.random.default_rng(1).normal(0.0, 1.0, (2, 20_000))
    changed = np.flatnonzero(noisy(case, muscle, np.random.default_rng(2)).x_mv[0] != case.x_mv[0])
    assert 4.9 * FS_HZ < changed[0] < 12.1 * FS_HZ
