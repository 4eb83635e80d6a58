"""Beats are found within seconds of a cold start, however wide; noise is not taken for a heart."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Analyzer
from dsp.synth import VT, Paced, Patient, simulate
from ecg import Findings
from ecg.codes import BEAT_CODES, BeatFlag

LEARNT_S = 5.0


def beats_of(x_mv, fs_hz):
    analyzer = Analyzer(fs_hz, tuple(f"L{i}" for i in range(len(x_mv))))
    return Findings.concat([analyzer.push(x_mv), analyzer.finish()]).beats


def late_errors(made, n_leads, errors):
    """(missed, too many) from the fifth second on."""
    record, truth = made.record, made.truth.atr
    end = record.n_samples - record.fs_hz
    real = np.array([s for s, c in zip(truth.sample, truth.symbol, strict=True) if c in BEAT_CODES])
    found = beats_of(record.x_mv[:n_leads], record.fs_hz)["sample"]
    begin, tolerance = LEARNT_S * record.fs_hz, 0.15 * record.fs_hz
    wanted = real[(real > begin) & (real < end)]
    told = found[(found > begin - tolerance) & (found < end + tolerance)]
    spare = [t for t in told if not (np.abs(wanted - t) <= tolerance).any()]
    at_edge = [t for t in spare if (np.abs(real - t) <= tolerance).any()]
    return errors(np.setdiff1d(told, at_edge), wanted, tolerance)


@pytest.mark.parametrize("n_leads", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_a_paced_heart_is_found_within_seconds(errors, n_leads, seed):
    made = simulate([Paced(30)], fs_hz=250.0, seed=seed)
    assert late_errors(made, n_leads, errors) == (0, 0)


@pytest.mark.parametrize("qrs_ms", [120, 160])
def test_wide_paced_complexes_are_found_within_seconds(errors, qrs_ms):
    heart = Patient(qrs_ms=qrs_ms, qrs_mv=0.8, t_mv=0.4)
    made = simulate([Paced(30)], fs_hz=250.0, seed=3, patient=heart)
    assert late_errors(made, 2, errors) == (0, 0)


@pytest.mark.parametrize("bpm", [120, 150, 180])
def test_an_analysis_that_begins_amid_ventricular_tachycardia(errors, bpm):
    made = simulate([VT(30, bpm=bpm)], fs_hz=250.0, seed=1)
    assert late_errors(made, 2, errors) == (0, 0)


@pytest.mark.parametrize("qrs_s", [0.16, 0.2])
def test_wide_triangles_with_t_waves(heart, errors, qrs_s):
    x, r_s = heart(np.full(20, 0.9), qrs_s=qrs_s, t_mv=0.4)
    found = beats_of(x, 360.0)["sample"] / 360.0
    begin_s = r_s[5] - 0.3  # nothing is told in between, T waves neither
    assert begin_s < LEARNT_S + 0.7
    assert errors(found[found > begin_s], r_s[5:], 0.05) == (0, 0)


@pytest.mark.parametrize("bursts", [1.0, 2.0])
def test_noise_in_bursts_without_a_heart_gives_next_to_no_beats(bursts):
    rng, t_s = np.random.default_rng(6), np.arange(5 * 60 * 250) / 250.0
    noise = rng.normal(0.0, 0.05, t_s.size) * np.exp(bursts * np.sin(2 * np.pi * 0.15 * t_s))
    assert beats_of(noise[None].astype(np.float32), 250.0).size <= 5


def test_first_beats_are_told_as_such(heart):
    x, _ = heart(np.full(20, 0.8))
    beats = beats_of(x, 360.0)
    learning = beats["flags"] & BeatFlag.LEARNING > 0
    assert learning.tolist() == [True] * 8 + [False] * (beats.size - 8)
    assert (beats["confidence"] > 0.5).all()
